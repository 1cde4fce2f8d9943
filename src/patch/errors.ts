import { type meta, StatusError } from '../api/index.ts'

/** A patch that is malformed or does not fit the object: the answer that upstream gives to it. */
export class PatchError extends StatusError {
  override name = 'PatchError'
}

const failure = (code: number, reason: string | undefined, message: string, details?: meta.StatusDetails) =>
  new PatchError({ status: 'Failure', message, ...(reason ? { reason } : {}), ...(details ? { details } : {}), code })

/** The patch is not of the form that patches have. */
export const malformed = (message: string) => failure(400, 'BadRequest', message)

/** The patch is well-formed and cannot be carried out. Upstream does not say why; `cause` keeps it for the log. */
export function inapplicable(cause: string): PatchError {
  const error = failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
  error.cause = cause
  return error
}

export const tooManyOperations = (most: number, count: number) =>
  failure(
    413,
    'RequestEntityTooLarge',
    `Request entity too large: The allowed maximum operations in a JSON patch is ${most}, got ${count}`,
  )

/** What upstream's strategic merge does not classify becomes an error of the server. */
export const unmergeable = (message: string) => failure(500, undefined, message)
