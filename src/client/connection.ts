import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import type { Clock, Timer } from '../base/index.ts'
import { TransportError } from './errors.ts'

export interface ConnectionOptions {
  /** `https://127.0.0.1:6443` */
  server: string
  /** PEM. Without it, the machine's own roots. */
  ca?: string
  /** PEM of the client certificate and its key. */
  cert?: string
  key?: string
  /** The name to expect in the server's certificate, when it is not the host of `server`. */
  serverName?: string
  insecureSkipVerify?: boolean
  clock: Clock
}

/** The answer's head; the body is the stream's data. */
export interface Response {
  status: number
  headers: IncomingHttpHeaders
  stream: ClientHttp2Stream
}

/** As many streams as a connection carries before another one is opened; upstream's server allows 250. */
const STREAMS_PER_SESSION = 200
const CONNECT_TIMEOUT = 10_000
/** Upstream's ReadIdleTimeout and PingTimeout. Source: k8s.io/apimachinery/pkg/util/net/http.go */
const PING_EVERY = 30_000
const PING_TIMEOUT = 15_000
const STREAM_WINDOW = 1 << 20
const SESSION_WINDOW = 16 << 20

interface Session {
  http2: ClientHttp2Session
  streams: number
  heartbeat?: Timer
}

/**
 * Few HTTP/2 connections to one server, opened when needed. All watches of a process share them, so that an idle
 * watch costs a stream and not a TLS connection.
 */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #base: string
  readonly #sessions = new Set<Session>()
  #closed = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#base = new URL(options.server).pathname.replace(/\/$/, '')
  }

  /** Resolves with the answer's head. Rejects with a TransportError, or with `signal.reason` when it aborts. */
  send(headers: Record<string, string>, body: Buffer | undefined, signal: AbortSignal): Promise<Response> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      if (this.#closed) throw new TransportError('the client is closed')
      const session = this.#session()
      const path = `${this.#base}${headers[':path']}`
      const stream = session.http2.request({ ...headers, ':path': path }, { endStream: !body })
      session.streams++
      const abort = () => {
        reject(signal.reason)
        stream.close(constants.NGHTTP2_CANCEL)
      }
      signal.addEventListener('abort', abort, { once: true })
      stream.on('close', () => {
        session.streams--
        signal.removeEventListener('abort', abort)
        reject(new TransportError('the connection was closed before an answer came'))
      })
      stream.on('error', error => reject(transportError(error)))
      stream.on('response', head => resolve({ status: Number(head[':status']), headers: head, stream }))
      if (body) stream.end(body)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    const closing = [...this.#sessions].map(
      ({ http2 }) =>
        new Promise<void>(resolve => {
          http2.once('close', resolve)
          http2.destroy()
        }),
    )
    await Promise.all(closing)
  }

  #session(): Session {
    for (const session of this.#sessions) if (session.streams < STREAMS_PER_SESSION) return session
    return this.#open()
  }

  #open(): Session {
    const { server, ca, cert, key, serverName, insecureSkipVerify, clock } = this.#options
    const http2 = connect(new URL(server).origin, {
      ca,
      cert,
      key,
      ...(serverName ? { servername: serverName } : {}),
      rejectUnauthorized: !insecureSkipVerify,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    })
    const session: Session = { http2, streams: 0 }
    const late = clock.after(CONNECT_TIMEOUT, () => http2.destroy(new Error(`connecting to ${server} timed out`)))
    const retire = () => {
      late.cancel()
      session.heartbeat?.cancel()
      this.#sessions.delete(session)
    }
    http2.once('connect', () => {
      late.cancel()
      http2.setLocalWindowSize(SESSION_WINDOW)
      this.#heartbeat(session)
    })
    // A server that goes away finishes what it accepted; new requests need a new connection.
    http2.on('goaway', retire)
    http2.on('close', retire)
    // Every stream reports the failure to its own caller.
    http2.on('error', retire)
    this.#sessions.add(session)
    return session
  }

  /** Finds the connection that died without a word, which otherwise only a write would. */
  #heartbeat(session: Session): void {
    const { clock } = this.#options
    session.heartbeat = clock.after(PING_EVERY, () => {
      if (session.http2.destroyed) return
      const dead = clock.after(PING_TIMEOUT, () => session.http2.destroy(new Error('the connection is dead')))
      session.heartbeat = dead
      session.http2.ping(error => {
        dead.cancel()
        if (!error && this.#sessions.has(session)) this.#heartbeat(session)
      })
    })
  }
}

/** HTTP/2 says that the stream was cancelled; what happened to the connection is in the cause. */
function transportError(error: Error): TransportError {
  const reason = error.cause instanceof Error ? error.cause : error
  return new TransportError(reason.message, { cause: error })
}
