import { startScheduler } from '../../scheduler/index.ts'
import { connectWith, type Part, runAsProcess, withClient } from './process.ts'

/** The flags of kube-scheduler, in camel case. */
export interface SchedulerFlags {
  kubeconfig: string
  leaderElect: boolean
  bindAddress: string
  securePort: number
}

export const scheduler = (flags: SchedulerFlags): Part => ({
  name: 'scheduler',
  health: { host: flags.bindAddress, port: flags.securePort },
  async start(context) {
    const client = await connectWith(flags.kubeconfig, 'scheduler', context)
    return withClient(await startScheduler({ client, leaderElect: flags.leaderElect, ...context }), client)
  },
})

export const runScheduler = (flags: SchedulerFlags) => runAsProcess(scheduler(flags))
