import { type core, parseTime } from '../api/index.ts'

export const podCondition = (pod: core.Pod, type: string): core.PodCondition | undefined =>
  pod.status.conditions?.find(condition => condition.type === type)

export const isPodReady = (pod: core.Pod): boolean => podCondition(pod, 'Ready')?.status === 'True'

export const isPodTerminal = (pod: core.Pod): boolean =>
  pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'

/** Neither finished nor on its way out. */
export const isPodActive = (pod: core.Pod): boolean => !isPodTerminal(pod) && !pod.metadata.deletionTimestamp

export const isPodTerminating = (pod: core.Pod): boolean => !isPodTerminal(pod) && !!pod.metadata.deletionTimestamp

/** Milliseconds until the pod has been ready for `minReadySeconds`: 0 or less when it has, undefined when it is not ready. */
export function untilAvailable(pod: core.Pod, minReadySeconds: number, now: number): number | undefined {
  const ready = podCondition(pod, 'Ready')
  if (ready?.status !== 'True') return undefined
  if (minReadySeconds === 0) return 0
  if (!ready.lastTransitionTime) return undefined
  return parseTime(ready.lastTransitionTime) + minReadySeconds * 1000 - now
}

/** An index of pods by the node that they are bound to; unbound ones are under ''. */
export const BY_NODE = 'node'
export const nodeIndex = (pod: core.Pod): string[] => [pod.spec.nodeName ?? '']
