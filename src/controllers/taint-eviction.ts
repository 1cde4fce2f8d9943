import { type core, formatTime, isConditionTrue, parseTime, resources } from '../api/index.ts'
import type { Component } from '../base/index.ts'
import { from, startController } from '../client/index.ts'
import { type Context, recorderOf } from './context.ts'
import { found } from './found.ts'
import { BY_NODE, nodeIndex } from './pods.ts'

/**
 * Deletes pods from nodes whose NoExecute taints they do not tolerate, or no longer.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
 */
export function startTaintEvictionController(context: Context): Component {
  const { client, informers, clock, log } = context
  const nodes = informers.get(resources.nodes)
  const pods = informers.get(resources.pods)
  pods.addIndex(BY_NODE, nodeIndex)
  const recorder = recorderOf(context, 'taint-eviction-controller')
  /** Since when a taint without a time is known. */
  const noticed = new Map<string, number>()

  const isTainted = (name: string) => evictingTaints(nodes.lister.getByKey(name)).length > 0

  const controller = startController({
    name: 'taint-eviction',
    workers: 8,
    sources: [
      from(nodes),
      from(pods, ({ spec }) => (spec.nodeName && isTainted(spec.nodeName) ? spec.nodeName : undefined)),
    ],
    reconcile,
    clock,
    log,
  })

  async function reconcile(name: string) {
    const taints = evictingTaints(nodes.lister.getByKey(name))
    if (taints.length === 0) {
      noticed.delete(name)
      return
    }
    const now = clock.now()
    if (!noticed.has(name)) noticed.set(name, now)
    const since = (taint: core.Taint) => (taint.timeAdded ? parseTime(taint.timeAdded) : noticed.get(name)!)
    let next = Number.POSITIVE_INFINITY
    for (const pod of pods.lister.byIndex(BY_NODE, name)) {
      if (pod.metadata.deletionTimestamp) continue
      const end = tolerableUntil(pod, taints, since)
      if (end <= now) await evict(pod)
      else next = Math.min(next, end)
    }
    return next === Number.POSITIVE_INFINITY ? undefined : { after: next - now }
  }

  async function evict(pod: core.Pod): Promise<void> {
    const { namespace, name, uid } = pod.metadata
    recorder.normal(pod, 'TaintManagerEviction', `Marking for deletion Pod ${namespace}/${name}`)
    const condition: core.PodCondition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
      lastTransitionTime: formatTime(clock.now()),
    }
    if (!isConditionTrue(pod.status.conditions, 'DisruptionTarget')) {
      const body = { metadata: { uid }, status: { conditions: [condition] } }
      await found(client.patch(resources.pods, pod.metadata, { type: 'strategic', body }, { subresource: 'status' }))
    }
    await found(client.delete(resources.pods, pod.metadata, { preconditions: { uid } }))
  }

  return {
    async stop() {
      await controller.stop()
      await recorder.stop()
    },
  }
}

const evictingTaints = (node: core.Node | undefined): core.Taint[] =>
  node?.spec.taints?.filter(({ effect }) => effect === 'NoExecute') ?? []

/** Until when the pod puts up with all of the taints, in milliseconds since the epoch; for ever is infinite. */
function tolerableUntil(pod: core.Pod, taints: core.Taint[], since: (taint: core.Taint) => number): number {
  let end = Number.POSITIVE_INFINITY
  for (const taint of taints) {
    const tolerations = (pod.spec.tolerations ?? []).filter(toleration => tolerates(toleration, taint))
    if (tolerations.length === 0) return Number.NEGATIVE_INFINITY
    for (const { tolerationSeconds } of tolerations) {
      if (tolerationSeconds !== undefined) end = Math.min(end, since(taint) + Math.max(0, tolerationSeconds) * 1000)
    }
  }
  return end
}

/** Source: the table of operators in the taints and tolerations page */
function tolerates({ key, operator = 'Equal', value = '', effect }: core.Toleration, taint: core.Taint): boolean {
  if (effect && effect !== taint.effect) return false
  if (key && key !== taint.key) return false
  if (!key && operator !== 'Exists') return false
  switch (operator) {
    case 'Exists':
      return true
    case 'Equal':
      return value === (taint.value ?? '')
    case 'Lt':
      return Number(taint.value) < Number(value)
    case 'Gt':
      return Number(taint.value) > Number(value)
  }
}
