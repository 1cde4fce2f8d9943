import type { meta } from './types/index.ts'

/**
 * One problem of one field, in upstream's words.
 * Source: k8s.io/apimachinery/pkg/util/validation/field
 */
export interface FieldError {
  type: FieldErrorType
  /** `spec.containers[0].name` */
  field: string
  /** `OMITTED`: the message says nothing of it. */
  value?: unknown
  detail: string
}

/** Stands for a value that is too large to be told. */
export const OMITTED = Symbol('omitted')

export type FieldErrorType =
  | 'Required'
  | 'Invalid'
  | 'Duplicate'
  | 'Forbidden'
  | 'NotSupported'
  | 'NotFound'
  | 'TooLong'
  | 'TooMany'
  | 'TypeInvalid'
  | 'Internal'

/** An answer of the API that is not success; on the server the answer to give, at the client the one received. */
export class StatusError extends Error {
  override name = 'StatusError'
  readonly status: meta.Status
  /** Extra response headers: `Retry-After`, `WWW-Authenticate`. */
  readonly headers: Record<string, string>

  constructor(status: Omit<meta.Status, 'apiVersion' | 'kind' | 'metadata'>, headers: Record<string, string> = {}) {
    super(status.message)
    this.status = { kind: 'Status', apiVersion: 'v1', metadata: {}, ...status }
    this.headers = headers
  }

  get code(): number {
    return this.status.code ?? 500
  }

  get reason(): string {
    return this.status.reason ?? ''
  }
}

type GroupResource = { group: string; resource: string }
type GroupKind = { group: string; kind: string }

const qualified = ({ group, resource }: GroupResource) => (group ? `${resource}.${group}` : resource)

function failure(
  code: number,
  reason: string,
  message: string,
  details?: meta.StatusDetails,
  headers?: Record<string, string>,
): StatusError {
  return new StatusError({ status: 'Failure', message, reason, details, code }, headers)
}

const about = (resource: GroupResource, name?: string): meta.StatusDetails => ({
  ...(name ? { name } : {}),
  ...(resource.group ? { group: resource.group } : {}),
  kind: resource.resource,
})

/** The errors that the API answers with. Source: k8s.io/apimachinery/pkg/api/errors */
export const errors = {
  notFound: (resource: GroupResource, name: string) =>
    failure(404, 'NotFound', `${qualified(resource)} "${name}" not found`, about(resource, name)),

  /** A path that nothing serves. */
  noRoute: () => failure(404, 'NotFound', 'the server could not find the requested resource', {}),

  alreadyExists: (resource: GroupResource, name: string) =>
    failure(409, 'AlreadyExists', `${qualified(resource)} "${name}" already exists`, about(resource, name)),

  generateNameConflict: (resource: GroupResource, name: string) =>
    failure(
      409,
      'AlreadyExists',
      `${qualified(resource)} "${name}" already exists, the server was not able to generate a unique name for the object`,
      { ...about(resource, name), retryAfterSeconds: 1 },
      { 'Retry-After': '1' },
    ),

  conflict: (resource: GroupResource, name: string, detail: string) =>
    failure(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${detail}`,
      about(resource, name),
    ),

  /** The conflict of a stale resourceVersion. */
  modified: (resource: GroupResource, name: string) =>
    errors.conflict(
      resource,
      name,
      'the object has been modified; please apply your changes to the latest version and try again',
    ),

  invalid: ({ group, kind }: GroupKind, name: string, problems: FieldError[]) =>
    failure(422, 'Invalid', `${group ? `${kind}.${group}` : kind} "${name}" is invalid: ${fieldErrors(problems)}`, {
      ...(name ? { name } : {}),
      ...(group ? { group } : {}),
      ...(kind ? { kind } : {}),
      causes: problems.map(problem => ({
        reason: problem.type === 'Internal' ? 'InternalError' : `FieldValue${problem.type}`,
        message: body(problem),
        field: problem.field,
      })),
    }),

  badRequest: (message: string) => failure(400, 'BadRequest', message),
  unauthorized: (message = 'Unauthorized') => failure(401, 'Unauthorized', message),

  forbidden: (resource: GroupResource, name: string, detail: string) =>
    failure(
      403,
      'Forbidden',
      `${qualified(resource)}${name ? ` "${name}"` : ''} is forbidden: ${detail}`,
      about(resource, name),
    ),

  /** Forbidden outside of resources: `forbidden: User "x" cannot get path "/metrics"`. */
  forbiddenPath: (detail: string) => failure(403, 'Forbidden', `forbidden: ${detail}`, {}),

  methodNotSupported: (resource: GroupResource, verb: string) =>
    failure(
      405,
      'MethodNotAllowed',
      `${verb} is not supported on resources of kind "${qualified(resource)}"`,
      about(resource),
    ),

  methodNotAllowed: () =>
    failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {}),

  /** No form at all that is asked for is one that there is at the path. Source: go-restful */
  unrepresentable: (available: string[]) =>
    failure(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${available.join(', ')}`, {}),

  notAcceptable: (accepted: string[]) =>
    failure(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`),

  /** The body comes in no form that is taken at the path. Source: go-restful */
  unknownMediaType: () => failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {}),

  unsupportedMediaType: (accepted: string[]) =>
    failure(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    ),

  /** The revision asked for was compacted, while listing or watching. */
  expired: (message: string) => failure(410, 'Expired', message),
  gone: (message: string) => failure(410, 'Gone', message),
  tooLarge: (message: string) => failure(413, 'RequestEntityTooLarge', message),
  tooManyRequests: (message: string, seconds: number) =>
    failure(429, 'TooManyRequests', message, { retryAfterSeconds: seconds }, { 'Retry-After': String(seconds) }),
  serviceUnavailable: (message: string) => failure(503, 'ServiceUnavailable', message),
  timeout: (message: string) => failure(504, 'Timeout', `Timeout: ${message}`, {}),
  /** What upstream answers where its code has only a text to say what is wrong. */
  bare: (message: string) => new StatusError({ status: 'Failure', message, code: 500 }),
  internal: (message: string) =>
    failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }),
}

/** Whether `error` is an API answer with this reason: `is(error, 'NotFound')`. */
export const is = (error: unknown, reason: string): error is StatusError =>
  error instanceof StatusError && error.reason === reason

const titles: Record<FieldErrorType, string> = {
  Required: 'Required value',
  Invalid: 'Invalid value',
  Duplicate: 'Duplicate value',
  Forbidden: 'Forbidden',
  NotSupported: 'Unsupported value',
  NotFound: 'Not found',
  TooLong: 'Too long',
  TooMany: 'Too many',
  TypeInvalid: 'Invalid value',
  Internal: 'Internal error',
}

/** `Required value: must not be empty`: what follows the field in a message. */
function body({ type, value, detail }: FieldError): string {
  const bare = type === 'Required' || type === 'Forbidden' || type === 'TooLong' || type === 'Internal'
  const shown = bare || value === OMITTED ? titles[type] : `${titles[type]}: ${quote(value)}`
  return detail ? `${shown}: ${detail}` : shown
}

/** Of what is no plain text Go's encoder takes care that it could stand in a page of HTML. */
const quote = (value: unknown) =>
  value === undefined || value === null
    ? 'null'
    : typeof value === 'object'
      ? JSON.stringify(value).replace(/[<>&]/g, found => `\\u00${found.charCodeAt(0).toString(16)}`)
      : typeof value === 'string'
        ? goQuote(value)
        : JSON.stringify(value)

const UNPRINTABLE = /[\u007f-\u009f\u00ad]|[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu
const CONTROLS: Record<string, string> = { '07': 'a', '0b': 'v' }

/** A text as Go's `%q` shows it. */
const goQuote = (text: string): string =>
  JSON.stringify(text)
    .replace(/\\(?:u00([01][0-9a-f])|.)/g, (found, code?: string) =>
      code ? `\\${CONTROLS[code] ?? `x${code}`}` : found,
    )
    .replace(UNPRINTABLE, character => {
      const code = character.codePointAt(0)!.toString(16)
      return code.length <= 2 && code < '80'
        ? `\\x${code}`
        : code.length > 4
          ? `\\U${code.padStart(8, '0')}`
          : `\\u${code.padStart(4, '0')}`
    })

/** Several problems are listed in brackets, each once, as upstream's aggregate does. */
export function fieldErrors(problems: FieldError[]): string {
  const texts = [...new Set(problems.map(problem => `${problem.field}: ${body(problem)}`))]
  return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
}
