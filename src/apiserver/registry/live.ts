import type { KubeObject, Resource } from '../../api/index.ts'
import type { Component } from '../../base/index.ts'
import { type Change, type Entry, type Store, StoreClosed, type Watcher } from '../../store/index.ts'
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

/** Is told of every object of a resource, and of what becomes of it. No member may throw. */
export interface Follower<T> {
  /** By its key in the store; `object` is undefined when there is none any more. */
  set(key: string, object: T | undefined): void
  /** All changes of one commit have been told. */
  settled?(): void
}

/** Resolves when the follower knows what is there. */
export async function follow<T extends KubeObject>(
  registry: Needs,
  resource: Resource<T>,
  follower: Follower<T>,
): Promise<Component> {
  const { store, clock, log } = registry
  const { prefix } = registry.served(resource)
  const known = new Set<string>()
  let watcher: Watcher | undefined
  let stopped = false

  function tell(key: string, entry: Entry | undefined) {
    if (entry) known.add(key)
    else known.delete(key)
    follower.set(key, entry && decodeEntry<T>(entry))
  }

  function changes(batch: Change[]) {
    for (const { key, entry } of batch) tell(key, entry)
    follower.settled?.()
  }

  async function begin() {
    const page = await store.list(prefix)
    if (stopped) return
    const gone = known.difference(new Set(page.entries.map(({ key }) => key)))
    for (const key of gone) tell(key, undefined)
    for (const entry of page.entries) tell(entry.key, entry)
    follower.settled?.()
    watcher = store.watch(prefix, page.revision, { changes, failed: restart })
  }

  function restart(error: Error) {
    if (stopped || error instanceof StoreClosed) return
    log.warn({ error, resource: resource.resource }, 'watch ended; beginning anew')
    clock.after(RETRY, () => void begin().catch(restart))
  }

  await begin()
  return {
    async stop() {
      stopped = true
      watcher?.close()
    },
  }
}

/** Resolves when what is there has been read. */
export async function live<T extends KubeObject>(registry: Needs, resource: Resource<T>): Promise<Live<T>> {
  const found = new Map<string, T>()
  const listeners: (() => void)[] = []
  let sorted: readonly T[] | undefined
  const following = await follow(registry, resource, {
    set(key, object) {
      if (object) found.set(key, object)
      else found.delete(key)
    },
    settled() {
      sorted = undefined
      for (const run of listeners) run()
    },
  })
  return {
    get objects() {
      sorted ??= [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
      return sorted
    },
    changed: run => void listeners.push(run),
    stop: () => following.stop(),
  }
}
