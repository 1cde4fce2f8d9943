import type { Logger } from '../base/index.ts'

/** JSON lines on stderr. */
export async function createLogger(component: string): Promise<Logger> {
  const { pino } = await import('pino')
  const level = process.env.K8TS_LOG_LEVEL ?? 'info'
  const options = { level, base: { component }, timestamp: () => `,"time":"${new Date().toISOString()}"` }
  // Written at once: what a dying process had to say is not lost.
  const log: Logger = pino(options, pino.destination({ fd: 2, sync: true }))
  return log
}
