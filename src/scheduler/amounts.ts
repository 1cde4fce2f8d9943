import { type core, podTotal, quantity } from '../api/index.ts'

/** Resource name to amount: cpu in thousandths, everything else in its own unit. */
export type Amounts = Record<string, number>

/** What a container without a request counts for when nodes are scored, so that such pods spread too. */
const DEFAULT_MILLI_CPU = 100
const DEFAULT_MEMORY = 200 * 1024 * 1024

/** Quantities as an API object has them. */
export function amounts(quantities: Record<string, string> | undefined): Amounts {
  const result: Amounts = {}
  for (const [name, text] of Object.entries(quantities ?? {}))
    result[name] = name === 'cpu' ? quantity.milliValue(text) : quantity.value(text)
  return result
}

export function add(to: Amounts, more: Amounts): void {
  for (const [name, value] of Object.entries(more)) to[name] = (to[name] ?? 0) + value
}

export function subtract(from: Amounts, less: Amounts): void {
  for (const [name, value] of Object.entries(less)) from[name] = (from[name] ?? 0) - value
}

/** What a pod needs of its node: what its containers request, or what it requests as a whole, and the overhead of its runtime. */
export const podRequests = (pod: core.Pod): Amounts => sumOf(pod, container => amounts(container.resources.requests))

/** `podRequests` of cpu and memory, where a container that requests none counts as a small one. */
export function scoredRequests(pod: core.Pod): Amounts {
  const { cpu = 0, memory = 0 } = sumOf(pod, container => {
    const { cpu = DEFAULT_MILLI_CPU, memory = DEFAULT_MEMORY } = amounts(container.resources.requests)
    return { cpu, memory }
  })
  return { cpu, memory }
}

function sumOf({ spec }: core.Pod, requests: (container: core.Container) => Amounts): Amounts {
  const each = new Map([...spec.containers, ...(spec.initContainers ?? [])].map(it => [it, requests(it)]))
  const total: Amounts = {}
  for (const name of new Set([...each.values()].flatMap(Object.keys)))
    total[name] = podTotal(spec, container => each.get(container)![name] ?? 0)
  Object.assign(total, amounts(spec.resources?.requests))
  add(total, amounts(spec.overhead))
  return total
}
