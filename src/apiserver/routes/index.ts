import type { RequestMetrics } from '../metrics.ts'
import type { Handler, Reply } from '../pipeline/context.ts'
import { json, text } from '../pipeline/respond.ts'
import { version } from '../version.ts'
import { getOnly } from './get-only.ts'
import { type Check, healthHandler, resultOf } from './health.ts'
import { pathList } from './paths.ts'

export interface RouteOptions {
  live: Check[]
  /** What must hold besides before clients are sent here. */
  ready: Check[]
  metrics: RequestMetrics
  /** Further handlers, by their exact paths. */
  exact: Record<string, Handler>
  /** Paths of what is found by `further`, for the list of them all. */
  paths(): string[]
  /** What is asked for any other path, in turn. */
  further: ((path: string) => Handler | undefined)[]
}

/** What the server answers that is not a resource, by path. */
export function createRoutes({
  live,
  ready,
  metrics,
  exact: given,
  further,
  paths,
}: RouteOptions): (path: string) => Handler | undefined {
  const endpoints = {
    healthz: live,
    livez: live,
    readyz: [...live.filter(({ name }) => !NOT_READY.has(name)), ...ready],
  }
  const health: Record<string, Handler> = Object.fromEntries(
    Object.entries(endpoints).map(([name, checks]) => [name, healthHandler(name, checks)]),
  )
  const exact: Record<string, Handler> = {
    ...given,
    '/version': getOnly(['application/json'], () => json(200, version)),
    '/version/': getOnly(['application/json'], () => json(200, version)),
    '/metrics': async () => figures(await metrics.text()),
    '/metrics/slis': async () => figures(await slis(endpoints)),
  }
  const figures = (body: string): Reply => ({
    ...text(200, body, METRICS),
    headers: { 'Process-Start-Time-Unix': String(metrics.started) },
  })
  const all = () =>
    pathList([
      ...Object.keys(exact).filter(path => path !== '/version/'),
      ...Object.entries(endpoints).flatMap(([name, checks]) => [
        `/${name}`,
        ...checks.map(each => `/${name}/${each.name}`),
      ]),
      ...paths(),
    ])
  const listed: Handler = () => all()
  return path => {
    if (path === '/' || path === '/index.html') return listed
    const found = exact[path] ?? health[path.split('/', 2)[1]!]
    if (found) return found
    for (const route of further) {
      const handler = route(path)
      if (handler) return handler
    }
    return undefined
  }
}

/** As Prometheus reads it. */
const METRICS = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores'

/** Says that the process is alive, and not that it is of use. */
const NOT_READY = new Set(['loopback-serving-certificate'])

/** How each check went. Source: https://kubernetes.io/docs/reference/instrumentation/slis/ */
async function slis(endpoints: Record<string, Check[]>): Promise<string> {
  const lines: string[] = []
  for (const [type, checks] of Object.entries(endpoints))
    for (const { name, check } of checks)
      lines.push(`kubernetes_healthcheck{name="${name}",type="${type}"} ${(await resultOf(check)) ? 0 : 1}`)
  return [
    '# HELP kubernetes_healthcheck [STABLE] This metric records the result of a single healthcheck.',
    '# TYPE kubernetes_healthcheck gauge',
    ...lines.sort(),
    '',
  ].join('\n')
}
