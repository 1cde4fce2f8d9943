import { type coordination, type core, findCondition, formatTime, isPodReady, resources } from '../../api/index.ts'
import type { Component } from '../../base/index.ts'
import { from, startController, TransportError } from '../../client/index.ts'
import { type Context, recorderOf } from '../context.ts'
import { found } from '../found.ts'
import { BY_NODE, nodeIndex } from '../pods.ts'
import { taintsFor } from './taints.ts'

/** Milliseconds without a sign of life. Upstream's --node-monitor-grace-period. */
const GRACE = 50_000
/** The same, for a node that has never reported. Upstream's --node-startup-grace-period. */
const STARTUP_GRACE = 60_000

/** What a kubelet reports, and nobody else; all of it is unknown when the kubelet is silent. */
const REPORTED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

/** Where kubelets keep their Leases. */
const LEASES = 'kube-node-lease'

interface Pulse {
  /** What changed last time, so that it can be told when it changes again. */
  sign: string
  /** When that was, by our own clock: nodes' clocks need not agree with it. */
  at: number
}

/**
 * Notices nodes that have gone silent, says so in their conditions and at their pods, and taints nodes by their
 * conditions. Source: https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller
 */
export function startNodeLifecycleController(context: Context): Component {
  const { client, informers, clock, log } = context
  const nodes = informers.get(resources.nodes)
  const leases = informers.get(resources.leases, { namespace: LEASES })
  const pods = informers.get(resources.pods)
  pods.addIndex(BY_NODE, nodeIndex)
  const recorder = recorderOf(context, 'node-controller')
  const pulses = new Map<string, Pulse>()
  /** By node, what its Ready condition said last. */
  const lastReadiness = new Map<string, string>()

  const controller = startController({
    name: 'node-lifecycle',
    workers: 8,
    // A renewed Lease only moves the moment at which the node is looked at again.
    sources: [from(nodes)],
    needs: [leases, pods],
    reconcile,
    clock,
    log,
  })

  async function reconcile(name: string) {
    const node = nodes.lister.getByKey(name)
    if (!node) {
      pulses.delete(name)
      lastReadiness.delete(name)
      reconsiderOthers(name)
      return
    }
    const silence = silenceOf(node)
    const isSilent = silence.left <= 0
    if (isSilent && (await hasSpoken(node))) return { after: GRACE }
    const judged = isSilent ? await markUnknown(node, silence.for) : node
    await taint(judged)
    if (readyStatus(judged) !== 'True') await markPodsNotReady(judged)
    // Whether others are evicted depends on whether any node is ready.
    if (readinessChanged(judged)) reconsiderOthers(name)
    return isSilent ? undefined : { after: silence.left }
  }

  /** The informers may be behind what the node has said. While we ourselves are cut off, no node's silence counts. */
  async function hasSpoken(node: core.Node): Promise<boolean> {
    const { name } = node.metadata
    try {
      const live = await found(client.get(resources.nodes, { name }))
      const lease = await found(client.get(resources.leases, { namespace: LEASES, name }))
      return live !== undefined && signOf(live, lease) !== pulses.get(name)?.sign
    } catch (error) {
      if (error instanceof TransportError) pulses.clear()
      throw error
    }
  }

  /** How long the node has said nothing, and how much longer it may. */
  function silenceOf(node: core.Node): { for: number; left: number } {
    const { name } = node.metadata
    const sign = signOf(node, leases.lister.get({ namespace: LEASES, name }))
    const now = clock.monotonic()
    let pulse = pulses.get(name)
    if (pulse?.sign !== sign) {
      pulse = { sign, at: now }
      pulses.set(name, pulse)
    }
    const silent = now - pulse.at
    return { for: silent, left: (readyCondition(node) ? GRACE : STARTUP_GRACE) - silent }
  }

  /** Gives up on what the kubelet once said. */
  async function markUnknown(node: core.Node, silence: number): Promise<core.Node> {
    const now = formatTime(clock.now())
    const changed = REPORTED.flatMap(type => unknown(node, type, now) ?? [])
    if (changed.length === 0) return node
    log.warn({ node: node.metadata.name, seconds: Math.round(silence / 1000) }, 'the node has gone silent')
    const body = { metadata: { uid: node.metadata.uid }, status: { conditions: changed } }
    const ref = { name: node.metadata.name }
    const updated = await client.patch(resources.nodes, ref, { type: 'strategic', body }, { subresource: 'status' })
    if (readyStatus(node) === 'True') {
      recorder.normal(node, 'NodeNotReady', `Node ${node.metadata.name} status is now: NodeNotReady`)
    }
    return updated
  }

  function unknown(node: core.Node, type: string, now: string): core.NodeCondition | undefined {
    const current = findCondition(node.status.conditions, type)
    if (current?.status === 'Unknown') return undefined
    const [reason, message] = current
      ? ['NodeStatusUnknown', 'Kubelet stopped posting node status.']
      : ['NodeStatusNeverUpdated', 'Kubelet never posted node status.']
    const lastHeartbeatTime = current?.lastHeartbeatTime ?? node.metadata.creationTimestamp
    return { type, status: 'Unknown', reason, message, lastHeartbeatTime, lastTransitionTime: now }
  }

  async function taint(node: core.Node): Promise<void> {
    const taints = taintsFor(node, !isDisrupted(node), formatTime(clock.now()))
    if (taints === (node.spec.taints ?? taints) && (node.spec.taints || taints.length === 0)) return
    const { uid, resourceVersion, name } = node.metadata
    const body = { metadata: { uid, resourceVersion }, spec: { taints } }
    await client.patch(resources.nodes, { name }, { type: 'merge', body })
  }

  /**
   * When no node at all is ready, the fault is more likely ours than theirs, and nothing is evicted.
   * Source: https://kubernetes.io/docs/concepts/architecture/nodes/#rate-limits-on-eviction
   */
  function isDisrupted(node: core.Node): boolean {
    const others = nodes.lister.list().filter(({ metadata }) => metadata.name !== node.metadata.name)
    return [node, ...others].every(each => readyStatus(each) !== 'True')
  }

  function readinessChanged(node: core.Node): boolean {
    const { name } = node.metadata
    const before = lastReadiness.get(name)
    lastReadiness.set(name, readyStatus(node))
    return before !== undefined && before !== readyStatus(node)
  }

  function reconsiderOthers(name: string): void {
    for (const { metadata } of nodes.lister.list()) if (metadata.name !== name) controller.enqueue(metadata.name)
  }

  /** Services must not lead to pods of which nothing is known. */
  async function markPodsNotReady(node: core.Node): Promise<void> {
    const ready = pods.lister.byIndex(BY_NODE, node.metadata.name).filter(isPodReady)
    await Promise.all(
      ready.map(async pod => {
        const condition = { type: 'Ready', status: 'False', lastTransitionTime: formatTime(clock.now()) }
        const body = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } }
        const done = client.patch(resources.pods, pod.metadata, { type: 'strategic', body }, { subresource: 'status' })
        if (await found(done)) recorder.warning(pod, 'NodeNotReady', 'Node is not ready')
      }),
    )
  }

  return {
    async stop() {
      await controller.stop()
      await recorder.stop()
    },
  }
}

const readyCondition = (node: core.Node): core.NodeCondition | undefined =>
  findCondition(node.status.conditions, 'Ready')

/** What changes with every sign of life. */
const signOf = (node: core.Node, lease: coordination.Lease | undefined): string =>
  `${readyCondition(node)?.lastHeartbeatTime} ${lease?.spec.renewTime}`

const readyStatus = (node: core.Node): string => readyCondition(node)?.status ?? 'Unknown'
