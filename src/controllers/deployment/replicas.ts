import type { apps } from '../../api/index.ts'

/** How many pods a rollout may have beyond, and miss from, the wanted ones. */
export interface Limits {
  maxSurge: number
  maxUnavailable: number
}

export const desired = (object: apps.Deployment | apps.ReplicaSet): number => object.spec.replicas ?? 1

export const sumDesired = (replicaSets: apps.ReplicaSet[]): number => sum(replicaSets, desired)

export const sum = (replicaSets: apps.ReplicaSet[], count: (of: apps.ReplicaSet) => number | undefined): number =>
  replicaSets.reduce((total, each) => total + (count(each) ?? 0), 0)

/**
 * Percentages are of the wanted replicas, surge rounded up and unavailability down; both zero would never move.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
 */
export function limitsOf(deployment: apps.Deployment): Limits {
  const { strategy } = deployment.spec
  if (strategy.type === 'Recreate') return { maxSurge: 0, maxUnavailable: 0 }
  const replicas = desired(deployment)
  const maxSurge = resolve(strategy.rollingUpdate?.maxSurge ?? 0, replicas, Math.ceil)
  const maxUnavailable = resolve(strategy.rollingUpdate?.maxUnavailable ?? 0, replicas, Math.floor)
  return {
    maxSurge,
    maxUnavailable: Math.min(replicas, maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable),
  }
}

const resolve = (value: number | string, total: number, round: (value: number) => number): number =>
  typeof value === 'number' ? value : round((Number.parseInt(value, 10) * total) / 100)

/** How far the new ReplicaSet may grow now. */
export function newReplicas(deployment: apps.Deployment, all: apps.ReplicaSet[], current: number): number {
  const wanted = desired(deployment)
  if (deployment.spec.strategy.type === 'Recreate') return wanted
  const room = wanted + limitsOf(deployment).maxSurge - sumDesired(all)
  return room <= 0 ? current : current + Math.min(room, wanted - current)
}

export interface Scaling {
  replicaSet: apps.ReplicaSet
  replicas: number
}

/**
 * What the old ReplicaSets give up, so that never fewer than wanted minus maxUnavailable pods are available: first pods
 * that are not available anyway, then others, the oldest ReplicaSet first.
 */
export function oldReplicas(
  deployment: apps.Deployment,
  newReplicaSet: apps.ReplicaSet,
  old: apps.ReplicaSet[],
): Scaling[] {
  const all = [...old, newReplicaSet]
  const minAvailable = desired(deployment) - limitsOf(deployment).maxUnavailable
  const available = (replicaSet: apps.ReplicaSet) => replicaSet.status.availableReplicas ?? 0
  const newUnavailable = desired(newReplicaSet) - available(newReplicaSet)
  let surplus = sumDesired(all) - minAvailable - newUnavailable
  if (sumDesired(old) === 0 || surplus <= 0) return []

  const sizes = new Map(old.map(replicaSet => [replicaSet, desired(replicaSet)]))
  for (const replicaSet of old) {
    const unhealthy = desired(replicaSet) - available(replicaSet)
    const fewer = Math.max(0, Math.min(surplus, unhealthy))
    sizes.set(replicaSet, desired(replicaSet) - fewer)
    surplus -= fewer
  }
  let spare = sum(all, available) - minAvailable
  for (const replicaSet of old) {
    const size = sizes.get(replicaSet)!
    const fewer = Math.max(0, Math.min(spare, size))
    sizes.set(replicaSet, size - fewer)
    spare -= fewer
  }
  return changed(sizes)
}

/**
 * A Deployment that is resized while a rollout is under way, or paused, spreads the change over its active ReplicaSets
 * in proportion to their sizes, so that the mix of versions stays as it was.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#proportional-scaling
 */
export function proportionalReplicas(
  deployment: apps.Deployment,
  active: apps.ReplicaSet[],
  maxReplicasBefore: (replicaSet: apps.ReplicaSet) => number,
): Scaling[] {
  const wanted = desired(deployment)
  const allowed = wanted > 0 ? wanted + limitsOf(deployment).maxSurge : 0
  const toAdd = allowed - sumDesired(active)
  let added = 0
  const sizes = new Map<apps.ReplicaSet, number>()
  for (const replicaSet of active) {
    const share = toAdd === 0 ? 0 : shareOf(replicaSet, wanted, allowed, maxReplicasBefore(replicaSet))
    const rest = toAdd - added
    const part = toAdd > 0 ? Math.min(share, rest) : Math.max(share, rest)
    sizes.set(replicaSet, desired(replicaSet) + part)
    added += part
  }
  const [largest] = active
  if (largest) sizes.set(largest, Math.max(0, sizes.get(largest)! + toAdd - added))
  return Array.from(sizes, ([replicaSet, replicas]) => ({ replicaSet, replicas }))
}

function shareOf(replicaSet: apps.ReplicaSet, wanted: number, allowed: number, maxBefore: number): number {
  const size = desired(replicaSet)
  if (size === 0) return 0
  if (wanted === 0) return -size
  return Math.round((size * allowed) / maxBefore) - size
}

const changed = (sizes: Map<apps.ReplicaSet, number>): Scaling[] =>
  Array.from(sizes, ([replicaSet, replicas]) => ({ replicaSet, replicas })).filter(
    ({ replicaSet, replicas }) => replicas !== desired(replicaSet),
  )
