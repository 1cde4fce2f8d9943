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

/**
 * How much of one thing the pod takes as a whole, of what each container takes: the larger of all its containers together
 * and of each init container while it runs, beside the sidecars that were started before it.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
export function podTotal({ containers, initContainers = [] }: core.PodSpec, of: (container: core.Container) => number) {
  let sidecars = 0
  let starting = 0
  for (const container of initContainers) {
    const amount = of(container)
    starting = Math.max(starting, sidecars + amount)
    if (isSidecar(container)) sidecars += amount
  }
  return Math.max(
    starting,
    containers.reduce((sum, container) => sum + of(container), sidecars),
  )
}
