import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { Clock, Random } from '../base/index.ts'
import { nodeHttp } from './node-http.ts'
import type { Context } from './pipeline/context.ts'

export interface ListenOptions {
  host: string
  /** 0 for any free one. */
  port: number
  tls: ServingTls
  http2?: Http2Options
  /** PEM; without it no client certificate is asked for. */
  clientCa?: string
  clock: Clock
  random: Random
  request(request: Context['request'], response: Context['response'], upgrade?: Context['upgrade']): Promise<void>
}

/** PEM texts, and names of OpenSSL. */
export interface ServingTls {
  cert: string
  key: string
  /** Further certificates, for the names that are in them. */
  further?: { cert: string; key: string }[]
  /** Default: TLSv1.2 */
  minVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
  ciphers?: string
}

export interface Http2Options {
  disabled?: boolean
  /** Requests of one connection at once. */
  maxStreams?: number
  /** How likely a connection is ended in good order after a request, so that clients spread over several servers. */
  goawayChance?: number
}

export interface Listener {
  port: number
  /** Takes no more requests, waits for those under way for `grace` milliseconds at most, then cuts every connection. */
  close(grace: number): Promise<void>
}

/** Milliseconds. */
const KEEP_ALIVE = 180_000
const HEADERS_TIMEOUT = 32_000
const BODY_TIMEOUT = 120_000
const MAX_HEADER = 1024 * 1024

/** HTTPS with HTTP/2 for those who offer it, HTTP/1.1 for the others; a client certificate is asked for, not required. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const server = createSecureServer({
    allowHTTP1: true,
    ALPNProtocols: options.http2?.disabled ? ['http/1.1'] : ['h2', 'http/1.1'],
    cert: options.tls.cert,
    key: options.tls.key,
    ...(options.tls.ciphers ? { ciphers: options.tls.ciphers } : {}),
    ca: options.clientCa,
    requestCert: options.clientCa !== undefined,
    // A bad certificate is answered with 401 rather than a broken handshake.
    rejectUnauthorized: false,
    minVersion: options.tls.minVersion ?? 'TLSv1.2',
    keepAliveTimeout: KEEP_ALIVE,
    headersTimeout: HEADERS_TIMEOUT,
    requestTimeout: BODY_TIMEOUT,
    maxHeaderSize: MAX_HEADER,
    settings: { maxConcurrentStreams: options.http2?.maxStreams || 250, initialWindowSize: 1024 * 1024 },
  } as Parameters<typeof createSecureServer>[0])
  for (const pair of options.tls.further ?? []) addNames(server, pair)
  const connections = track(server)
  let inFlight = 0
  let idle = () => {}
  const goawayChance = options.http2?.goawayChance ?? 0
  const take = (...args: Parameters<ListenOptions['request']>) => {
    inFlight++
    if (goawayChance && options.random.next() < goawayChance) letGo(args[0])
    options.request(...args).finally(() => {
      if (--inFlight === 0) idle()
    })
  }
  server.on('request', take)
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    // Until the upgrade is made, the answer is one like any other.
    const { ServerResponse } = nodeHttp()
    const response = new ServerResponse(request)
    response.assignSocket(socket)
    response.once('finish', () => socket.end())
    take(request, response, { socket, head })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async close(grace) {
      server.close()
      const finished = new Promise<void>(resolve => {
        idle = resolve
        if (inFlight === 0) resolve()
      })
      const patience = new AbortController()
      await Promise.race([finished, options.clock.sleep(grace, patience.signal).catch(() => {})])
      patience.abort()
      connections.end()
    },
  }
}

/** A certificate serves the names that it is made out to. */
function addNames(server: Http2SecureServer, { cert, key }: { cert: string; key: string }): void {
  const { subjectAltName = '' } = new X509Certificate(cert)
  const context = createSecureContext({ cert, key })
  for (const [, name] of subjectAltName.matchAll(/DNS:([^,\s]+)/g)) server.addContext(name!, context)
}

/** Asks the client of a request for a new connection once those under way are answered. */
function letGo(request: Context['request']): void {
  const session = 'stream' in request ? request.stream?.session : undefined
  if (session && !session.closed) session.close()
}

/** Knows every connection, since Node's own list does not cover those of HTTP/2. */
function track(server: Http2SecureServer): { end(): void } {
  const sockets = new Set<Socket>()
  const sessions = new Set<ServerHttp2Session>()
  server.on('secureConnection', (socket: Socket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  // What a client does to its own connection is no fault of the server.
  server.on('sessionError', () => {})
  server.on('tlsClientError', () => {})
  server.on('clientError', ({ code }: NodeJS.ErrnoException, socket: Socket) => {
    const status = code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`)
    else socket.destroy()
  })
  return {
    end() {
      for (const session of sessions) session.close()
      for (const socket of sockets) socket.destroySoon()
    },
  }
}
