/** An answer that is not success; the text is shown to the user by the API server. */
export class HttpError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}
