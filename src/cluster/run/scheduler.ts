import { startScheduler } from '../../scheduler/index.ts'
import { connectWith, runAsProcess, withClient } from './process.ts'

/** The flags of kube-scheduler, in camel case. */
export interface SchedulerFlags {
  kubeconfig: string
  leaderElect: boolean
  bindAddress: string
  securePort: number
}

export function runScheduler(flags: SchedulerFlags): Promise<void> {
  const health = { host: flags.bindAddress, port: flags.securePort }
  return runAsProcess('scheduler', health, async context => {
    const client = await connectWith(flags.kubeconfig, 'scheduler', context)
    return withClient(await startScheduler({ client, leaderElect: flags.leaderElect, ...context }), client)
  })
}
