import { type core, formatTime, isPodTerminal, type Resource, resources, withCondition } from '../api/index.ts'
import type { Component } from '../base/index.ts'
import { keyOf, refOf, startController } from '../client/index.ts'
import type { Context } from './context.ts'
import { found } from './found.ts'
import { BY_NODE, nodeIndex } from './pods.ts'

/** Upstream's --terminated-pod-gc-threshold. */
const MOST_TERMINATED = 12_500
/** Milliseconds; a node that is missing may only be late. Upstream's quarantineTime. */
const QUARANTINE = 40_000
/** Milliseconds between a cause to collect terminated pods and doing it. Upstream's gcCheckPeriod. */
const PERIOD = 20_000

/** The one key for terminated pods; every other key is a pod's. */
const TERMINATED = 'terminated'

/**
 * Removes pods that nobody else will: those of nodes that are gone, those that were deleted before they had a node,
 * and finished ones beyond a number.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
 */
export function startPodGarbageCollector({ client, informers, clock, log }: Context): Component {
  const pods = informers.get(resources.pods)
  const nodes = informers.get(resources.nodes)
  pods.addIndex(BY_NODE, nodeIndex)
  pods.addIndex(TERMINATED, pod => (isPodTerminal(pod) ? [TERMINATED] : []))

  const controller = startController({
    name: 'pod-garbage-collector',
    workers: 1,
    sources: [],
    needs: [pods, nodes],
    reconcile,
    clock,
    log,
  })

  const nodeExists = (pod: core.Pod) => nodes.lister.get({ name: pod.spec.nodeName ?? '' }) !== undefined

  function consider(pod: core.Pod): void {
    if (pod.spec.nodeName ? !nodeExists(pod) : pod.metadata.deletionTimestamp)
      controller.enqueue(keyOf(pod), QUARANTINE)
    const terminated = isPodTerminal(pod) && pods.lister.byIndex(TERMINATED, TERMINATED).length > MOST_TERMINATED
    if (terminated) controller.enqueue(TERMINATED, PERIOD)
  }

  const endPods = pods.addHandlers({ add: consider, update: (_old, pod) => consider(pod) })
  const endNodes = nodes.addHandlers({
    delete({ metadata }) {
      for (const pod of pods.lister.byIndex(BY_NODE, metadata.name)) controller.enqueue(keyOf(pod), QUARANTINE)
    },
  })

  async function reconcile(key: string): Promise<void> {
    if (key === TERMINATED) return await removeTerminated()
    const pod = pods.lister.getByKey(key)
    if (!pod) return
    if (!pod.spec.nodeName) {
      if (pod.metadata.deletionTimestamp) await remove(pod)
    } else if (!nodeExists(pod) && !(await found(client.get(resources.nodes, { name: pod.spec.nodeName })))) {
      await markFailed(pod)
      await remove(pod)
    }
  }

  async function removeTerminated(): Promise<void> {
    const terminated = pods.lister.byIndex(TERMINATED, TERMINATED)
    const surplus = terminated.length - MOST_TERMINATED
    if (surplus <= 0) return
    const oldest = terminated.sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1))
    for (const pod of oldest.slice(0, surplus)) await remove(pod)
  }

  /** Whoever counts failures must not take the pod for one that still runs. */
  async function markFailed(pod: core.Pod): Promise<void> {
    if (isPodTerminal(pod)) return
    const condition: core.PodCondition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
      lastTransitionTime: formatTime(clock.now()),
    }
    const status = { phase: 'Failed', conditions: withCondition(pod.status.conditions, condition) }
    const body = { metadata: { uid: pod.metadata.uid }, status }
    await found(client.patch(resources.pods, refOf(keyOf(pod)), { type: 'strategic', body }, { subresource: 'status' }))
  }

  async function remove(pod: core.Pod): Promise<void> {
    const { uid } = pod.metadata
    await found(
      client.delete(resources.pods as Resource, pod.metadata, { gracePeriodSeconds: 0, preconditions: { uid } }),
    )
  }

  return {
    async stop() {
      endPods()
      endNodes()
      await controller.stop()
    },
  }
}
