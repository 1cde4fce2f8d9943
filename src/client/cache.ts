import type { KubeObject } from '../api/index.ts'
import type { Ref } from './client.ts'

/** `namespace/name`, or the name alone for what has no namespace: what work queues are keyed by. */
export const keyOf = (object: { metadata: Ref }): string =>
  object.metadata.namespace ? `${object.metadata.namespace}/${object.metadata.name}` : object.metadata.name

/** The inverse of `keyOf`. */
export function refOf(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/')
  return slash === -1 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** The values that an object is found by. */
export type IndexFunction<T> = (object: T) => string[]

/** What is known of the cluster's objects. Whoever reads one never changes it: others read the same. */
export interface Lister<T> {
  get(ref: Ref): T | undefined
  getByKey(key: string): T | undefined
  /** Of one namespace, or all. */
  list(namespace?: string): T[]
  /** Throws for an index that was not added. */
  byIndex(index: string, value: string): T[]
  readonly size: number
}

const NAMESPACE = 'namespace'

interface Index<T> {
  values: IndexFunction<T>
  keys: Map<string, Set<string>>
}

/** Objects by key and by index. */
export class Cache<T extends KubeObject> implements Lister<T> {
  readonly #objects = new Map<string, T>()
  readonly #indexes = new Map<string, Index<T>>()

  constructor() {
    this.addIndex(NAMESPACE, object => [object.metadata.namespace ?? ''])
  }

  addIndex(name: string, values: IndexFunction<T>): void {
    const index: Index<T> = { values, keys: new Map() }
    this.#indexes.set(name, index)
    for (const [key, object] of this.#objects) insert(index, key, object)
  }

  get(ref: Ref): T | undefined {
    return this.#objects.get(keyOf({ metadata: ref }))
  }

  getByKey(key: string): T | undefined {
    return this.#objects.get(key)
  }

  list(namespace?: string): T[] {
    return namespace === undefined ? [...this.#objects.values()] : this.byIndex(NAMESPACE, namespace)
  }

  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name)
    if (!index) throw new Error(`no index "${name}" was added`)
    return Array.from(index.keys.get(value) ?? [], key => this.#objects.get(key)!)
  }

  get size(): number {
    return this.#objects.size
  }

  keys(): Iterable<string> {
    return this.#objects.keys()
  }

  /** Returns what was there before. */
  set(key: string, object: T): T | undefined {
    const previous = this.delete(key)
    this.#objects.set(key, object)
    for (const index of this.#indexes.values()) insert(index, key, object)
    return previous
  }

  delete(key: string): T | undefined {
    const previous = this.#objects.get(key)
    if (!previous) return undefined
    this.#objects.delete(key)
    for (const index of this.#indexes.values()) remove(index, key, previous)
    return previous
  }
}

function insert<T>({ values, keys }: Index<T>, key: string, object: T): void {
  for (const value of values(object)) {
    const found = keys.get(value)
    if (found) found.add(key)
    else keys.set(value, new Set([key]))
  }
}

function remove<T>({ values, keys }: Index<T>, key: string, object: T): void {
  for (const value of values(object)) {
    const found = keys.get(value)
    found?.delete(key)
    if (found?.size === 0) keys.delete(value)
  }
}
