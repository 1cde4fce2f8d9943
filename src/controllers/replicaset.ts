import { isDeepStrictEqual } from 'node:util'
import {
  type apps,
  type core,
  formatTime,
  is,
  isPodActive,
  isPodReady,
  type KubeObject,
  LabelSelector,
  type Resource,
  resources,
} from '../api/index.ts'
import type { Component } from '../base/index.ts'
import { type Controller, Expectations, from, keyOf, startController } from '../client/index.ts'
import { withoutCondition, withWorkloadCondition } from './conditions.ts'
import { type Context, recorderOf } from './context.ts'
import { BY_CONTROLLER, claim, controllerIndex, controllerOf, controllerReference, orphansOf } from './owners.ts'
import { inDeletionOrder } from './pod-ranking.ts'
import { isPodTerminating, untilAvailable } from './pods.ts'

/** So many pods are created or deleted for one object before the others have their turn. */
const BURST = 500

/** A ReplicaSet, or a ReplicationController seen as one. */
interface Replicas extends KubeObject {
  spec: { replicas?: number; minReadySeconds?: number; template?: core.PodTemplateSpec }
  status: apps.ReplicaSetStatus
}

/** How the two kinds differ. */
interface ReplicasKind<T extends Replicas> {
  controller: string
  type: Resource<T>
  selector(object: T): LabelSelector
  countsTerminating: boolean
}

/**
 * Keeps the wanted number of pods of each ReplicaSet.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
 */
export const startReplicaSetController = (context: Context): Component =>
  startReplicasController<apps.ReplicaSet>(context, {
    controller: 'replicaset-controller',
    type: resources.replicaSets,
    selector: ({ spec }) => LabelSelector.of(spec.selector),
    countsTerminating: true,
  })

/** Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/ */
export const startReplicationController = (context: Context): Component =>
  startReplicasController<core.ReplicationController>(context, {
    controller: 'replication-controller',
    type: resources.replicationControllers,
    selector: ({ spec }) => (spec.selector ? LabelSelector.ofLabels(spec.selector) : LabelSelector.nothing),
    countsTerminating: false,
  })

function startReplicasController<T extends Replicas>(context: Context, kind: ReplicasKind<T>): Component {
  const { client, informers, clock, log } = context
  const owners = informers.get(kind.type)
  const pods = informers.get(resources.pods)
  pods.addIndex(BY_CONTROLLER, controllerIndex)
  const recorder = recorderOf(context, kind.controller)
  const expectations = new Expectations(clock)

  const ownerKey = (pod: core.Pod): string | undefined => {
    const controller = controllerOf(pod)
    if (controller?.kind !== kind.type.kind) return undefined
    return `${pod.metadata.namespace}/${controller.name}`
  }

  /** An orphan concerns every owner that could adopt it. */
  const keysOf = (pod: core.Pod): string[] => {
    if (controllerOf(pod)) return [ownerKey(pod) ?? []].flat()
    const inNamespace = owners.lister.list(pod.metadata.namespace)
    return inNamespace.filter(owner => kind.selector(owner).matches(pod.metadata.labels)).map(keyOf)
  }

  const observeDeletion = (pod: core.Pod) => {
    const key = ownerKey(pod)
    if (key) expectations.deletionObserved(key, keyOf(pod))
  }
  // Before the key is looked at, what its owner waits for must be known to have come.
  const endObservation = pods.addHandlers({
    add(pod) {
      const key = ownerKey(pod)
      if (key) expectations.creationObserved(key)
      if (pod.metadata.deletionTimestamp) observeDeletion(pod)
    },
    update(_old, pod) {
      if (pod.metadata.deletionTimestamp) observeDeletion(pod)
    },
    delete: observeDeletion,
  })

  const controller: Controller = startController({
    name: kind.controller.replace(/-controller$/, ''),
    sources: [from(owners), from(pods, keysOf)],
    reconcile,
    clock,
    log,
  })

  async function reconcile(key: string) {
    const owner = owners.lister.getByKey(key)
    if (!owner) {
      expectations.forget(key)
      return
    }
    const selector = kind.selector(owner)
    const controlled = pods.lister.byIndex(BY_CONTROLLER, owner.metadata.uid)
    const orphans = pods.lister.byIndex(BY_CONTROLLER, orphansOf(owner.metadata.namespace)).filter(isPodActive)
    const claimed = await claim({
      client,
      owner,
      ownerType: kind.type,
      selector,
      objectType: resources.pods,
      candidates: [...controlled.filter(isPodActive), ...orphans],
    })
    let failure: ScalingError | undefined
    if (!owner.metadata.deletionTimestamp && expectations.satisfied(key)) failure = await scale(key, owner, claimed)
    const status = statusOf(owner, claimed, controlled.filter(isPodTerminating).length, failure)
    if (!isDeepStrictEqual(status, owner.status)) {
      await client.update(kind.type, { ...owner, status }, { subresource: 'status' })
    }
    if (failure) throw failure
    return nextAvailable(owner, claimed)
  }

  /** Creates or deletes pods until there are as many as wanted; what went wrong is returned, since the status tells it. */
  async function scale(key: string, owner: T, active: core.Pod[]): Promise<ScalingError | undefined> {
    const missing = (owner.spec.replicas ?? 1) - active.length
    try {
      if (missing > 0) await createPods(key, owner, Math.min(missing, BURST))
      if (missing < 0) await deletePods(key, owner, active, Math.min(-missing, BURST))
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return new ScalingError(missing > 0 ? 'FailedCreate' : 'FailedDelete', message)
    }
  }

  async function createPods(key: string, owner: T, count: number): Promise<void> {
    expectations.expectCreations(key, count)
    const done = await inGrowingBatches(count, () => createPod(key, owner))
    for (let skipped = count - done.started; skipped > 0; skipped--) expectations.creationObserved(key)
    if (done.error) throw done.error
  }

  async function createPod(key: string, owner: T): Promise<void> {
    const { template } = owner.spec
    const { labels, annotations, finalizers } = template?.metadata ?? {}
    const { name, namespace } = owner.metadata
    const ownerReferences = [controllerReference(owner, kind.type as Resource)]
    const metadata = { namespace, generateName: `${name}-`, labels, annotations, finalizers, ownerReferences }
    try {
      const pod = await client.create<core.Pod>(resources.pods, { metadata, spec: template?.spec })
      recorder.normal(owner, 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
    } catch (error) {
      expectations.creationObserved(key)
      // What is created in a namespace that goes away would go at once.
      if (isTerminatingNamespace(error)) return
      recorder.warning(owner, 'FailedCreate', `Error creating: ${(error as Error).message}`)
      throw error
    }
  }

  async function deletePods(key: string, owner: T, active: core.Pod[], count: number): Promise<void> {
    const surplus = count < active.length ? inDeletionOrder(active, neighboursOf(owner), clock.now()) : active
    const doomed = surplus.slice(0, count)
    expectations.expectDeletions(key, doomed.map(keyOf))
    const results = await Promise.allSettled(doomed.map(pod => deletePod(key, owner, pod)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  async function deletePod(key: string, owner: T, pod: core.Pod): Promise<void> {
    try {
      await client.delete(resources.pods, pod.metadata, { preconditions: { uid: pod.metadata.uid } })
      recorder.normal(owner, 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
    } catch (error) {
      expectations.deletionObserved(key, keyOf(pod))
      if (is(error, 'NotFound')) return
      recorder.warning(owner, 'FailedDelete', `Error deleting: ${(error as Error).message}`)
      throw error
    }
  }

  /** How many active pods of the same workload are on a pod's node: those of all ReplicaSets of one Deployment count. */
  function neighboursOf(owner: T): (pod: core.Pod) => number {
    const parent = controllerOf(owner)?.uid
    const family = parent
      ? owners.lister.list(owner.metadata.namespace).filter(other => controllerOf(other)?.uid === parent)
      : [owner]
    const counts = new Map<string, number>()
    for (const { metadata } of family) {
      for (const pod of pods.lister.byIndex(BY_CONTROLLER, metadata.uid).filter(isPodActive)) {
        const node = pod.spec.nodeName ?? ''
        counts.set(node, (counts.get(node) ?? 0) + 1)
      }
    }
    return pod => counts.get(pod.spec.nodeName ?? '') ?? 0
  }

  function statusOf(owner: T, active: core.Pod[], terminating: number, failure?: ScalingError): apps.ReplicaSetStatus {
    const { spec, metadata } = owner
    const templateLabels = Object.entries(spec.template?.metadata.labels ?? {})
    const carriesAll = ({ metadata: { labels } }: core.Pod) => templateLabels.every(([k, v]) => labels?.[k] === v)
    const now = clock.now()
    const isAvailable = (pod: core.Pod) => (untilAvailable(pod, spec.minReadySeconds ?? 0, now) ?? 1) <= 0
    const conditions = failure
      ? withWorkloadCondition(owner.status.conditions, failureCondition(failure, now))
      : withoutCondition(owner.status.conditions, 'ReplicaFailure')
    return withoutZeros({
      replicas: active.length,
      fullyLabeledReplicas: active.filter(carriesAll).length,
      readyReplicas: active.filter(isPodReady).length,
      availableReplicas: active.filter(isAvailable).length,
      ...(kind.countsTerminating ? { terminatingReplicas: terminating } : {}),
      observedGeneration: metadata.generation,
      ...(conditions.length ? { conditions } : {}),
    })
  }

  /** When the next ready pod will have been ready for long enough. */
  function nextAvailable(owner: T, active: core.Pod[]): { after: number } | undefined {
    const minReadySeconds = owner.spec.minReadySeconds ?? 0
    if (minReadySeconds === 0) return undefined
    const waits = active.map(pod => untilAvailable(pod, minReadySeconds, clock.now()) ?? 0).filter(wait => wait > 0)
    return waits.length ? { after: Math.min(...waits) } : undefined
  }

  return {
    async stop() {
      endObservation()
      await controller.stop()
      await recorder.stop()
    },
  }
}

class ScalingError extends Error {
  readonly reason: string
  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

const failureCondition = ({ reason, message }: ScalingError, now: number): apps.ReplicaSetCondition => ({
  type: 'ReplicaFailure',
  status: 'True',
  lastTransitionTime: formatTime(now),
  reason,
  message,
})

/** Counts that Go's encoder leaves out when they are zero. */
function withoutZeros(status: apps.ReplicaSetStatus): apps.ReplicaSetStatus {
  for (const count of ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    if (status[count] === 0) delete status[count]
  }
  return status
}

const isTerminatingNamespace = (error: unknown): boolean =>
  is(error, 'Forbidden') && !!error.status.details?.causes?.some(cause => cause.reason === 'NamespaceTerminating')

/**
 * Runs `make` `count` times in batches of 1, 2, 4, ... and stops after a batch with a failure, so that what cannot
 * succeed (a quota that is used up) is not tried hundreds of times.
 */
async function inGrowingBatches(
  count: number,
  make: () => Promise<void>,
): Promise<{ started: number; error?: unknown }> {
  let started = 0
  for (let size = 1; started < count; size *= 2) {
    const batch = Math.min(size, count - started)
    started += batch
    const results = await Promise.allSettled(Array.from({ length: batch }, make))
    const failed = results.find(result => result.status === 'rejected')
    if (failed) return { started, error: failed.reason }
  }
  return { started }
}
