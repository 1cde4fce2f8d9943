import type { KubeObject, Resource } from '../../api/index.ts'
import type { Store } from '../../store/index.ts'
import { decodeEntry, keyOf, type Served } from './served.ts'

/** How many decoded objects are kept for rules that read the same few again and again. */
const REMEMBERED = 1000

/**
 * Reads objects for rules that span two: admission, authentication, strategies. Always the newest state; what is
 * remembered is only the decoding of one revision. Callers share the objects and never change them.
 */
export class Reader {
  readonly #store: Store
  readonly #served: (resource: Resource) => Served
  readonly #decoded = new Map<string, { revision: number; object: KubeObject }>()

  readonly #lists = new Map<string, { state: string; objects: KubeObject[] }>()

  constructor(store: Store, served: (resource: Resource) => Served) {
    this.#store = store
    this.#served = served
  }

  /** Undefined when there is none. */
  async read<T extends KubeObject>(resource: Resource<T>, namespace: string, name: string): Promise<T | undefined> {
    const key = keyOf(this.#served(resource as Resource), namespace, name)
    const entry = await this.#store.get(key)
    const known = this.#decoded.get(key)
    if (known && known.revision === entry?.modRevision) return known.object as T
    this.#decoded.delete(key)
    if (!entry) return undefined
    if (this.#decoded.size >= REMEMBERED) this.#decoded.delete(this.#decoded.keys().next().value!)
    const object = decodeEntry<T>(entry)
    this.#decoded.set(key, { revision: entry.modRevision, object })
    return object
  }

  /** As `list` of all namespaces, decoded only when something has changed: for the few and small. */
  async cached<T extends KubeObject>(resource: Resource<T>): Promise<T[]> {
    const { prefix } = this.#served(resource as Resource)
    const { entries } = await this.#store.list(prefix)
    const state = entries.map(entry => entry.modRevision).join()
    const known = this.#lists.get(prefix)
    if (known?.state === state) return known.objects as T[]
    const objects = entries.map(entry => decodeEntry<T>(entry))
    this.#lists.set(prefix, { state, objects })
    return objects
  }

  /** Every object of a resource, in one namespace or in all. */
  async list<T extends KubeObject>(resource: Resource<T>, namespace = ''): Promise<T[]> {
    const served = this.#served(resource as Resource)
    const prefix = resource.namespaced && namespace ? `${served.prefix}${namespace}/` : served.prefix
    const { entries } = await this.#store.list(prefix)
    return entries.map(entry => decodeEntry<T>(entry))
  }
}
