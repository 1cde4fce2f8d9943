import type { core } from '../api/index.ts'
import type { CycleState, Enabled, Failure, Nodes, Plugin, Rejection } from './framework.ts'
import type { NodeInfo } from './node-info.ts'

/** Below this many nodes all are looked at; above, a share that falls from a half to a twentieth as there are more. */
const FEW_NODES = 100

export type Outcome = { node: string } | { failure: Failure }

/** A set of plugins, and the cycle that asks them for the best node of one pod. */
export class Profile {
  readonly plugins: Plugin[]
  readonly #enabled: Enabled[]
  /** Where among the nodes the next cycle begins to look, so that in a large cluster all get their turn. */
  #start = 0
  /** Breaks ties: which of the best nodes is next. */
  #turn = 0

  constructor(enabled: Enabled[]) {
    this.#enabled = enabled
    this.plugins = enabled.map(({ plugin }) => plugin)
  }

  /** Synchronous, and without any effect on `nodes`. */
  findNode(state: CycleState, pod: core.Pod, nodes: Nodes): Outcome {
    const rejections = new Map<string, Rejection>()
    const chosen = this.#preFilter(state, pod, nodes)
    if ('rejection' in chosen) {
      const { rejection } = chosen
      return { failure: { nodes, rejections, absent: rejection, preFilter: rejection } }
    }
    const candidates = chosen.nodes ? [...chosen.nodes].flatMap(name => nodes.get(name) ?? []) : nodes.list
    const feasible = this.#filter(state, pod, candidates, rejections)
    if (feasible.length > 0) return { node: this.#best(state, pod, feasible).node!.metadata.name }
    return { failure: { nodes, rejections, absent: chosen.absent } }
  }

  /** What PostFilter has to add to a failure. */
  postFilter(state: CycleState, pod: core.Pod, failure: Failure): string[] {
    return this.plugins.flatMap(plugin => plugin.postFilter?.(state, pod, failure) ?? [])
  }

  reserve(state: CycleState, pod: core.Pod, node: string): void {
    for (const plugin of this.plugins) plugin.reserve?.(state, pod, node)
  }

  unreserve(state: CycleState, pod: core.Pod, node: string): void {
    for (const plugin of this.plugins.toReversed()) plugin.unreserve?.(state, pod, node)
  }

  async bind(state: CycleState, pod: core.Pod, node: string): Promise<void> {
    for (const plugin of this.plugins) await plugin.preBind?.(state, pod, node)
    for (const plugin of this.plugins) await plugin.bind?.(state, pod, node)
  }

  #preFilter(
    state: CycleState,
    pod: core.Pod,
    nodes: Nodes,
  ): { rejection: Rejection } | { nodes?: Set<string>; absent?: Rejection } {
    let chosen: Set<string> | undefined
    const choosers: string[] = []
    for (const plugin of this.plugins) {
      const result = plugin.preFilter?.(state, pod, nodes)
      if (!result) continue
      if ('rejection' in result) return result
      choosers.push(plugin.name)
      chosen = chosen ? chosen.intersection(result.nodes) : result.nodes
      if (chosen.size === 0)
        return { rejection: unsatisfied(choosers, `plugin(s) [${choosers.join(' ')}] simultaneously`) }
    }
    return chosen ? { nodes: chosen, absent: unsatisfied(choosers, `plugin(s) [${choosers.join(' ')}]`) } : {}
  }

  /** The nodes that pass, and in `rejections` why the others do not. */
  #filter(
    state: CycleState,
    pod: core.Pod,
    candidates: readonly NodeInfo[],
    rejections: Map<string, Rejection>,
  ): NodeInfo[] {
    const enough = sufficient(candidates.length)
    const feasible: NodeInfo[] = []
    let looked = 0
    for (; looked < candidates.length && feasible.length < enough; looked++) {
      const node = candidates[(this.#start + looked) % candidates.length]!
      const rejection = this.#reject(state, pod, node)
      if (rejection) rejections.set(node.node!.metadata.name, rejection)
      else feasible.push(node)
    }
    if (candidates.length > 0) this.#start = (this.#start + looked) % candidates.length
    return feasible
  }

  #reject(state: CycleState, pod: core.Pod, node: NodeInfo): Rejection | undefined {
    for (const plugin of this.plugins) {
      const rejection = plugin.filter?.(state, pod, node)
      if (rejection) return rejection
    }
  }

  #best(state: CycleState, pod: core.Pod, feasible: NodeInfo[]): NodeInfo {
    if (feasible.length === 1) return feasible[0]!
    const totals = this.#score(state, pod, feasible)
    const top = Math.max(...totals)
    const best = feasible.filter((_, index) => totals[index] === top)
    return best[this.#turn++ % best.length]!
  }

  #score(state: CycleState, pod: core.Pod, nodes: NodeInfo[]): number[] {
    const totals = nodes.map(() => 0)
    for (const { plugin } of this.#enabled) plugin.preScore?.(state, pod, nodes)
    for (const { plugin, weight = 1 } of this.#enabled) {
      if (!plugin.score) continue
      const scores = nodes.map(node => plugin.score!(state, pod, node))
      plugin.normalize?.(scores)
      for (const [index, score] of scores.entries()) totals[index]! += score * weight
    }
    return totals
  }
}

const unsatisfied = (plugins: string[], which: string): Rejection => ({
  plugin: plugins[0]!,
  reasons: [`node(s) didn't satisfy ${which}`],
  unresolvable: true,
})

/** How many feasible nodes are enough to choose from. Source: KubeSchedulerConfiguration, percentageOfNodesToScore */
function sufficient(nodes: number): number {
  if (nodes < FEW_NODES) return nodes
  const percentage = Math.max(5, 50 - Math.floor(nodes / 125))
  return Math.max(FEW_NODES, Math.floor((nodes * percentage) / 100))
}
