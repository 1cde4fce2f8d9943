import type { IncomingMessage, RequestOptions } from 'node:http'
import { type Agent, request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { errors, type StatusError } from '../../api/index.ts'
import { nodeHttp } from '../node-http.ts'
import type { Context } from '../pipeline/context.ts'
import { commonHeaders, outgoing, tolerateLoss } from '../pipeline/respond.ts'

/** Where a request goes on to. */
export interface Target {
  scheme: 'http' | 'https'
  host: string
  port: number
  /** With its query. */
  path: string
  /** How to present oneself and whom to believe; only for https. */
  tls?: { ca?: string; cert?: string; key?: string; servername?: string; rejectUnauthorized?: boolean }
  /** Instead of those of the same name that the client sent; undefined takes one away. */
  headers?: Record<string, string | string[] | undefined>
  /** Keeps connections for the next request; only for https. */
  agent?: Agent
}

/** How long a connection may take to be made, in milliseconds. */
const CONNECT_TIMEOUT = 10_000

/** Headers that belong to one connection, or that are meant for this server alone. */
const OWN_HEADERS = new Set([
  'authorization',
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

function passedHeaders(headers: IncomingMessage['headers'], upgrading: boolean): Record<string, string | string[]> {
  const passed: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !name.startsWith(':') && !OWN_HEADERS.has(name)) passed[name] = value
  if (upgrading) Object.assign(passed, { connection: 'Upgrade', upgrade: headers.upgrade })
  return passed
}

function open({ scheme, host, port, path, tls, headers, agent }: Target, { request }: Context, upgrading: boolean) {
  const passed = passedHeaders(request.headers as IncomingMessage['headers'], upgrading)
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (value === undefined) delete passed[name]
    else passed[name] = value
  }
  const options: RequestOptions = {
    host,
    port,
    path,
    method: request.method,
    headers: passed,
    agent: agent && !upgrading ? agent : false,
    ...tls,
  }
  const sent = scheme === 'https' ? httpsRequest(options) : nodeHttp().request(options)
  sent.once('socket', socket => {
    if (sent.reusedSocket) return
    socket.setNoDelay(true)
    socket.setTimeout(CONNECT_TIMEOUT, () => sent.destroy(new Error(`dial tcp ${host}:${port}: i/o timeout`)))
    socket.once(scheme === 'https' ? 'secureConnect' : 'connect', () => socket.setTimeout(0))
  })
  return sent
}

const unreachable = ({ scheme, host, port, path }: Target, method: string, error: Error): StatusError =>
  errors.internal(`error dialing backend: ${method} "${scheme}://${host}:${port}${path}": ${error.message}`)

/**
 * Passes a request on and its answer back, both as streams. `judge` may turn an answer down before any of it is passed on.
 */
export async function forward(
  context: Context,
  target: Target,
  judge?: (answer: IncomingMessage) => Promise<void> | void,
): Promise<undefined> {
  const sent = open(target, context, false)
  context.signal.addEventListener('abort', () => sent.destroy(), { once: true })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve)
    sent.on('error', error => reject(unreachable(target, context.request.method ?? 'GET', error)))
  })
  context.request.pipe(sent)
  const answer = await answered
  await judge?.(answer)
  tolerateLoss(context)
  const response = outgoing(context)
  const headers = { ...commonHeaders(context), ...passedHeaders(answer.headers, false) }
  response.writeHead(answer.statusCode ?? 502, headers)
  response.flushHeaders?.()
  // Whoever goes away first, the other is told by the end of the stream.
  await pipeline(answer, response).catch(() => {})
}

/** Passes an upgrade on, and then every byte both ways until either end closes. */
export async function forwardUpgrade(context: Context, target: Target): Promise<undefined> {
  const { socket, head } = context.upgrade!
  const sent = open(target, context, true)
  context.signal.addEventListener('abort', () => sent.destroy(), { once: true })
  socket.once('close', () => sent.destroy())
  await new Promise<void>((resolve, reject) => {
    sent.on('error', error => reject(unreachable(target, context.request.method ?? 'GET', error)))
    sent.once('upgrade', (answer: IncomingMessage, backend: Duplex, first: Buffer) => {
      outgoing(context).detachSocket(socket as never)
      socket.write(statusLine(answer))
      join(socket, backend, head, first, resolve)
    })
    // Refused: the answer is passed on as it is.
    sent.once('response', (answer: IncomingMessage) => {
      const response = outgoing(context)
      response.writeHead(answer.statusCode ?? 502, { ...passedHeaders(answer.headers, false), connection: 'close' })
      pipeline(answer, response).then(resolve, () => resolve())
    })
    sent.end()
  })
}

function statusLine({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  let text = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`
  for (let index = 0; index < rawHeaders.length; index += 2)
    text += `${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`
  return `${text}\r\n`
}

function join(client: Duplex, backend: Duplex, head: Buffer, first: Buffer, over: () => void): void {
  if (head.length) backend.write(head)
  if (first.length) client.write(first)
  for (const [from, to] of [
    [client, backend],
    [backend, client],
  ] as const) {
    from.pipe(to)
    from.on('error', () => to.destroy())
    from.once('close', () => {
      to.end()
      if (client.destroyed && backend.destroyed) over()
    })
  }
}
