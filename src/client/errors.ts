/** No answer came: the server is not there, the connection broke, or the call timed out. `cause` says more. */
export class TransportError extends Error {
  override name = 'TransportError'
}
