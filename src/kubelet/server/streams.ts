import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { WebSocket, WebSocketServer } from 'ws'
import type { Logger } from '../../base/index.ts'
import type { Runtime, StreamOptions } from '../runtime/runtime.ts'
import { FORWARD_PROTOCOL, forwardPorts } from './forward-ports.ts'
import { bridge, WEBSOCKET_PROTOCOLS } from './remote-command.ts'
import { upgradeToSpdy } from './spdy/connect.ts'

export interface StreamTarget {
  kind: 'exec' | 'attach' | 'portForward'
  /** Of the container; for port-forward of the sandbox. */
  id: string
  query: URLSearchParams
}

const PORT_FORWARD = 'portforward.k8s.io'
const TUNNEL = `SPDY/3.1+${PORT_FORWARD}`

/** Upstream's kubelet says `input`, `output` and `error`; the API says `stdin`, `stdout` and `stderr`. */
function optionsOf(query: URLSearchParams): StreamOptions {
  const on = (...names: string[]) => names.some(name => ['1', 'true'].includes(query.get(name) ?? ''))
  const tty = on('tty')
  return { tty, stdin: on('input', 'stdin'), stdout: on('output', 'stdout'), stderr: on('error', 'stderr') && !tty }
}

function streamUrl(runtime: Runtime, { kind, id, query }: StreamTarget): Promise<string> {
  if (kind === 'exec') return runtime.exec(id, { ...optionsOf(query), command: query.getAll('command') })
  if (kind === 'attach') return runtime.attach(id, optionsOf(query))
  return runtime.portForward(id, portsOf(query))
}

const portsOf = (query: URLSearchParams): number[] =>
  query
    .getAll('port')
    .flatMap(ports => ports.split(','))
    .map(Number)

let webSockets: Promise<WebSocketServer> | undefined

/** One for the process, made when the first client wants one. */
function webSocketServer(): Promise<WebSocketServer> {
  webSockets ??= import('ws').then(
    ({ WebSocketServer }) =>
      new WebSocketServer({
        noServer: true,
        perMessageDeflate: false,
        handleProtocols: (offered, { url }) =>
          [TUNNEL, ...(isForward(url) ? [FORWARD_PROTOCOL] : WEBSOCKET_PROTOCOLS)].find(each => offered.has(each)) ??
          false,
      }),
  )
  return webSockets
}

/** Serves an upgrade request: WebSockets are bridged, SPDY goes through to the runtime as it came. */
export async function serveStream(
  runtime: Runtime,
  target: StreamTarget,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  log: Logger,
): Promise<void> {
  const url = await streamUrl(runtime, target)
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') return passThrough(url, request, socket, head)
  const server = await webSocketServer()
  server.handleUpgrade(request, socket, head, client => {
    joined(client, url, target).catch((error: Error) => {
      log.debug({ kind: target.kind, error: error.message }, 'a stream failed')
      client.close(1011, error.message.slice(0, 100))
    })
  })
}

const isForward = (url = '') => url.startsWith('/portForward/')

function joined(client: WebSocket, url: string, { kind, query }: StreamTarget): Promise<void> {
  if (client.protocol === TUNNEL) return tunnel(client, url)
  if (kind === 'portForward') return forwardPorts(client, url, PORT_FORWARD, portsOf(query))
  return bridge(client, url, optionsOf(query))
}

/** The runtime answers the handshake itself. */
function passThrough(url: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { hostname, port, pathname, search, host } = new URL(url)
  const upstream = connect({ host: hostname, port: Number(port || 80), noDelay: true })
  const lines = [`${request.method} ${pathname}${search} HTTP/1.1`, `Host: ${host}`]
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at]!
    if (!/^(host|authorization|content-length|transfer-encoding)$/i.test(name))
      lines.push(`${name}: ${request.rawHeaders[at + 1]}`)
  }
  upstream.write(`${lines.join('\r\n')}\r\n\r\n`)
  upstream.write(head)
  join(upstream, socket)
}

function join(one: Duplex, other: Duplex): void {
  one.pipe(other)
  other.pipe(one)
  const end = () => {
    one.destroy()
    other.destroy()
  }
  one.on('error', end)
  other.on('error', end)
  one.on('close', end)
  other.on('close', end)
}

/** SPDY in binary messages, as `kubectl port-forward` sends it. Source: KEP-4006 */
async function tunnel(client: WebSocket, url: string): Promise<void> {
  const early: Buffer[] = []
  const keep = (message: Buffer) => void early.push(message)
  client.on('message', keep)
  client.on('error', () => client.terminate())
  const upstream = await upgradeToSpdy(url, PORT_FORWARD)
  client.off('message', keep)
  const forward = (message: Buffer) => {
    if (upstream.write(message)) return
    client.pause()
    upstream.once('drain', () => client.resume())
  }
  early.forEach(forward)
  client.on('message', forward)
  upstream.on('data', (chunk: Buffer) => {
    upstream.pause()
    client.send(chunk, () => upstream.resume())
  })
  upstream.on('error', () => upstream.destroy())
  upstream.on('close', () => client.close(1000))
  client.on('close', () => upstream.destroy())
  upstream.resume()
}
