import { type core, resources } from '../../../api/index.ts'
import { StoreClosed, type Watcher } from '../../../store/index.ts'
import type { Registry } from '../../registry/registry.ts'
import { decodeEntry, prefixOf } from '../../registry/served.ts'
import { referencesOf } from './references.ts'

/** The pods of one namespace, as far as they are on nodes. */
interface Known {
  /** By the pod's key in the store. */
  pods: Map<string, { node: string; references: Set<string> }>
  /** How many pods of a node refer to something: by `NODE REFERENCE`. */
  counts: Map<string, number>
  /** Keys of pods that have changed since they were looked at. */
  changed: Set<string>
  /** The last of those who look. */
  looking: Promise<void>
}

/**
 * What the pods of each node refer to. A namespace is read at the first question about it; after that a write of a pod costs
 * no more than noting its key, and the next question looks at the pods that were noted.
 */
export class PodReferences {
  readonly #registry: Registry
  readonly #known = new Map<string, Known>()
  #watcher: Watcher | undefined

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Whether a pod of the namespace that is on the node refers to it; `reference`: as `secrets/NAME`. */
  async refers(node: string, namespace: string, reference: string): Promise<boolean> {
    const known = await this.#upToDate(namespace)
    return known.counts.has(`${node} ${reference}`)
  }

  /** What the node's pods of the namespace refer to of a resource, by name. */
  async referred(node: string, namespace: string, resource: string): Promise<string[]> {
    const { counts } = await this.#upToDate(namespace)
    const beginning = `${node} ${resource}/`
    return [...counts.keys()].flatMap(key => (key.startsWith(beginning) ? [key.slice(beginning.length)] : []))
  }

  stop(): void {
    this.#watcher?.close()
  }

  async #upToDate(namespace: string): Promise<Known> {
    const known = this.#known.get(namespace) ?? this.#begin(namespace)
    const looking = known.looking.then(() => this.#look(known))
    known.looking = looking
    try {
      await looking
    } catch (error) {
      // Who asked hears of it, and the next one begins anew.
      this.#known.delete(namespace)
      throw error
    }
    // A namespace without pods may be gone, and is as easily read again.
    if (!known.pods.size && !known.changed.size) this.#known.delete(namespace)
    return known
  }

  #begin(namespace: string): Known {
    const { store } = this.#registry
    const prefix = prefixOf(this.#registry.served(resources.pods), namespace)
    const known: Known = { pods: new Map(), counts: new Map(), changed: new Set(), looking: Promise.resolve() }
    this.#known.set(namespace, known)
    known.looking = this.#watch().then(async () => {
      for (const { key } of (await store.list(prefix)).entries) known.changed.add(key)
    })
    return known
  }

  async #watch(): Promise<void> {
    if (this.#watcher) return
    const { store, served } = this.#registry
    const { prefix } = served(resources.pods)
    const revision = await store.revision()
    this.#watcher ??= store.watch(prefix, revision, {
      changes: batch => {
        for (const { key } of batch) this.#known.get(key.slice(prefix.length, key.lastIndexOf('/')))?.changed.add(key)
      },
      failed: error => {
        if (error instanceof StoreClosed) return
        this.#watcher = undefined
        this.#known.clear()
      },
    })
  }

  async #look(known: Known): Promise<void> {
    const keys = [...known.changed]
    known.changed.clear()
    for (const key of keys) {
      const entry = await this.#registry.store.get(key)
      this.#forget(known, key)
      const pod = entry && decodeEntry<core.Pod>(entry)
      if (!pod?.spec.nodeName) continue
      const references = referencesOf(pod)
      known.pods.set(key, { node: pod.spec.nodeName, references })
      for (const reference of references) count(known, `${pod.spec.nodeName} ${reference}`, 1)
    }
  }

  #forget(known: Known, key: string): void {
    const old = known.pods.get(key)
    if (!old) return
    known.pods.delete(key)
    for (const reference of old.references) count(known, `${old.node} ${reference}`, -1)
  }
}

function count({ counts }: Known, key: string, by: number): void {
  const left = (counts.get(key) ?? 0) + by
  if (left) counts.set(key, left)
  else counts.delete(key)
}
