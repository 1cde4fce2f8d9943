import { allResources, apiVersion, errors, type KubeObject, type Resource, type StatusError } from '../../api/index.ts'

/** What an object in a body has to be. */
export type Expected = Pick<Resource, 'group' | 'version' | 'kind' | 'type'>

/** Makes an answer of what is wrong with the kind; the object is of none that is known. */
type Refuse = (detail: string) => StatusError

/**
 * The kind that a body gives, or the expected one when it gives none; `needed`: it has to say what it is.
 * Rejects in the words of upstream's decoder when it is another.
 */
export function checkKind(value: unknown, expected: Expected, body: Buffer, needed: boolean, refuse: Refuse): string {
  // To Go, null says nothing.
  const object = value ?? {}
  if (typeof object !== 'object' || Array.isArray(object))
    throw refuse(`couldn't get version/kind; json parse error: ${notAnObject(object)}`)
  const given = textsOf(object, refuse)
  if (needed && !given.kind) throw refuse(`Object 'Kind' is missing in '${body}'`)
  const wanted = apiVersion(expected)
  const kind = given.kind || expected.kind
  const version = given.apiVersion || (needed ? '' : wanted)
  if (version.split('/').length > 2) throw refuse(`unexpected GroupVersion string: ${version}`)
  if (kind === expected.kind && version === wanted) return kind
  if (!needed) throw unlike(kind, version, expected, refuse)
  throw version === wanted ? otherCustomKind(expected, kind, object as KubeObject) : ofAnotherVersion(version, wanted)
}

function textsOf(object: object, refuse: Refuse): { kind: string; apiVersion: string } {
  const { kind, apiVersion } = object as Record<string, unknown>
  for (const [field, text] of Object.entries({ kind, apiVersion }))
    if (text !== undefined && text !== null && typeof text !== 'string')
      throw refuse(
        `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonName(text)} into Go struct field .${field} of type string`,
      )
  return { kind: (kind as string | null) ?? '', apiVersion: (apiVersion as string | null) ?? '' }
}

/** Upstream knows its own kinds, and says of another whether it is one of them. */
function unlike(kind: string, version: string, expected: Expected, refuse: Refuse): StatusError {
  const [name, group = ''] = version.split('/').reverse() as [string, string?]
  const wrong = (detail: string) => {
    const refused = refuse(detail)
    return refused.code === 400 ? unfit({ ...expected, version: name }, kind, detail) : refused
  }
  if (!isRegistered(group, name, kind))
    return wrong(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(version)} in scheme "pkg/runtime/scheme.go:111"`,
    )
  if (kind === expected.kind && group === expected.group) return ofAnotherVersion(version, apiVersion(expected))
  const internal = expected.group.split('.')[0] || 'core'
  return wrong(`converting (${name}.${kind}) to (${internal}.${expected.kind}): unknown conversion`)
}

const ofAnotherVersion = (given: string, wanted: string) =>
  errors.badRequest(`the API version in the data (${given}) does not match the expected API version (${wanted})`)

const otherCustomKind = ({ group, kind }: Expected, given: string, { metadata }: Partial<KubeObject>) =>
  errors.invalid({ group, kind: given }, String(metadata?.name ?? ''), [
    { type: 'Invalid', field: 'kind', value: given, detail: `must be ${kind}` },
  ])

export const unfit = ({ version, kind }: Expected, given: string, detail: string) =>
  errors.badRequest(`${given} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${detail}`)

/** What every version has besides its resources. */
const COMMON = [
  'CreateOptions',
  'DeleteOptions',
  'GetOptions',
  'ListOptions',
  'PatchOptions',
  'UpdateOptions',
  'WatchEvent',
]

const isRegistered = (group: string, version: string, kind: string): boolean =>
  COMMON.includes(kind) ||
  allResources.some(
    each => each.group === group && each.version === version && (each.kind === kind || `${each.kind}List` === kind),
  )

/** What Go says of a value from which it is to read a kind. */
export const notAnObject = (value: unknown): string =>
  `json: cannot unmarshal ${jsonName(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`

/** What Go calls a JSON value. */
export const jsonName = (value: unknown) =>
  Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value
