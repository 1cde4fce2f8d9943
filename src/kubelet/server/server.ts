import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type core, parseTime } from '../../api/index.ts'
import type { Clock, Component, Logger } from '../../base/index.ts'
import { containerNamed } from '../pod/spec.ts'
import type { PodState, RunContainer, StateReader } from '../pod/state.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Access } from './access.ts'
import { HttpError } from './http-error.ts'
import { type LogOptions, readLogs } from './logs.ts'
import { type StreamTarget, serveStream } from './streams.ts'
import { statsSummary } from './summary.ts'

export interface ServerOptions {
  runtime: Runtime
  state: StateReader
  /** The pods of this node. */
  pods: { list(): core.Pod[]; find(namespace: string, name: string): core.Pod | undefined }
  nodeName: string
  host?: string
  port: number
  tls: { cert: string; key: string; clientCa: string }
  /** Who is let in. */
  access: Access
  clock: Clock
  log: Logger
}

export interface KubeletServer extends Component {
  port: number
}

/** The kubelet's own API, for the API server and for whom that lets in. Source: pkg/kubelet/server/server.go */
export async function startServer(options: ServerOptions): Promise<KubeletServer> {
  const { tls, log, host, port } = options
  const server = createServer({
    cert: tls.cert,
    key: tls.key,
    ca: tls.clientCa,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
  })
  server.on('request', (request, response) => {
    serve(options, request, response).catch((error: Error) => {
      if (response.headersSent) return response.destroy()
      const code = error instanceof HttpError ? error.code : 500
      if (code === 500) log.warn({ path: request.url, error: error.message }, 'a request failed')
      response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(`${error.message}\n`)
    })
  })
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    serveUpgrade(options, request, socket, head).catch((error: Error) => {
      const code = error instanceof HttpError ? error.code : 500
      refuse(socket, code, error.message)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  server.unref()
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const urlOf = (request: IncomingMessage) => new URL(request.url ?? '/', 'https://kubelet')
const partsOf = (url: URL) => url.pathname.split('/').slice(1).map(decodeURIComponent)

async function serve(options: ServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = urlOf(request)
  const [what, ...rest] = partsOf(url)
  if (what === 'healthz') return void response.end('ok')
  await options.access(request, url.pathname)
  switch (what) {
    case 'pods':
      return json(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: options.pods.list() })
    case 'containerLogs':
      return serveLogs(options, rest, url.searchParams, response)
    case 'stats':
      return json(response, await statsSummary(options.runtime, options.nodeName, options.clock))
    case 'exec':
    case 'attach':
    case 'portForward':
      throw new HttpError(400, 'Upgrade request required')
    default:
      throw new HttpError(404, '404 page not found')
  }
}

function json(response: ServerResponse, body: object): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(body))
}

async function serveUpgrade(
  options: ServerOptions,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const url = urlOf(request)
  await options.access(request, url.pathname)
  const [kind, namespace = '', name = '', ...rest] = partsOf(url)
  if (kind !== 'exec' && kind !== 'attach' && kind !== 'portForward') throw new HttpError(404, '404 page not found')
  const pod = find(options, namespace, name)
  const state = await options.state.read(pod)
  const id = kind === 'portForward' ? readySandbox(pod, state) : runningContainer(state, rest.at(-1) ?? '')
  const target: StreamTarget = { kind, id, query: url.searchParams }
  await serveStream(options.runtime, target, request, socket, head, options.log)
}

function refuse(socket: Duplex, code: number, message: string): void {
  const reasons: Record<number, string> = { 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found' }
  const body = `${message}\n`
  socket.end(
    [
      `HTTP/1.1 ${code} ${reasons[code] ?? 'Internal Server Error'}`,
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}

function find({ pods }: ServerOptions, namespace: string, name: string): core.Pod {
  const pod = pods.find(namespace, name)
  if (!pod) throw new HttpError(404, 'pod does not exist')
  return pod
}

function readySandbox(pod: core.Pod, { sandbox }: PodState): string {
  if (!sandbox?.ready) throw new HttpError(500, `failed to find sandbox for pod ${pod.metadata.name}`)
  return sandbox.id
}

function runningContainer(state: PodState, name: string): string {
  const found = state.containers.find(container => container.name === name && container.state === 'running')
  if (!found) throw new HttpError(404, `container not found ("${name}")`)
  return found.id
}

async function serveLogs(
  options: ServerOptions,
  [namespace = '', podName = '', name = '']: string[],
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const pod = find(options, namespace, podName)
  if (!containerNamed(pod, name)) throw new HttpError(404, `container "${name}" not found in pod "${podName}"`)
  const logOptions = logOptionsOf(query, options.clock.now())
  const container = await loggedContainer(options, pod, name, query.get('previous') === 'true')
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  response.writeHead(200, { 'content-type': 'text/plain' })
  // `kubectl logs -f` of a silent container shows at once that it is connected.
  response.flushHeaders()
  const source = {
    path: container.logPath,
    clock: options.clock,
    signal: gone.signal,
    isRunning: () =>
      options.runtime.containerStatus(container.id).then(
        ({ state }) => state === 'running',
        () => false,
      ),
  }
  for await (const piece of readLogs(source, logOptions)) {
    if (!response.write(piece)) await drained(response, gone.signal)
    if (gone.signal.aborted) return
  }
  response.end()
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    response.once('drain', resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function logOptionsOf(query: URLSearchParams, now: number): LogOptions {
  const number = (name: string) => {
    const text = query.get(name)
    if (text === null) return undefined
    const value = Number(text)
    if (!Number.isInteger(value) || value < 0) throw new HttpError(400, `invalid ${name}: ${text}`)
    return value
  }
  const on = (name: string) => ['true', '1'].includes(query.get(name) ?? '')
  const seconds = number('sinceSeconds')
  const time = query.get('sinceTime')
  const stream = query.get('stream')?.toLowerCase()
  return {
    follow: on('follow'),
    timestamps: on('timestamps'),
    tailLines: number('tailLines'),
    limitBytes: number('limitBytes'),
    ...(stream === 'stdout' || stream === 'stderr' ? { stream } : {}),
    since: seconds === undefined ? (time ? parseTime(time) : undefined) : now - seconds * 1000,
  }
}

async function loggedContainer(
  { state }: ServerOptions,
  pod: core.Pod,
  name: string,
  previous: boolean,
): Promise<RunContainer> {
  const { containers } = await state.read(pod)
  const runs = containers.filter(container => container.name === name && container.state !== 'created')
  const found = runs[previous ? 1 : 0]
  if (found?.logPath) return found
  const where = `container "${name}" in pod "${pod.metadata.name}"`
  if (previous) throw new HttpError(400, `previous terminated ${where} not found`)
  const statuses = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])]
  const waiting = statuses.find(status => status.name === name)?.state.waiting
  const reason = waiting?.reason ?? 'ContainerCreating'
  throw new HttpError(400, `${where} is waiting to start: ${IMAGE_TROUBLE[reason] ?? reason}`)
}

/** What upstream says in place of these two reasons. */
const IMAGE_TROUBLE: Record<string, string> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: 'trying and failing to pull image',
}
