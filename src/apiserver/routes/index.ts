import { version } from '../version.ts'
import type { Handler } from '../pipeline/context.ts'
import { json, text } from '../pipeline/respond.ts'
import type { RequestMetrics } from '../metrics.ts'
import { type Check, healthHandler } from './health.ts'

export interface RouteOptions {
  live: Check[]
  /** What must hold besides before clients are sent here. */
  ready: Check[]
  metrics: RequestMetrics
  /** Further handlers, by their exact paths. */
  exact: Record<string, Handler>
}

/** What the server answers that is not a resource, by path. */
export function createRoutes({ live, ready, metrics, exact: given }: RouteOptions): (path: string) => Handler | undefined {
  const health: Record<string, Handler> = {
    healthz: healthHandler('healthz', live),
    livez: healthHandler('livez', live),
    readyz: healthHandler('readyz', [...live, ...ready]),
  }
  const exact: Record<string, Handler> = {
    ...given,
    '/version': () => json(200, version),
    '/metrics': async () => text(200, await metrics.text(), 'text/plain; version=0.0.4; charset=utf-8'),
  }
  return path => exact[path.length > 1 ? path.replace(/\/$/, '') : path] ?? health[path.split('/', 2)[1]!]
}
