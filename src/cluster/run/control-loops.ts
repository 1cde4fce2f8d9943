import { type ControllerManagerFlags, controllerManager } from './controller-manager.ts'
import { runAsProcess } from './process.ts'
import { scheduler } from './scheduler.ts'

export interface ControlLoopsFlags extends ControllerManagerFlags {
  schedulerKubeconfig: string
  schedulerSecurePort: number
}

/** Controller manager and scheduler in one process, each with an identity and a health port of its own. */
export const runControlLoops = (flags: ControlLoopsFlags) =>
  runAsProcess(
    controllerManager(flags),
    scheduler({ ...flags, kubeconfig: flags.schedulerKubeconfig, securePort: flags.schedulerSecurePort }),
  )
