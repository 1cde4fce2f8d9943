import { type core, findCondition, isPodReady, parseTime } from '../api/index.ts'

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'

/** Least started first. */
const PHASES = ['Pending', 'Unknown', 'Running']

/**
 * The order in which pods are given up when there are too many: first those that serve least and whose end loses least.
 * `neighbours` says how many pods of the same workload share the pod's node.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset
 */
export function inDeletionOrder(pods: core.Pod[], neighbours: (pod: core.Pod) => number, now: number): core.Pod[] {
  const ranked = pods.map(pod => ({ pod, rank: rankOf(pod, neighbours(pod), now) }))
  return ranked
    .sort((a, b) => compare(a.rank, b.rank) || (a.pod.metadata.uid < b.pod.metadata.uid ? -1 : 1))
    .map(({ pod }) => pod)
}

/** Numbers that decide one after another; the lower goes first. */
function rankOf(pod: core.Pod, neighbours: number, now: number): number[] {
  const ready = isPodReady(pod)
  return [
    pod.spec.nodeName ? 1 : 0,
    PHASES.indexOf(pod.status.phase ?? 'Pending'),
    ready ? 1 : 0,
    deletionCost(pod),
    -neighbours,
    ready ? ageRank(findCondition(pod.status.conditions, 'Ready')?.lastTransitionTime, now) : 0,
    -restarts(pod),
    ageRank(pod.metadata.creationTimestamp, now),
  ]
}

function compare(a: number[], b: number[]): number {
  for (const [index, rank] of a.entries()) if (rank !== b[index]) return rank - b[index]!
  return 0
}

/** Ages count by their order of magnitude only, so that among pods of about the same age chance decides. */
function ageRank(since: string | undefined, now: number): number {
  const age = since ? now - parseTime(since) : 0
  return age <= 0 ? -1 : Math.floor(Math.log2(age * 1e6))
}

function deletionCost(pod: core.Pod): number {
  const cost = Number(pod.metadata.annotations?.[DELETION_COST] ?? 0)
  return Number.isInteger(cost) ? cost : 0
}

const restarts = (pod: core.Pod): number =>
  Math.max(0, ...(pod.status.containerStatuses ?? []).map(status => status.restartCount))
