import type { core } from '../../api/index.ts'

export const NOT_READY = 'node.kubernetes.io/not-ready'
export const UNREACHABLE = 'node.kubernetes.io/unreachable'
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'

/** Which status of which condition means which taint. Source: k8s.io/kubernetes/pkg/controller/nodelifecycle */
const CONDITION_TAINTS: Record<string, Record<string, string>> = {
  Ready: { False: NOT_READY, Unknown: UNREACHABLE },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
}

/** The taints that are set and taken away here; all others are somebody else's. */
const OURS = new Set([UNSCHEDULABLE, ...Object.values(CONDITION_TAINTS).flatMap(taints => Object.values(taints))])

const isOurs = ({ key, effect }: core.Taint): boolean =>
  OURS.has(key) && (effect === 'NoSchedule' || (effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE)))

/**
 * The taints that a node in this state has. `evict` also drives away the pods of a node that is not ready.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-nodes-by-condition
 */
export function taintsFor(node: core.Node, evict: boolean, time: string): core.Taint[] {
  const wanted: Omit<core.Taint, 'timeAdded'>[] = []
  for (const { type, status } of node.status.conditions ?? []) {
    const key = CONDITION_TAINTS[type]?.[status]
    if (!key) continue
    wanted.push({ key, effect: 'NoSchedule' })
    if (type === 'Ready' && evict) wanted.push({ key, effect: 'NoExecute' })
  }
  if (node.spec.unschedulable) wanted.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' })
  const current = node.spec.taints ?? []
  const alike = (a: Pick<core.Taint, 'key' | 'effect'>) => (b: Pick<core.Taint, 'key' | 'effect'>) =>
    a.key === b.key && a.effect === b.effect
  const kept = current.filter(taint => !isOurs(taint) || wanted.some(alike(taint)))
  const added = wanted.filter(taint => !current.some(alike(taint))).map(taint => ({ ...taint, timeAdded: time }))
  return added.length === 0 && kept.length === current.length ? current : [...kept, ...added]
}
