import { readFile } from 'node:fs/promises'
import type { ClientHttp2Stream } from 'node:http2'
import { apiVersion, type Draft, type KubeObject, type meta, type Resource, StatusError } from '../api/index.ts'
import { type Clock, type Logger, type Random, silentLogger, systemClock } from '../base/index.ts'
import type {
  Client,
  DeleteOptions,
  List,
  ListOptions,
  Patch,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts'
import { Connection, type Response } from './connection.ts'
import { TransportError } from './errors.ts'
import type { Kubeconfig } from './kubeconfig.ts'
import { LineSplitter } from './lines.ts'
import { queryString, resourcePath } from './paths.ts'

export interface ClientOptions extends Kubeconfig {
  /** Default: `k8ts` */
  userAgent?: string
  /** Of a whole call, in milliseconds. Default: 30 s */
  timeout?: number
  clock?: Clock
  random?: Random
  log?: Logger
}

interface Call {
  method: string
  path: string
  body?: object
  contentType?: string
  accept?: string
}

const JSON_TYPE = 'application/json'
const METADATA_LIST = `${JSON_TYPE};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,${JSON_TYPE}`
const METADATA = `${JSON_TYPE};as=PartialObjectMetadata;g=meta.k8s.io;v=v1,${JSON_TYPE}`

const PATCH_TYPES: Record<Patch['type'], string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  // JSON is YAML.
  apply: 'application/apply-patch+yaml',
}

/** Source: k8s.io/client-go/rest (maxRetries of a Request) */
const MOST_RETRIES = 10
const TOKEN_REFRESH = 60_000
/** A watch whose reader is slower than the server is paused while more than this many events wait. */
const MOST_WAITING_EVENTS = 1000

export function connect(options: ClientOptions): Client {
  return new RestClient(options)
}

class RestClient implements Client {
  readonly #options: ClientOptions
  readonly #clock: Clock
  readonly #log: Logger
  readonly #userAgent: string
  readonly #connection: Connection
  #token: { text: string; read: number } | undefined

  constructor(options: ClientOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#log = options.log ?? silentLogger
    this.#userAgent = options.userAgent ?? 'k8ts'
    this.#connection = new Connection({ ...options, clock: this.#clock })
  }

  get<T extends KubeObject>(
    type: Resource<T>,
    ref: { namespace?: string; name: string },
    options: { subresource?: string } = {},
  ) {
    return this.#call<T>({ method: 'GET', path: resourcePath(type, ref, options.subresource) })
  }

  async list<T extends KubeObject>(type: Resource<T>, options: ListOptions = {}): Promise<List<T>> {
    const { namespace, metadataOnly, ...query } = options
    const list = await this.#call<List<T>>({
      method: 'GET',
      path: resourcePath(type, { namespace }) + queryString(query),
      accept: metadataOnly ? METADATA_LIST : undefined,
    })
    list.items ??= []
    const version = apiVersion(type)
    for (const item of list.items) {
      item.apiVersion = version
      item.kind = type.kind
    }
    return list
  }

  create<T extends KubeObject>(type: Resource<T>, object: Draft<T>, options: { dryRun?: boolean } = {}) {
    const body = { apiVersion: apiVersion(type), kind: type.kind, ...object }
    const { namespace } = (object as Draft<KubeObject>).metadata ?? {}
    return this.#call<T>({
      method: 'POST',
      path: resourcePath(type, { namespace }) + queryString(dryRun(options)),
      body,
    })
  }

  update<T extends KubeObject>(type: Resource<T>, object: T, options: WriteOptions = {}) {
    const { subresource, fieldManager } = options
    const query = queryString({ ...dryRun(options), fieldManager })
    return this.#call<T>({
      method: 'PUT',
      path: resourcePath(type, object.metadata, subresource) + query,
      body: object,
    })
  }

  patch<T extends KubeObject>(
    type: Resource<T>,
    ref: { namespace?: string; name: string },
    patch: Patch,
    options: WriteOptions = {},
  ) {
    const apply = patch.type === 'apply'
    const query = queryString({
      ...dryRun(options),
      fieldManager: options.fieldManager ?? (apply ? this.#userAgent.split(/[/ ]/)[0] : undefined),
      force: apply && options.force,
    })
    return this.#call<T>({
      method: 'PATCH',
      path: resourcePath(type, ref, options.subresource) + query,
      body: patch.body,
      contentType: PATCH_TYPES[patch.type],
    })
  }

  async delete<T extends KubeObject>(
    type: Resource<T>,
    ref: { namespace?: string; name: string },
    options?: DeleteOptions,
  ) {
    await this.#call({ method: 'DELETE', path: resourcePath(type, ref), body: deleteBody(options) })
  }

  async deleteCollection<T extends KubeObject>(type: Resource<T>, options: ListOptions & DeleteOptions = {}) {
    const { gracePeriodSeconds, propagationPolicy, preconditions, namespace, ...query } = options
    await this.#call({
      method: 'DELETE',
      path: resourcePath(type, { namespace }) + queryString(query as Record<string, string>),
      body: deleteBody({ gracePeriodSeconds, propagationPolicy, preconditions }),
    })
  }

  createSubresource<Out>(type: Resource, ref: { namespace?: string; name: string }, subresource: string, body: object) {
    return this.#call<Out>({ method: 'POST', path: resourcePath(type, ref, subresource), body })
  }

  request<Out>(method: string, path: string, body?: object) {
    return this.#call<Out>({ method, path, body })
  }

  async *watch<T extends KubeObject>(type: Resource<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const { namespace, metadataOnly, bookmarks, signal, ...query } = options
    const path =
      resourcePath(type, { namespace }) + queryString({ watch: true, allowWatchBookmarks: bookmarks, ...query })
    const ended = new AbortController()
    const either = signal ? AbortSignal.any([signal, ended.signal]) : ended.signal
    try {
      const response = await this.#startWatch(
        { method: 'GET', path, accept: metadataOnly ? METADATA : undefined },
        either,
      )
      for await (const line of linesOf(response.stream)) {
        const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: meta.Status }
        if (event.type === 'ERROR') throw new StatusError(event.object)
        yield event
      }
    } catch (error) {
      if (!signal?.aborted) throw error
    } finally {
      ended.abort()
    }
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  /**
   * Only the answer's head is bound by the call's timeout; the stream lasts until `signal`. Never sent twice: behind
   * a new connection may be a server that does not know the revision, which whoever watches has to look into first.
   */
  async #startWatch(call: Call, signal: AbortSignal): Promise<Response> {
    const late = new AbortController()
    const timer = this.#clock.after(this.#timeout, () => late.abort(timedOut(call, this.#timeout)))
    try {
      const response = await this.#send(call, AbortSignal.any([signal, late.signal]))
      if (response.status !== 200) throw statusErrorOf(response, await bodyOf(response.stream))
      return response
    } finally {
      timer.cancel()
    }
  }

  get #timeout(): number {
    return this.#options.timeout ?? 30_000
  }

  async #call<Out>(call: Call): Promise<Out> {
    const late = new AbortController()
    const timer = this.#clock.after(this.#timeout, () => late.abort(timedOut(call, this.#timeout)))
    try {
      for (let attempt = 0; ; attempt++) {
        const response = await this.#sendAgain(call, late.signal)
        const body = await bodyOf(response.stream)
        if (response.status < 300) return parseBody<Out>(body)
        const error = statusErrorOf(response, body)
        const wait = retryAfter(response)
        if (wait === undefined || attempt === MOST_RETRIES) throw error
        this.#log.debug({ method: call.method, path: call.path, wait }, 'the server asks to come back later')
        await this.#clock.sleep(wait, late.signal)
      }
    } finally {
      timer.cancel()
    }
  }

  /** An idle connection may have died unseen. Reading twice does no harm. */
  async #sendAgain(call: Call, signal: AbortSignal): Promise<Response> {
    try {
      return await this.#send(call, signal)
    } catch (error) {
      if (call.method !== 'GET' || signal.aborted || !(error instanceof TransportError)) throw error
      return await this.#send(call, signal)
    }
  }

  async #send(call: Call, signal: AbortSignal): Promise<Response> {
    const body = call.body && Buffer.from(JSON.stringify(call.body))
    const token = await this.#bearer()
    const headers: Record<string, string> = {
      ':method': call.method,
      ':path': call.path,
      accept: call.accept ?? JSON_TYPE,
      'user-agent': this.#userAgent,
    }
    if (token) headers.authorization = `Bearer ${token}`
    if (body) {
      headers['content-type'] = call.contentType ?? JSON_TYPE
      headers['content-length'] = String(body.length)
    }
    return await this.#connection.send(headers, body, signal)
  }

  async #bearer(): Promise<string | undefined> {
    const { token, tokenFile } = this.#options
    if (token || !tokenFile) return token
    const now = this.#clock.monotonic()
    if (!this.#token || now - this.#token.read > TOKEN_REFRESH) {
      this.#token = { text: (await readFile(tokenFile, 'utf8')).trim(), read: now }
    }
    return this.#token.text
  }
}

const dryRun = (options: { dryRun?: boolean }) => ({ dryRun: options.dryRun ? 'All' : undefined })

const deleteBody = (options: DeleteOptions | undefined) =>
  options && { kind: 'DeleteOptions', apiVersion: 'v1', ...options }

const timedOut = (call: Call, timeout: number) =>
  new TransportError(`${call.method} ${call.path} was not answered within ${timeout / 1000} s`)

function bodyOf(stream: ClientHttp2Stream): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let whole = false
    stream.on('data', chunk => chunks.push(chunk as Buffer))
    stream.on('end', () => {
      whole = stream.rstCode === 0 && !stream.aborted
    })
    stream.on('close', () => {
      if (whole) resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
      else reject(new TransportError('the connection was closed within the answer'))
    })
  })
}

const parseBody = <Out>(body: Buffer): Out => (body.length ? JSON.parse(body.toString('utf8')) : undefined) as Out

function statusErrorOf(response: Response, body: Buffer): StatusError {
  const headers: Record<string, string> = {}
  const wait = response.headers['retry-after']
  if (wait) headers['Retry-After'] = wait
  const text = body.toString('utf8')
  const code = response.status
  try {
    const status = JSON.parse(text) as meta.Status
    if (status.kind === 'Status') return new StatusError({ ...status, code: status.code ?? code }, headers)
  } catch {
    // Not the API server's own answer, but something's between.
  }
  const message = `the server answered ${code}: ${text.slice(0, 1024)}`
  return new StatusError({ status: 'Failure', code, reason: '', message }, headers)
}

/** How long the server asks to wait before the same call, in milliseconds. */
function retryAfter(response: Response): number | undefined {
  const wait = response.headers['retry-after']
  if (!wait || (response.status !== 429 && response.status < 500)) return undefined
  const seconds = Number(wait)
  return Number.isFinite(seconds) ? seconds * 1000 : undefined
}

/** The lines of a stream, until the server ends it. Throws a TransportError when the connection breaks instead. */
async function* linesOf(stream: ClientHttp2Stream): AsyncIterable<string> {
  const splitter = new LineSplitter()
  let waiting: string[] = []
  let wake = () => {}
  let over = false
  stream.on('data', chunk => {
    for (const line of splitter.push(chunk as Buffer)) waiting.push(line)
    if (waiting.length > MOST_WAITING_EVENTS) stream.pause()
    wake()
  })
  stream.on('close', () => {
    over = true
    wake()
  })
  for (;;) {
    if (waiting.length === 0) {
      if (over) break
      await new Promise<void>(resolve => {
        wake = resolve
      })
      continue
    }
    const lines = waiting
    waiting = []
    stream.resume()
    yield* lines
  }
  if (stream.rstCode !== 0 || stream.aborted) throw new TransportError('the watch was cut off')
}
