import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { core } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import type { Runtime } from '../runtime/runtime.ts'

export interface HookTarget {
  runtime: Runtime
  clock: Clock
  containerId: string
  container: core.Container
  podIp: string
}

const HOOK_TIMEOUT = 30_000
/** Hooks have no time limit of their own; the pod's grace period ends them. */
const EXEC_TIMEOUT_SECONDS = 24 * 3600

/** Runs a postStart or preStop handler; rejects when it fails. Source: pkg/kubelet/lifecycle/handlers.go */
export async function runHook(handler: core.LifecycleHandler, target: HookTarget, signal?: AbortSignal): Promise<void> {
  const { exec, httpGet, sleep, tcpSocket } = handler
  if (exec) {
    const { exitCode, stdout, stderr } = await target.runtime.execSync(
      target.containerId,
      exec.command ?? [],
      EXEC_TIMEOUT_SECONDS,
    )
    if (exitCode !== 0)
      throw new Error(`command '${(exec.command ?? []).join(' ')}' exited with ${exitCode}: ${stderr}${stdout}`)
  } else if (httpGet) {
    const status = await httpStatus(httpGet, target.container, target.podIp, HOOK_TIMEOUT)
    if (status >= 400) throw new Error(`HTTP probe failed with statuscode: ${status}`)
  } else if (sleep) await target.clock.sleep(sleep.seconds * 1000, signal).catch(() => {})
  else if (tcpSocket)
    await tcpConnect(tcpSocket.host || target.podIp, portOf(tcpSocket.port, target.container), HOOK_TIMEOUT)
}

/** A port by its number, or by its name in the container. */
export function portOf(port: number | string, container: core.Container): number {
  const named = container.ports?.find(({ name }) => name === port)
  const number = named ? named.containerPort : Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw new Error(
      typeof port === 'string' ? `couldn't find port: ${JSON.stringify(port)}` : `invalid port number: ${port}`,
    )
  return number
}

/** The status code of a GET; redirects within the host are followed, as upstream does. */
export async function httpStatus(
  action: core.HTTPGetAction,
  container: core.Container,
  podIp: string,
  timeout: number,
  agent = 'kube-lifecycle/1.36',
): Promise<number> {
  return (await httpGet(action, container, podIp, timeout, agent)).status
}

const MAX_BODY = 10 * 1024
const MAX_REDIRECTS = 10

export async function httpGet(
  { scheme = 'HTTP', host, port, path = '/', httpHeaders = [] }: core.HTTPGetAction,
  container: core.Container,
  podIp: string,
  timeout: number,
  agent: string,
): Promise<{ status: number; body: string }> {
  const headers: Record<string, string | string[]> = {}
  for (const { name, value } of httpHeaders) {
    const key = Object.keys(headers).find(known => known.toLowerCase() === name.toLowerCase()) ?? name
    headers[key] = headers[key] === undefined ? value : [headers[key], value].flat()
  }
  const given = (name: string) => Object.keys(headers).some(key => key.toLowerCase() === name)
  if (!given('user-agent')) headers['User-Agent'] = agent
  if (!given('accept')) headers.Accept = '*/*'
  headers.Connection = 'close'
  const address = host || podIp
  const authority = `${address.includes(':') ? `[${address}]` : address}:${portOf(port, container)}`
  let url = new URL(`${scheme.toLowerCase()}://${authority}${path.startsWith('/') ? path : `/${path}`}`)
  for (let hops = 0; ; hops++) {
    const answer = await get(url, headers, timeout)
    const redirected = answer.location !== undefined && answer.status >= 300 && answer.status < 400
    if (!redirected || hops === MAX_REDIRECTS) return answer
    const next = new URL(answer.location!, url)
    if (next.hostname !== url.hostname) return answer
    url = next
  }
}

function get(
  url: URL,
  headers: Record<string, string | string[]>,
  timeout: number,
): Promise<{ status: number; body: string; location?: string }> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = send(url, {
      headers,
      agent: false,
      rejectUnauthorized: false,
      signal: AbortSignal.timeout(timeout),
    })
    request.on('error', error => {
      const late = error.name === 'AbortError' || error.name === 'TimeoutError'
      const why = late
        ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        : dialError(error, url.host)
      reject(new Error(`Get "${url}": ${why}`))
    })
    request.on('response', response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        if (body.length < MAX_BODY) body += part.slice(0, MAX_BODY - body.length)
      })
      const done = () => resolve({ status: response.statusCode ?? 0, body, location: response.headers.location })
      response.on('end', done)
      response.on('error', done)
    })
    request.end()
  })
}

/** As Go words it: people grep for `connection refused`. */
export function dialError(error: NodeJS.ErrnoException, address: string): string {
  const words: Record<string, string> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ECONNRESET: 'connection reset by peer',
    ETIMEDOUT: 'i/o timeout',
  }
  const text = words[error.code ?? '']
  return text ? `dial tcp ${address}: ${text}` : error.message
}

export function tcpConnect(host: string, port: number, timeout: number): Promise<void> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout })
    const end = (error?: Error) => {
      socket.destroy()
      if (error) reject(error)
      else resolve()
    }
    socket.on('connect', () => end())
    socket.on('timeout', () => end(new Error(`dial tcp ${address}: i/o timeout`)))
    socket.on('error', error => end(new Error(dialError(error, address))))
  })
}
