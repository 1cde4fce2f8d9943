import type { core } from '../../api/index.ts'
import type { Plugin } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import { normalize } from './normalize.ts'

const name = 'NodeAffinity'

/**
 * nodeSelector and node affinity, required and preferred.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
 */
export const nodeAffinity: Plugin = {
  name,
  events: ['NodeAdd', 'NodeLabel'],
  preFilter(_state, pod) {
    const nodes = namedNodes(required(pod)?.nodeSelectorTerms)
    if (!nodes) return
    if (nodes.size > 0) return { nodes }
    return { rejection: { plugin: name, reasons: ['pod affinity terms conflict'], unresolvable: true } }
  },
  filter(_state, pod, { node }) {
    if (!matchesRequired(pod, node!))
      return { plugin: name, reasons: ["node(s) didn't match Pod's node affinity/selector"], unresolvable: true }
  },
  score(_state, pod, { node }: NodeInfo) {
    const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    return preferred.reduce((sum, { weight, preference }) => (matchesTerm(preference, node!) ? sum + weight : sum), 0)
  },
  normalize,
}

const required = (pod: core.Pod): core.NodeSelector | undefined =>
  pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution

export function matchesRequired(pod: core.Pod, node: core.Node): boolean {
  const labels = node.metadata.labels ?? {}
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {})) if (labels[key] !== value) return false
  const terms = required(pod)?.nodeSelectorTerms
  return !terms || terms.some(term => matchesTerm(term, node))
}

/** A term without any requirement matches nothing. */
function matchesTerm({ matchExpressions = [], matchFields = [] }: core.NodeSelectorTerm, node: core.Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  const fields = { 'metadata.name': node.metadata.name }
  return (
    matchExpressions.every(requirement => matchesRequirement(requirement, node.metadata.labels ?? {})) &&
    matchFields.every(requirement => matchesRequirement(requirement, fields))
  )
}

function matchesRequirement(
  { key, operator, values = [] }: core.NodeSelectorRequirement,
  labels: Record<string, string>,
): boolean {
  const value = labels[key]
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return integer(value) > integer(values[0])
    case 'Lt':
      return integer(value) < integer(values[0])
    default:
      return false
  }
}

/** NaN, which compares with nothing, for what is no integer. */
const integer = (text: string | undefined): number => (text && /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN)

/** The only nodes that can match when every term asks for nodes by name, as DaemonSet's pods do. */
function namedNodes(terms: core.NodeSelectorTerm[] | undefined): Set<string> | undefined {
  if (!terms?.length) return
  const names = new Set<string>()
  for (const { matchFields = [] } of terms) {
    const lists = matchFields
      .filter(({ key, operator }) => key === 'metadata.name' && operator === 'In')
      .map(({ values = [] }) => new Set(values))
    if (lists.length === 0) return
    for (const node of lists.reduce((left, right) => left.intersection(right))) names.add(node)
  }
  return names
}
