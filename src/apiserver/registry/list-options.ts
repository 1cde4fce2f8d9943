import { errors, type FieldError } from '../../api/index.ts'
import { revisionOf } from './revisions.ts'

/** What the query of a list, a watch or a deletecollection says. Source: meta.k8s.io/v1 ListOptions */
export interface ListOptions {
  /** 0 for no limit. */
  limit: number
  /** Empty for the first page. */
  continue: string
  resourceVersion?: number
  match: string
  sendInitialEvents?: boolean
  allowWatchBookmarks: boolean
  /** 0 when the client does not say. */
  timeoutSeconds: number
}

/**
 * Reads and judges the query of a list or a watch. Throws 400 for what is no value of its kind, 422 for values that do not
 * go together. Source: k8s.io/apimachinery/pkg/apis/meta/internalversion/validation ValidateListOptions
 */
export function listOptions(query: URLSearchParams, verb: 'list' | 'watch'): ListOptions {
  const options: ListOptions = {
    limit: integer(query, 'limit') ?? 0,
    continue: query.get('continue') ?? '',
    resourceVersion: revisionOf(query.get('resourceVersion'), verb),
    match: query.get('resourceVersionMatch') ?? '',
    sendInitialEvents: boolean(query, 'sendInitialEvents'),
    allowWatchBookmarks: boolean(query, 'allowWatchBookmarks') ?? false,
    timeoutSeconds: integer(query, 'timeoutSeconds') ?? 0,
  }
  const problems = verb === 'watch' ? watchProblems(options) : listProblems(options)
  if (problems.length) throw errors.invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', problems)
  return options
}

const NO_CONTINUE = 'resourceVersionMatch is forbidden when continue is provided'

function listProblems({ match, resourceVersion, sendInitialEvents, continue: token }: ListOptions): FieldError[] {
  const problems: FieldError[] = []
  if (match) {
    if (resourceVersion === undefined)
      problems.push(matchForbidden('resourceVersionMatch is forbidden unless resourceVersion is provided'))
    if (token) problems.push(matchForbidden(NO_CONTINUE))
    if (match !== 'Exact' && match !== 'NotOlderThan') problems.push(unsupported(match, '"Exact", "NotOlderThan", ""'))
    if (match === 'Exact' && resourceVersion === 0)
      problems.push(matchForbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  }
  if (sendInitialEvents !== undefined)
    problems.push({
      type: 'Forbidden',
      field: 'sendInitialEvents',
      detail: 'sendInitialEvents is forbidden for list',
    })
  return problems
}

function watchProblems({ match, sendInitialEvents, continue: token }: ListOptions): FieldError[] {
  const problems: FieldError[] = []
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan')
    problems.push(matchForbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'))
  if (match) {
    if (sendInitialEvents === undefined)
      problems.push(matchForbidden('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
    if (match !== 'NotOlderThan') problems.push(unsupported(match, '"NotOlderThan"'))
    if (token) problems.push(matchForbidden(NO_CONTINUE))
  }
  return problems
}

const matchForbidden = (detail: string): FieldError => ({ type: 'Forbidden', field: 'resourceVersionMatch', detail })

const unsupported = (value: string, values: string): FieldError => ({
  type: 'NotSupported',
  field: 'resourceVersionMatch',
  value,
  detail: `supported values: ${values}`,
})

/** A whole number of a query; undefined when it is absent or empty. */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (!text) return undefined
  if (!/^[-+]?\d+$/.test(text))
    throw errors.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  if (BigInt(text) !== BigInt.asIntN(64, BigInt(text)))
    throw errors.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`)
  return Number(text)
}

/** Source: k8s.io/apimachinery/pkg/runtime conversion.go Convert_Slice_string_To_bool */
export function boolean(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name)
  return text === null ? undefined : text !== '0' && text.toLowerCase() !== 'false'
}
