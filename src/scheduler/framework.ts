import type { core } from '../api/index.ts'
import type { NodeInfo } from './node-info.ts'

/**
 * The extension points of the scheduling framework, in the order in which they run for one pod:
 * PreEnqueue, QueueSort, PreFilter, Filter, PostFilter (when no node is left), PreScore, Score, Reserve, Permit, PreBind, Bind.
 * A plugin is an object that has a name and any of the methods; everything up to Score runs synchronously, so that
 * it sees one state of the cache.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/
 */
export interface Plugin {
  name: string
  /** What may make a pod schedulable that this plugin rejected; any event, when left out. */
  events?: ClusterEvent[]
  /** Keeps a pod out of the queue, with a reason, until the pod itself changes. */
  preEnqueue?(pod: core.Pod): string | undefined
  /** Negative when `a` goes first. Exactly one plugin has it. */
  less?(a: Queued, b: Queued): number
  /** Once a cycle: prepares `state`, and may name the only nodes that come into question. */
  preFilter?(state: CycleState, pod: core.Pod, nodes: Nodes): PreFilterResult | undefined
  filter?(state: CycleState, pod: core.Pod, node: NodeInfo): Rejection | undefined
  /** May make room. Its reasons are added to the message of failure. */
  postFilter?(state: CycleState, pod: core.Pod, failure: Failure): string[]
  preScore?(state: CycleState, pod: core.Pod, nodes: NodeInfo[]): void
  /** Higher is better; from 0 to 100 after `normalize`. */
  score?(state: CycleState, pod: core.Pod, node: NodeInfo): number
  /** Brings all scores of a cycle into 0..100, in place. */
  normalize?(scores: number[]): void
  /** Undone by `unreserve` when a later step fails. */
  reserve?(state: CycleState, pod: core.Pod, node: string): void
  unreserve?(state: CycleState, pod: core.Pod, node: string): void
  preBind?(state: CycleState, pod: core.Pod, node: string): Promise<void>
  bind?(state: CycleState, pod: core.Pod, node: string): Promise<void>
}

/** A plugin of a profile and how much its score counts. */
export interface Enabled {
  plugin: Plugin
  /** 1 when left out. */
  weight?: number
}

/** What one plugin keeps from one extension point to the next, for one pod. Keys are plugin names. */
export type CycleState = Map<string, unknown>

/** Why a node (or the pod itself, from PreFilter) does not come into question. */
export interface Rejection {
  plugin: string
  reasons: string[]
  /** No pod that goes away from the node would help. */
  unresolvable: boolean
}

export type PreFilterResult = { nodes: Set<string> } | { rejection: Rejection }

/** A cycle that found no node. */
export interface Failure {
  /** All nodes of the cluster. */
  nodes: Nodes
  /** The rejected nodes by name; empty when PreFilter rejected the pod. */
  rejections: Map<string, Rejection>
  /** Holds for the nodes that PreFilter left out. */
  absent?: Rejection
  /** PreFilter's rejection of the pod as such. */
  preFilter?: Rejection
}

export interface Nodes {
  readonly list: readonly NodeInfo[]
  get(name: string): NodeInfo | undefined
  /** How many nodes have this image. */
  withImage(image: string): number
}

/** What happened in the cluster, as far as it can make a pod schedulable. */
export type ClusterEvent =
  | 'NodeAdd'
  | 'NodeAllocatable'
  | 'NodeLabel'
  | 'NodeTaint'
  | 'AssignedPodAdd'
  | 'AssignedPodUpdate'
  | 'AssignedPodDelete'

/** A pod that waits for a node. */
export interface Queued {
  pod: core.Pod
  /** When it first came into the queue; monotonic milliseconds. */
  added: number
  /** When it was last tried (or added). */
  timestamp: number
  attempts: number
  /** The plugins that rejected it when it was last tried. */
  rejectors: Set<string>
}
