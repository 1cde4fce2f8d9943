import { isSidecar } from './pods.ts'
import { type ResourceList, resourceList } from './resource-lists.ts'
import type { core } from './types/index.ts'

const { add, max } = resourceList

export interface PodResourcesOptions {
  /** Of which resources the pod as a whole may say what it needs, in place of its containers. */
  isPodLevel(name: string): boolean
  /** What one container counts for. Default: what its spec says. */
  of?(container: core.Container): ResourceList
}

/**
 * What the pod as a whole requests, or is limited to: the greater of all its containers together and of each init container
 * while it runs, beside the sidecars that were started before it.
 * Source: k8s.io/component-helpers/resource helpers.go PodRequests, PodLimits
 */
export function podResources(
  { containers, initContainers = [], resources }: core.PodSpec,
  kind: 'requests' | 'limits',
  { isPodLevel, of = ({ resources }) => resources[kind] ?? {} }: PodResourcesOptions,
): ResourceList {
  let sidecars: ResourceList = {}
  let starting: ResourceList = {}
  for (const container of initContainers) {
    const together = add(sidecars, of(container))
    starting = max(starting, together)
    if (isSidecar(container)) sidecars = together
  }
  const running = containers.reduce((sum, container) => add(sum, of(container)), {})
  const total = max(add(running, sidecars), starting)
  for (const [name, amount] of Object.entries(resources?.[kind] ?? {})) if (isPodLevel(name)) total[name] = amount
  return total
}
