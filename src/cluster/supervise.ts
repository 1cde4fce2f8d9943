import { systemClock } from '../base/index.ts'
import { createLogger } from './logger.ts'
import { stopPods } from './pods.ts'
import { programs } from './programs.ts'
import { findCluster } from './settings.ts'
import { startSupervisor } from './supervisor.ts'

export interface SuperviseOptions {
  name: string
  dataDir: string
  entry: string[]
}

/** The process behind `up`: runs until it gets SIGTERM. */
export async function supervise({ name, dataDir, entry }: SuperviseOptions): Promise<void> {
  const cluster = findCluster(name, dataDir)
  if (!cluster) throw new Error(`there is no cluster in ${dataDir}; \`k8ts up\` makes one`)
  const { settings, paths } = cluster
  const log = createLogger('supervisor')
  const supervisor = startSupervisor({
    programs: programs(settings, paths, entry),
    paths,
    beforeLast: () => stopPods(paths, systemClock, log),
    clock: systemClock,
    log,
  })
  const stop = () => void supervisor.stop().then(() => process.exit(0))
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
