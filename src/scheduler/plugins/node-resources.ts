import { type Amounts, podRequests, scoredRequests } from '../amounts.ts'
import type { Plugin } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import { MAX_SCORE } from './normalize.ts'

const FIT = 'NodeResourcesFit'
const BALANCED = 'NodeResourcesBalancedAllocation'

interface Needs {
  requests: Amounts
  scored: Amounts
}

/** Filters by what is left of each resource, and prefers the node with the most left (LeastAllocated). */
export const nodeResourcesFit: Plugin = {
  name: FIT,
  events: ['NodeAdd', 'NodeAllocatable', 'AssignedPodUpdate', 'AssignedPodDelete'],
  preFilter(state, pod) {
    state.set(FIT, { requests: podRequests(pod), scored: scoredRequests(pod) } satisfies Needs)
    return undefined
  },
  filter(state, _pod, node) {
    const { requests } = state.get(FIT) as Needs
    const reasons: string[] = []
    let unresolvable = false
    if (node.pods.size + 1 > (node.allocatable.pods ?? 0)) reasons.push('Too many pods')
    for (const [resource, wanted] of Object.entries(requests)) {
      const whole = node.allocatable[resource] ?? 0
      if (wanted === 0 || wanted <= whole - (node.requested[resource] ?? 0)) continue
      reasons.push(`Insufficient ${resource}`)
      // Not even the empty node would do.
      unresolvable ||= wanted > whole
    }
    if (reasons.length > 0) return { plugin: FIT, reasons, unresolvable }
  },
  score(state, _pod, node) {
    const { scored } = state.get(FIT) as Needs
    const shares = freeShares(node, node.scored, scored)
    return shares.length
      ? Math.floor(shares.reduce((sum, share) => sum + Math.floor(share * MAX_SCORE), 0) / shares.length)
      : 0
  },
}

/** Prefers the node whose cpu and memory would be used to the same degree. */
export const nodeResourcesBalancedAllocation: Plugin = {
  name: BALANCED,
  preScore(state, pod) {
    state.set(BALANCED, podRequests(pod))
  },
  score(state, _pod, node) {
    const requests = state.get(BALANCED) as Amounts
    // A pod that requests nothing changes no balance.
    if (!requests.cpu && !requests.memory) return 0
    const [first, second] = freeShares(node, node.requested, requests)
    return Math.floor((1 - (second === undefined ? 0 : Math.abs(first! - second) / 2)) * MAX_SCORE)
  },
}

/** For cpu and memory, as far as the node has them: the share that would be left, 0 to 1. */
function freeShares(node: NodeInfo, used: Amounts, more: Amounts): number[] {
  const shares: number[] = []
  for (const resource of ['cpu', 'memory']) {
    const whole = node.allocatable[resource] ?? 0
    if (whole > 0) shares.push(Math.max(0, (whole - (used[resource] ?? 0) - (more[resource] ?? 0)) / whole))
  }
  return shares
}
