import { closeSync, readFileSync, writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import {
  type Clock,
  type Component,
  type Logger,
  type Random,
  serveHealth,
  systemClock,
  systemRandom,
} from '../../base/index.ts'
import { type Client, connect, loadKubeconfig } from '../../client/index.ts'
import { createLogger } from '../logger.ts'

/** What every component is handed. */
export interface Context {
  clock: Clock
  random: Random
  log: Logger
}

/** Where /healthz, /livez, /readyz and /metrics are answered. */
export interface HealthAddress {
  host?: string
  port: number
}

/** A component that does not stop by itself is cut off. */
const LONGEST_STOP = 8_000

/** One component of a process. */
export interface Part {
  name: string
  health?: HealthAddress
  start(context: Context): Promise<Component>
}

/**
 * Runs components as this process: log on stderr, health on each one's port, a line on the descriptor in K8TS_READY_FD once
 * all of them run, and an orderly end on SIGTERM or SIGINT. Returns when they run.
 */
export async function runAsProcess(...parts: Part[]): Promise<void> {
  const log = createLogger(parts.map(part => part.name).join('+'))
  process.on('uncaughtException', error => {
    log.error({ error }, 'uncaught exception')
    process.exit(1)
  })
  const running = await Promise.all(parts.map(startPart))
  sayReady()
  stopOnSignal(running.flat(), log)
  // By itself Node would keep what it compiled only at an orderly end, which is long off.
  flushCompileCache()
}

async function startPart({ name, health, start }: Part): Promise<Component[]> {
  const component = await start({ clock: systemClock, random: systemRandom, log: createLogger(name) })
  if (!health?.port) return [component]
  return [component, await serveHealth({ ...health, metrics: processMetrics })]
}

/** By their programs' names upstream, which managedFields and audit logs show. */
const PROGRAM_NAMES: Record<string, string> = {
  'controller-manager': 'kube-controller-manager',
  scheduler: 'kube-scheduler',
  kubelet: 'kubelet',
  proxy: 'kube-proxy',
}

export async function connectWith(
  kubeconfig: string,
  component: string,
  { clock, random, log }: Context,
): Promise<Client> {
  const userAgent = PROGRAM_NAMES[component] ?? `k8ts-${component}`
  return connect({ ...(await loadKubeconfig(kubeconfig)), userAgent, clock, random, log })
}

/** Stops `component`, then the client that it used. */
export const withClient = (component: Component, ...clients: Client[]): Component => ({
  async stop() {
    await component.stop()
    await Promise.all(clients.map(client => client.close()))
  },
})

function stopOnSignal(parts: Component[], log: Logger): void {
  let stopping = false
  async function stop(signal: string) {
    if (stopping) return
    stopping = true
    log.info({ signal }, 'stopping')
    setTimeout(() => {
      log.warn({}, 'did not stop in time')
      process.exit(1)
    }, LONGEST_STOP).unref()
    await Promise.allSettled(parts.map(part => part.stop()))
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

/** As s6 does it: the starter gave a descriptor that waits for one line. */
function sayReady(): void {
  const descriptor = Number(process.env.K8TS_READY_FD)
  delete process.env.K8TS_READY_FD
  if (!descriptor) return
  try {
    writeSync(descriptor, '\n')
    closeSync(descriptor)
  } catch {
    // The starter is gone; the component still has its work to do.
  }
}

/** The process figures under the names that Prometheus' own clients use. */
function processMetrics(): string {
  const { rss, heapUsed, heapTotal } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const figures = {
    process_cpu_seconds_total: ['counter', (user + system) / 1e6],
    process_resident_memory_bytes: ['gauge', rss],
    nodejs_heap_size_used_bytes: ['gauge', heapUsed],
    nodejs_heap_size_total_bytes: ['gauge', heapTotal],
    process_start_time_seconds: ['gauge', (performance.timeOrigin / 1000).toFixed(3)],
  }
  return Object.entries(figures)
    .map(([name, [type, value]]) => `# TYPE ${name} ${type}\n${name} ${value}\n`)
    .join('')
}

export const readPem = (path: string): string => readFileSync(path, 'utf8')
