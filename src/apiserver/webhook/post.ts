import type { IncomingMessage, RequestOptions } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { Clock } from '../../base/index.ts'
import { nodeHttp } from '../node-http.ts'
import { readAtMost } from './client.ts'

/** A service of somebody else's, as a kubeconfig names it. */
export interface Connection {
  url: string
  /** PEM. */
  ca?: string
  cert?: string
  key?: string
  token?: string
  /** Do not check the service's certificate. */
  insecure?: boolean
}

export interface Poster {
  /** Resolves with the body of a good answer; rejects with any other as `the server answered 500: ...`. */
  post(body: object): Promise<Buffer>
  close(): void
}

const MAX_ANSWER = 1024 * 1024
const MAX_SOCKETS = 64

/** `timeout`: milliseconds */
export function poster(connection: Connection, timeout: number, clock: Clock): Poster {
  const url = new URL(connection.url)
  const secure = url.protocol === 'https:'
  const agent = secure ? new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, timeout: 60_000 }) : undefined
  const { ca, cert, key, token, insecure } = connection
  const options: RequestOptions & { ca?: string } = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port || (secure ? 443 : 80),
    path: `${url.pathname}${url.search}`,
    method: 'POST',
    ...(agent ? { agent, ...(ca ? { ca } : {}), ...(cert ? { cert, key } : {}), rejectUnauthorized: !insecure } : {}),
  }
  async function post(body: object): Promise<Buffer> {
    const bytes = Buffer.from(JSON.stringify(body))
    const abort = new AbortController()
    const patience = clock.after(timeout, () => abort.abort())
    try {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const send = secure ? httpsRequest : nodeHttp().request
        const headers = {
          Accept: 'application/json',
          'Content-Type': 'application/json',
          'Content-Length': bytes.length,
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
        }
        const sent = send({ ...options, headers, signal: abort.signal }, resolve)
        sent.once('error', reject)
        sent.end(bytes)
      })
      const content = await readAtMost(MAX_ANSWER, answer)
      const status = answer.statusCode ?? 0
      if (status >= 200 && status < 300) return content
      throw new Error(`the server answered ${status}: ${content.toString().slice(0, 500)}`)
    } finally {
      patience.cancel()
    }
  }
  return { post, close: () => agent?.destroy() }
}
