import type { KubeObject, Resource } from '../../api/index.ts'
import type { Component } from '../../base/index.ts'
import { follow } from '../registry/live.ts'
import type { Registry } from '../registry/registry.ts'

/** The objects of a resource that say what may be in their namespace. Asking costs nothing; the objects are never changed. */
export interface ByNamespace<T> extends Component {
  /** In the order of their names. */
  of(namespace: string): readonly T[]
}

/** Resolves when what is there has been read. */
export async function byNamespace<T extends KubeObject>(
  registry: Registry,
  resource: Resource<T>,
): Promise<ByNamespace<T>> {
  const { prefix } = registry.served(resource)
  const found = new Map<string, T[]>()
  const following = await follow(registry, resource, {
    set(key, object) {
      const [namespace = '', name] = key.slice(prefix.length).split('/')
      const others = (found.get(namespace) ?? []).filter(({ metadata }) => metadata.name !== name)
      const now = object ? [...others, object] : others
      if (now.length) found.set(namespace, now.sort(byName))
      else found.delete(namespace)
    },
  })
  return {
    of: namespace => found.get(namespace) ?? [],
    stop: () => following.stop(),
  }
}

const byName = (a: KubeObject, b: KubeObject): number => (a.metadata.name < b.metadata.name ? -1 : 1)
