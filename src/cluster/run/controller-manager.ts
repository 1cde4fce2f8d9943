import { startControllerManager } from '../../controllers/index.ts'
import { connectWith, type Part, readPem, runAsProcess, withClient } from './process.ts'

/** The flags of kube-controller-manager, in camel case. */
export interface ControllerManagerFlags {
  kubeconfig: string
  clusterCidr: string
  nodeCidrMaskSize: number
  rootCaFile: string
  leaderElect: boolean
  bindAddress: string
  securePort: number
}

export const controllerManager = (flags: ControllerManagerFlags): Part => ({
  name: 'controller-manager',
  health: { host: flags.bindAddress, port: flags.securePort },
  async start(context) {
    const client = await connectWith(flags.kubeconfig, 'controller-manager', context)
    const manager = await startControllerManager({
      client,
      clusterCidr: flags.clusterCidr,
      nodeCidrMaskSize: flags.nodeCidrMaskSize,
      rootCa: readPem(flags.rootCaFile),
      leaderElect: flags.leaderElect,
      ...context,
    })
    return withClient(manager, client)
  },
})

export const runControllerManager = (flags: ControllerManagerFlags) => runAsProcess(controllerManager(flags))
