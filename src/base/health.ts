import type { AddressInfo } from 'node:net'
import type { Component } from './component.ts'

export interface HealthOptions {
  /** Default: 127.0.0.1 */
  host?: string
  /** 0 takes a free port. */
  port: number
  /** By name; each resolves when that part is well and rejects with the reason when it is not. */
  checks?: Record<string, () => Promise<void> | void>
  /** The answer of /metrics in the Prometheus text format; without it the path is not served. */
  metrics?: () => Promise<string> | string
}

const HEALTH_PATHS = new Set(['/healthz', '/livez', '/readyz'])

/**
 * Answers /healthz, /livez and /readyz: `ok`, or 500 with one line a check, as upstream's components do.
 * Source: https://kubernetes.io/docs/reference/using-api/health-checks/
 */
export async function serveHealth(options: HealthOptions): Promise<Component & { port: number }> {
  const { host = '127.0.0.1', port, checks = {}, metrics } = options
  // Most processes that import this part serve nothing.
  const { createServer } = await import('node:http')
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (HEALTH_PATHS.has(url.pathname)) {
      const { well, report } = await examine(url.pathname.slice(1), checks)
      const text = well && !url.searchParams.has('verbose') ? 'ok' : report
      response.writeHead(well ? 200 : 500, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text)
    } else if (url.pathname === '/metrics' && metrics) {
      const text = await metrics()
      response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text)
    } else {
      response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('404 page not found\n')
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function examine(path: string, checks: NonNullable<HealthOptions['checks']>) {
  const lines = ['[+]ping ok']
  let well = true
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check()
      lines.push(`[+]${name} ok`)
    } catch (error) {
      well = false
      lines.push(`[-]${name} failed: ${error instanceof Error ? error.message : error}`)
    }
  }
  return { well, report: `${lines.join('\n')}\n${path} check ${well ? 'passed' : 'failed'}\n` }
}
