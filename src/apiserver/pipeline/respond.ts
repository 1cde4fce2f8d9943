import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { errors, StatusError } from '../../api/index.ts'
import { compressed, isWorthwhile } from './compress.ts'
import type { Context, Reply } from './context.ts'
import { formatted, JSON_TYPE } from './formats.ts'
import { warningHeaders } from './warnings.ts'

/** An object as a whole answer. */
export const json = (status: number, value: unknown, headers?: Record<string, string>): Reply => ({
  status,
  body: Buffer.from(`${JSON.stringify(value)}\n`),
  ...(headers ? { headers } : {}),
})

export const text = (
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8',
  headers?: Record<string, string>,
): Reply => ({
  status,
  body: Buffer.from(body),
  type,
  headers: { 'X-Content-Type-Options': 'nosniff', ...headers },
})

/** What a thrown value answers: a Status as it is, anything else is the server's own fault. */
export function replyTo(error: unknown): Reply {
  const answer =
    error instanceof StatusError ? error : errors.internal(error instanceof Error ? error.message : String(error))
  return json(answer.code, answer.status, answer.headers)
}

/** Headers that every answer carries, streams included. */
export function commonHeaders(context: Context): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'Audit-Id': context.auditId, 'Cache-Control': 'no-cache, private' }
  if (context.warnings.length) headers.Warning = warningHeaders(context.warnings)
  if (context.headers) Object.assign(headers, context.headers)
  return headers
}

/** Both HTTP versions have the same methods here, in types that do not agree. */
export const outgoing = (context: Context): ServerResponse => context.response as ServerResponse

/** Sends a whole answer in the form that the client wants; resolves when it has taken the last of it or is gone. */
export async function send(context: Context, answer: Reply): Promise<void> {
  const response = outgoing(context)
  if (response.headersSent || response.destroyed) return
  context.audited?.answered(answer)
  const made = formatted(context, answer)
  const shown = made instanceof Promise ? await made : made
  const reply = isWorthwhile(context, shown) ? await compressed(shown) : shown
  if (response.headersSent || response.destroyed) return
  const headers = commonHeaders(context)
  if (reply.type !== '') headers['Content-Type'] = reply.type ?? JSON_TYPE
  const chunks = Array.isArray(reply.body) ? reply.body : undefined
  const length = chunks ? chunks.reduce((sum, chunk) => sum + chunk.length, 0) : (reply.body as Buffer).length
  headers['Content-Length'] = length
  context.answerLength = length
  if (reply.headers) Object.assign(headers, reply.headers)
  response.writeHead(reply.status, headers)
  if (context.request.method === 'HEAD') return void response.end()
  if (!chunks) return void response.end(reply.body as Buffer)
  for (const chunk of chunks) if (!response.write(chunk)) await drained(response)
  response.end()
}

/** A client that goes away in the middle of a stream is no fault of anybody's. */
export function tolerateLoss(context: Context): void {
  outgoing(context).on('error', () => {})
}

/** Resolves when more can be written, or when nobody reads any more. */
export function drained(response: Writable): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    if (response.destroyed) return resolve()
    response.on('drain', done)
    response.on('close', done)
  })
}
