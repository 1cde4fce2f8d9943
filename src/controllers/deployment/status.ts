import { type apps, findCondition, formatTime, parseTime } from '../../api/index.ts'
import { withoutCondition, withWorkloadCondition } from '../conditions.ts'
import { desired, limitsOf, sum, sumDesired } from './replicas.ts'

export function makeCondition(
  type: string,
  status: 'True' | 'False' | 'Unknown',
  reason: string,
  message: string,
  now: number,
): apps.DeploymentCondition {
  const time = formatTime(now)
  return { type, status, lastUpdateTime: time, lastTransitionTime: time, reason, message }
}

export function setCondition(status: apps.DeploymentStatus, condition: apps.DeploymentCondition): void {
  status.conditions = withWorkloadCondition(status.conditions, condition)
}

/** The counts, and whether enough pods are available. */
export function countedStatus(
  deployment: apps.Deployment,
  all: apps.ReplicaSet[],
  newReplicaSet: apps.ReplicaSet | undefined,
  now: number,
): apps.DeploymentStatus {
  const available = sum(all, ({ status }) => status.availableReplicas)
  const { collisionCount, conditions } = deployment.status
  const counts = {
    replicas: sum(all, ({ status }) => status.replicas),
    updatedReplicas: newReplicaSet?.status.replicas ?? 0,
    readyReplicas: sum(all, ({ status }) => status.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sumDesired(all) - available),
  }
  const status: apps.DeploymentStatus = {
    observedGeneration: deployment.metadata.generation,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    terminatingReplicas: sum(all, ({ status }) => status.terminatingReplicas),
    ...(conditions ? { conditions } : {}),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  }
  const enough = available >= desired(deployment) - limitsOf(deployment).maxUnavailable
  setCondition(
    status,
    enough
      ? makeCondition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', now)
      : makeCondition(
          'Available',
          'False',
          'MinimumReplicasUnavailable',
          'Deployment does not have minimum availability.',
          now,
        ),
  )
  return status
}

/** Whether every wanted pod is of the new template and available, and no other pod is left. */
export const isComplete = (deployment: apps.Deployment, status: apps.DeploymentStatus): boolean =>
  (status.updatedReplicas ?? 0) === desired(deployment) &&
  (status.replicas ?? 0) === desired(deployment) &&
  (status.availableReplicas ?? 0) === desired(deployment) &&
  (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)

const oldCount = ({ replicas = 0, updatedReplicas = 0 }: apps.DeploymentStatus) => replicas - updatedReplicas

const isProgressing = (before: apps.DeploymentStatus, after: apps.DeploymentStatus): boolean =>
  (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
  oldCount(after) < oldCount(before) ||
  (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
  (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)

/** Upstream takes the greatest integer for "no deadline". */
const NO_DEADLINE = 2 ** 31 - 1

export const hasProgressDeadline = ({ spec }: apps.Deployment): boolean =>
  spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== NO_DEADLINE

/** Milliseconds until a rollout that does not move counts as stuck; undefined when none can. */
export function untilStuck(
  deployment: apps.Deployment,
  status: apps.DeploymentStatus,
  now: number,
): number | undefined {
  const progressing = findCondition(status.conditions, 'Progressing')
  if (!hasProgressDeadline(deployment) || !progressing?.lastUpdateTime) return undefined
  if (progressing.reason === 'NewReplicaSetAvailable' || progressing.reason === 'ProgressDeadlineExceeded')
    return undefined
  if (isComplete(deployment, status)) return undefined
  return parseTime(progressing.lastUpdateTime) + deployment.spec.progressDeadlineSeconds! * 1000 - now
}

/** What the Progressing condition says of a rollout. Source: deployment docs, "Deployment status" */
export function setProgress(
  deployment: apps.Deployment,
  status: apps.DeploymentStatus,
  newReplicaSet: apps.ReplicaSet | undefined,
  now: number,
): void {
  if (!hasProgressDeadline(deployment)) {
    status.conditions = withoutCondition(status.conditions, 'Progressing')
    return
  }
  const current = findCondition(deployment.status.conditions, 'Progressing')
  const isDone =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable'
  if (isDone) return
  const subject = newReplicaSet
    ? `ReplicaSet "${newReplicaSet.metadata.name}"`
    : `Deployment "${deployment.metadata.name}"`
  if (isComplete(deployment, status)) {
    const message = `${subject} has successfully progressed.`
    setCondition(status, makeCondition('Progressing', 'True', 'NewReplicaSetAvailable', message, now))
  } else if (isProgressing(deployment.status, status)) {
    const moved = makeCondition('Progressing', 'True', 'ReplicaSetUpdated', `${subject} is progressing.`, now)
    // Each step starts the deadline anew, though nothing else of the condition changes.
    if (current?.status === 'True') moved.lastTransitionTime = current.lastTransitionTime
    status.conditions = [...withoutCondition(status.conditions, 'Progressing'), moved]
  } else if ((untilStuck(deployment, status, now) ?? 1) <= 0) {
    const message = `${subject} has timed out progressing.`
    setCondition(status, makeCondition('Progressing', 'False', 'ProgressDeadlineExceeded', message, now))
  }
}

/** A ReplicaSet that cannot make its pods speaks through its Deployment; of several, the new one does. */
export function setFailure(
  status: apps.DeploymentStatus,
  all: apps.ReplicaSet[],
  newReplicaSet: apps.ReplicaSet | undefined,
): void {
  const failureOf = (replicaSet: apps.ReplicaSet | undefined) =>
    findCondition(replicaSet?.status.conditions, 'ReplicaFailure')
  const failure = failureOf(newReplicaSet) ?? all.map(failureOf).find(Boolean)
  if (!failure) {
    status.conditions = withoutCondition(status.conditions, 'ReplicaFailure')
    return
  }
  const { lastTransitionTime, reason, message } = failure
  setCondition(status, {
    type: 'ReplicaFailure',
    status: failure.status,
    lastUpdateTime: lastTransitionTime,
    lastTransitionTime,
    reason,
    message,
  })
}
