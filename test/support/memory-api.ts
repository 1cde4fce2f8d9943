import { apiVersion, type Draft, errors, type KubeObject, type Resource } from '../../src/api/index.ts'
import type { Client, List, ListOptions, Patch, Ref, WatchEvent, WatchOptions } from '../../src/client/index.ts'

interface Change {
  type: Resource
  event: WatchEvent<KubeObject>
  revision: number
}

/**
 * As much of the API as a component's unit test needs, in memory: objects are kept as they are written, lists and
 * watches ignore selectors, patches merge. Whatever depends on the real rules belongs in test/.
 */
export class MemoryApi implements Client {
  readonly #objects = new Map<string, KubeObject>()
  readonly #changes: Change[] = []
  readonly #wake = new Set<() => void>()
  /** Every write through a subresource, in order. */
  readonly subresourceCalls: { subresource: string; ref: Ref; body: object }[] = []
  /** Called before each such write; may throw, or act as the server would. */
  onSubresource: (subresource: string, ref: Ref, body: object) => void = () => {}

  #key = (type: Resource, { namespace, name }: Ref) => [type.group, type.resource, namespace ?? '', name].join('/')

  #put<T extends KubeObject>(type: Resource<T>, event: 'ADDED' | 'MODIFIED', object: T): T {
    const revision = this.#changes.length + 1
    const stored = structuredClone(object)
    stored.metadata.resourceVersion = String(revision)
    this.#objects.set(this.#key(type as Resource, stored.metadata), stored)
    this.#emit({ type: type as Resource, event: { type: event, object: stored }, revision })
    return structuredClone(stored)
  }

  #emit(change: Change): void {
    this.#changes.push(change)
    for (const wake of this.#wake) wake()
  }

  async get<T extends KubeObject>(type: Resource<T>, ref: Ref): Promise<T> {
    const object = this.#objects.get(this.#key(type as Resource, ref))
    if (!object) throw errors.notFound(type, ref.name)
    return structuredClone(object) as T
  }

  async list<T extends KubeObject>(type: Resource<T>, { namespace }: ListOptions = {}): Promise<List<T>> {
    const prefix = `${type.group}/${type.resource}/${namespace ? `${namespace}/` : ''}`
    const items = [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object as T)
    return { metadata: { resourceVersion: String(this.#changes.length) }, items: structuredClone(items) }
  }

  async create<T extends KubeObject>(type: Resource<T>, draft: Draft<T>): Promise<T> {
    const object = { apiVersion: apiVersion(type), kind: type.kind, ...draft } as unknown as T
    if (this.#objects.has(this.#key(type as Resource, object.metadata)))
      throw errors.alreadyExists(type, object.metadata.name)
    object.metadata = { ...object.metadata, uid: object.metadata.uid ?? crypto.randomUUID() }
    return this.#put(type, 'ADDED', object)
  }

  async update<T extends KubeObject>(type: Resource<T>, object: T): Promise<T> {
    const present = await this.get(type, object.metadata)
    const { resourceVersion } = object.metadata
    if (resourceVersion && resourceVersion !== present.metadata.resourceVersion)
      throw errors.modified(type, object.metadata.name)
    return this.#put(type, 'MODIFIED', object)
  }

  async patch<T extends KubeObject>(
    type: Resource<T>,
    ref: Ref,
    patch: Patch,
    { subresource }: { subresource?: string } = {},
  ): Promise<T> {
    if (subresource) this.#record(subresource, ref, patch.body)
    const present = await this.get(type, ref)
    return this.#put(type, 'MODIFIED', merge(present, patch.body) as T)
  }

  async delete<T extends KubeObject>(type: Resource<T>, ref: Ref): Promise<void> {
    const object = await this.get(type, ref)
    this.#objects.delete(this.#key(type as Resource, ref))
    object.metadata.resourceVersion = String(this.#changes.length + 1)
    this.#emit({ type: type as Resource, event: { type: 'DELETED', object }, revision: this.#changes.length + 1 })
  }

  async deleteCollection(): Promise<void> {
    throw new Error('not needed so far')
  }

  async *watch<T extends KubeObject>(type: Resource<T>, { resourceVersion, signal }: WatchOptions) {
    let seen = Number(resourceVersion)
    while (!signal?.aborted) {
      for (const change of this.#changes.slice(seen)) {
        seen = change.revision
        if (change.type.resource === type.resource && change.type.group === type.group)
          yield structuredClone(change.event) as WatchEvent<T>
      }
      if (seen === this.#changes.length) await this.#changed(signal)
    }
  }

  #changed(signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        this.#wake.delete(wake)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      this.#wake.add(wake)
      signal?.addEventListener('abort', wake)
    })
  }

  async createSubresource<Out>(_type: Resource, ref: Ref, subresource: string, body: object): Promise<Out> {
    this.#record(subresource, ref, body)
    return undefined as Out
  }

  #record(subresource: string, ref: Ref, body: object): void {
    this.onSubresource(subresource, ref, body)
    this.subresourceCalls.push({ subresource, ref, body })
  }

  async request<Out>(): Promise<Out> {
    throw new Error('not needed so far')
  }

  async close(): Promise<void> {}
}

function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const merged: Record<string, unknown> = { ...(target as object) }
  for (const [key, value] of Object.entries(patch)) merged[key] = merge(merged[key], value)
  return merged
}

/** Resolves once `holds` does; fails after `limit` milliseconds. */
export async function eventually<T>(holds: () => T | Promise<T>, limit = 5000): Promise<NonNullable<T>> {
  const end = performance.now() + limit
  for (;;) {
    const found = await holds()
    if (found) return found as NonNullable<T>
    if (performance.now() > end) throw new Error(`did not come true within ${limit} ms: ${holds}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
