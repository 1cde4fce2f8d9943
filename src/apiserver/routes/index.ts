import type { RequestMetrics } from '../metrics.ts'
import type { Handler } from '../pipeline/context.ts'
import { json, text } from '../pipeline/respond.ts'
import { version } from '../version.ts'
import { type Check, healthHandler } from './health.ts'

export interface RouteOptions {
  live: Check[]
  /** What must hold besides before clients are sent here. */
  ready: Check[]
  metrics: RequestMetrics
  /** Further handlers, by their exact paths. */
  exact: Record<string, Handler>
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
}: RouteOptions): (path: string) => Handler | undefined {
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
  return path => {
    const found = exact[path.length > 1 ? path.replace(/\/$/, '') : path] ?? health[path.split('/', 2)[1]!]
    if (found) return found
    for (const route of further) {
      const handler = route(path)
      if (handler) return handler
    }
    return undefined
  }
}
