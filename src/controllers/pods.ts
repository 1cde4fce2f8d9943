import { type core, findCondition, isPodTerminal, parseTime } from '../api/index.ts'

/** Not finished, but on its way out. */
export const isPodTerminating = (pod: core.Pod): boolean => !isPodTerminal(pod) && !!pod.metadata.deletionTimestamp

/** Milliseconds until the pod has been ready for `minReadySeconds`: 0 or less when it has, undefined when it is not ready. */
export function untilAvailable(pod: core.Pod, minReadySeconds: number, now: number): number | undefined {
  const ready = findCondition(pod.status.conditions, 'Ready')
  if (ready?.status !== 'True') return undefined
  if (minReadySeconds === 0) return 0
  if (!ready.lastTransitionTime) return undefined
  return parseTime(ready.lastTransitionTime) + minReadySeconds * 1000 - now
}

/** An index of pods by the node that they are bound to; unbound ones are under ''. */
export const BY_NODE = 'node'
export const nodeIndex = (pod: core.Pod): string[] => [pod.spec.nodeName ?? '']
