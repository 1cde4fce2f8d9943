import type { core } from '../../api/index.ts'
import { fitMessage } from '../fit-message.ts'
import type { Failure, Plugin, Rejection } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'

const name = 'DefaultPreemption'

const unhelpful: Rejection = { plugin: name, reasons: ['Preemption is not helpful for scheduling'], unresolvable: true }
const noVictims: Rejection = {
  plugin: name,
  reasons: ['No preemption victims found for incoming pod'],
  unresolvable: true,
}

/**
 * Says for each node why evicting pods would not help. Pods are not evicted yet: where it would help, nothing is said,
 * as upstream says nothing when it has found victims.
 */
export const defaultPreemption: Plugin = {
  name,
  postFilter(_state, pod, failure) {
    if (pod.spec.preemptionPolicy === 'Never') return ['preemption: not eligible due to preemptionPolicy=Never.']
    const candidates = resolvable(failure)
    if (candidates.some(node => hasVictims(node, pod))) return []
    const rejections = new Map(candidates.map(node => [node.node!.metadata.name, noVictims]))
    return [`preemption: ${fitMessage({ nodes: failure.nodes, rejections, absent: unhelpful })}`]
  },
}

const resolvable = ({ nodes, rejections }: Failure): NodeInfo[] =>
  nodes.list.filter(node => rejections.get(node.node!.metadata.name)?.unresolvable === false)

function hasVictims(node: NodeInfo, pod: core.Pod): boolean {
  for (const { pod: other } of node.pods.values())
    if ((other.spec.priority ?? 0) < (pod.spec.priority ?? 0)) return true
  return false
}
