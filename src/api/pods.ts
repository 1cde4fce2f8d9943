import { isConditionTrue } from './conditions.ts'
import type { core } from './types/index.ts'

/** Whether the pod serves: its Ready condition is true. */
export const isPodReady = (pod: core.Pod): boolean => isConditionTrue(pod.status.conditions, 'Ready')

/** Whether none of its containers will ever run again. */
export const isPodTerminal = (pod: core.Pod): boolean =>
  pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'

/** Whether it runs or is still to run: neither terminal nor being deleted. */
export const isPodActive = (pod: core.Pod): boolean => !isPodTerminal(pod) && !pod.metadata.deletionTimestamp

/** Whether an init container keeps running beside the others. Source: KEP-753 */
export const isSidecar = (container: core.Container): boolean => container.restartPolicy === 'Always'
