import type { IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import type { admissionregistration } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import { parseJson, SyntaxProblem } from '../../encoding/index.ts'
import type { Address } from '../proxy/endpoints.ts'
import { goError } from './go-errors.ts'

export type ClientConfig = admissionregistration.WebhookClientConfig

/** Calls what extends this server over HTTPS: admission and conversion webhooks. */
export interface WebhookClient {
  /**
   * Posts `review` as JSON and returns what the answer says. Rejects in the words of Go's client, as
   * `Post "https://x.ns.svc:443/?timeout=10s": context deadline exceeded`.
   * `timeout`: whole seconds
   */
  call(config: ClientConfig, review: object, timeout: number): Promise<unknown>
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

  async function call(config: ClientConfig, review: object, timeout: number): Promise<unknown> {
    const url = urlOf(config)
    if (timeout) url.searchParams.set('timeout', `${timeout}s`)
    const shown = shownUrl(url, config)
    const bytes = Buffer.from(JSON.stringify(review))
    const abort = new AbortController()
    const { signal } = abort
    const patience = clock.after(timeout * 1000, () => abort.abort())
    try {
      const options = await optionsOf(config, url, resolve)
      return bodyOf(await exchange({ ...options, agent, signal }, bytes))
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
      'Content-Type': 'application/json',
      'User-Agent': 'kube-apiserver-admission',
    },
  }
}

/** An answer that is not what was asked for; its message needs no address. */
class Refused extends Error {}

interface Answer {
  status: number
  body: Buffer
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
      readAtMost(MAX_ANSWER, answer).then(bytes => resolve({ status: answer.statusCode ?? 0, body: bytes }), reject)
    })
    sent.end(body)
  })
}

/** The body of an answer; rejects when it is larger than `limit` bytes. */
export async function readAtMost(limit: number, answer: IncomingMessage): Promise<Buffer> {
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

function bodyOf({ status, body }: Answer): unknown {
  if (status < 200 || status > 206) throw new Refused(statusText(status, body.toString()))
  try {
    return parseJson(body).value
  } catch (error) {
    if (error instanceof SyntaxProblem)
      throw new Refused(`couldn't get version/kind; json parse error: ${error.message}`)
    throw error
  }
}

/** Source: k8s.io/apimachinery/pkg/api/errors NewGenericServerResponse */
const STATUS_TEXTS: Record<number, string> = {
  401: 'the server has asked for the client to provide credentials',
  403: 'unknown',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  409: 'the server reported a conflict',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
}

function statusText(status: number, body: string): string {
  const known = STATUS_TEXTS[status]
  if (known) return known
  if (status < 500) return 'the server rejected our request for an unknown reason'
  return `an error on the server (${JSON.stringify(body.trim() || 'unknown')}) has prevented the request from succeeding`
}
