import { Agent, type RequestOptions, request } from 'node:https'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { admissionregistration } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import type { Address } from '../proxy/endpoints.ts'
import { type Answer, bodyOf, Refused } from './answer.ts'
import { goError } from './go-errors.ts'

export type ClientConfig = admissionregistration.WebhookClientConfig

/** Calls what extends this server over HTTPS: admission and conversion webhooks. */
export interface WebhookClient {
  /**
   * Posts `review` as JSON and returns the object that it is answered with. Rejects in the words of Go's client, as
   * `Post "https://x.ns.svc:443/?timeout=10s": context deadline exceeded`; with a Refused for an answer that is none.
   * `timeout`: whole seconds
   */
  call(config: ClientConfig, review: object, timeout: number): Promise<Record<string, unknown>>
  /** Gives back the idle connections. */
  close(): void
}

const HTTPS = 443
/** Connections to one webhook, and to all of them; whoever comes later waits for one within its own timeout. */
const MAX_SOCKETS = 64
const MAX_TOTAL_SOCKETS = 512
/** Milliseconds that an unused connection is kept. */
const IDLE = 60_000
/** Bytes: an object of the largest size as a patch in base64, and then some. */
const MAX_ANSWER = 8 * 1024 * 1024

/** `resolve` finds where the port of a Service is served. */
export function createWebhookClient(
  resolve: (namespace: string, name: string, port: number) => Promise<Address>,
  clock: Clock,
): WebhookClient {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    maxTotalSockets: MAX_TOTAL_SOCKETS,
    maxFreeSockets: 8,
    timeout: IDLE,
  })

  async function call(config: ClientConfig, review: object, timeout: number): Promise<Record<string, unknown>> {
    const url = urlOf(config)
    if (timeout) url.searchParams.set('timeout', `${timeout}s`)
    const shown = shownUrl(url, config)
    const bytes = Buffer.from(JSON.stringify(review))
    const abort = new AbortController()
    const { signal } = abort
    const patience = clock.after(timeout * 1000, () => abort.abort())
    try {
      const options = await optionsOf(config, url, resolve)
      return await bodyOf(await exchange({ ...options, agent, signal }, bytes))
    } catch (error) {
      if (error instanceof Refused) throw error
      const reason = signal.aborted ? 'context deadline exceeded' : goError(error as Error, url.hostname)
      throw new Error(`Post ${JSON.stringify(shown)}: ${reason}`)
    } finally {
      patience.cancel()
    }
  }

  return { call, close: () => agent.destroy() }
}

function urlOf({ url, service }: ClientConfig): URL {
  if (!service) return new URL(url!)
  const { name, namespace, path, port = HTTPS } = service
  const base = new URL(`https://${name}.${namespace}.svc:${port}`)
  if (path) base.pathname = path
  return base
}

/** As Go writes it: with the port of a Service, though it be the usual one. */
function shownUrl(url: URL, { service, url: given }: ClientConfig): string {
  if (service)
    return `https://${url.hostname}:${service.port ?? HTTPS}${service.path ? url.pathname : '/'}${url.search}`
  return `${given!.split('?', 1)[0]}${url.search}`
}

async function optionsOf(
  { service, caBundle }: ClientConfig,
  url: URL,
  resolve: (namespace: string, name: string, port: number) => Promise<Address>,
): Promise<RequestOptions> {
  const own = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || HTTPS) }
  const address = service ? await resolve(service.namespace, service.name, service.port ?? HTTPS) : own
  return {
    ...address,
    method: 'POST',
    path: `${url.pathname}${url.search}`,
    // The certificate is the Service's, wherever it is served.
    ...(service ? { servername: url.hostname } : {}),
    ...(caBundle ? { ca: Buffer.from(caBundle, 'base64') } : {}),
    headers: {
      Host: url.host,
      Accept: 'application/json, */*',
      'Accept-Encoding': 'gzip',
      'Content-Type': 'application/json',
      'User-Agent': 'kube-apiserver-admission',
    },
  }
}

/** One request; made a second time when the kept connection was just being closed by the other side. */
function exchange(options: RequestOptions, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, headers: { ...options.headers, 'Content-Length': body.length } })
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const stale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
      if (stale && !options.signal?.aborted) return resolve(exchange(options, body))
      reject(error)
    })
    sent.once('response', answer => {
      const { statusCode: status = 0, headers } = answer
      const type = headers['content-type'] ?? ''
      const plain = headers['content-encoding'] === 'gzip' ? pipeline(answer, createGunzip(), () => {}) : answer
      readAtMost(MAX_ANSWER, plain).then(bytes => resolve({ status, type, body: bytes }), reject)
    })
    sent.end(body)
  })
}

/** The body of an answer; rejects when it is larger than `limit` bytes. */
export async function readAtMost(limit: number, answer: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) {
      answer.destroy()
      throw new Error(`the response is larger than ${limit} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
