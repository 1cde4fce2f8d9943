import type { KubeObject, Resource } from '../../api/index.ts'
import type { Component } from '../../base/index.ts'
import { type Change, type Store, StoreClosed, type Watcher } from '../../store/index.ts'
import type { Registry } from './registry.ts'
import { decodeEntry } from './served.ts'

/** Milliseconds until a watch that broke is begun anew. */
const RETRY = 1000

/**
 * Every object of a resource, always as it is: for the few and small that each request is judged by. Reading it costs
 * nothing; the objects are shared and never changed.
 */
export interface Live<T> extends Component {
  /** By name; a new array when something has changed, and the same one as long as nothing has. */
  readonly objects: readonly T[]
  /** `run` is called after every change; it must not throw. */
  changed(run: () => void): void
}

type Needs = Pick<Registry, 'served' | 'clock' | 'log'> & { store: Store }

/** Resolves when what is there has been read. */
export async function live<T extends KubeObject>(registry: Needs, resource: Resource<T>): Promise<Live<T>> {
  const { store, clock, log } = registry
  const { prefix } = registry.served(resource)
  const found = new Map<string, T>()
  const listeners: (() => void)[] = []
  let sorted: readonly T[] | undefined
  let watcher: Watcher | undefined
  let stopped = false

  function changes(batch: Change[]) {
    for (const { key, entry } of batch) {
      if (entry) found.set(key, decodeEntry<T>(entry))
      else found.delete(key)
    }
    announce()
  }

  function announce() {
    sorted = undefined
    for (const run of listeners) run()
  }

  async function begin() {
    const page = await store.list(prefix)
    if (stopped) return
    found.clear()
    for (const entry of page.entries) found.set(entry.key, decodeEntry<T>(entry))
    announce()
    watcher = store.watch(prefix, page.revision, { changes, failed: restart })
  }

  function restart(error: Error) {
    if (stopped || error instanceof StoreClosed) return
    log.warn({ error, resource: resource.resource }, 'watch ended; beginning anew')
    clock.after(RETRY, () => void begin().catch(restart))
  }

  await begin()
  return {
    get objects() {
      sorted ??= [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
      return sorted
    },
    changed: run => void listeners.push(run),
    async stop() {
      stopped = true
      watcher?.close()
    },
  }
}
