import {
  type Bytes,
  type Change,
  type Entry,
  RevisionMismatch,
  type Store,
  type Watcher,
  type WatchHandlers,
} from '../../store/index.ts'
import { memoized } from '../memo.ts'

/** How the objects of one version of a custom resource are kept. */
export interface Form {
  /** Whether an entry is kept otherwise than this version shows it. */
  differs(entry: Entry): boolean
  /** What is kept, as this version shows it. */
  load(entries: Entry[]): Bytes[] | Promise<Bytes[]>
  /** What this version shows, as it is to be kept. */
  save(value: Bytes): Bytes | Promise<Bytes>
}

/**
 * A store as one version of a custom resource sees it: everything is converted on its way in and out, where it has to be.
 * What was converted is remembered as long as the store keeps the original at hand.
 */
export class ConvertedStore implements Store {
  readonly #store: Store
  readonly #form: Form
  readonly #loaded = new WeakMap<Bytes, Bytes>()
  /** What is shown in another form than it is kept in, to what is kept. */
  readonly #kept = new WeakMap<Entry, Bytes>()
  readonly #changes = new WeakMap<Change, Change>()

  constructor(store: Store, form: Form) {
    this.#store = store
    this.#form = form
  }

  /** Whether an entry that came from here is kept in another form than one that is written now. */
  async isStale(entry: Entry): Promise<boolean> {
    const kept = this.#kept.get(entry)
    return kept !== undefined && Buffer.compare(await this.#form.save(entry.value), kept) !== 0
  }

  async get(key: string, options?: { revision?: number }): Promise<Entry | undefined> {
    const entry = await this.#store.get(key, options)
    return entry && (await this.#load([entry]))[0]
  }

  async list(prefix: string, options?: Parameters<Store['list']>[1]): ReturnType<Store['list']> {
    const page = await this.#store.list(prefix, options)
    const entries = await this.#load(page.entries)
    return entries === page.entries ? page : { ...page, entries }
  }

  async create(key: string, value: Bytes, options?: { ttl?: number }): Promise<Entry> {
    return { ...(await this.#store.create(key, await this.#form.save(value), options)), value }
  }

  async update(key: string, value: Bytes, expected: number, options?: { ttl?: number }): Promise<Entry> {
    const saved = await this.#form.save(value)
    return { ...(await this.#explained(key, this.#store.update(key, saved, expected, options))), value }
  }

  async delete(key: string, expected: number): ReturnType<Store['delete']> {
    const { entry, revision } = await this.#explained(key, this.#store.delete(key, expected))
    return { entry: (await this.#load([entry]))[0]!, revision }
  }

  watch(prefix: string, after: number, handlers: WatchHandlers): Watcher {
    let closed = false
    let watcher: Watcher | undefined
    let queue: Promise<void> | undefined
    const deliver = (changes: Change[]) => {
      if (!closed) handlers.changes(changes)
    }
    const fail = (error: Error) => {
      if (closed) return
      watcher?.close()
      closed = true
      handlers.failed(error)
    }
    /** Once something has to be waited for, everything after it waits too. */
    const inTurn = (work: () => void | Promise<void>) => {
      if (!queue) return work()
      queue = queue.then(work).catch(fail)
    }
    watcher = this.#store.watch(prefix, after, {
      changes: changes =>
        void inTurn(() => {
          const converted = this.#convert(changes)
          if (!(converted instanceof Promise)) return deliver(converted)
          if (queue) return converted.then(deliver)
          queue = converted.then(deliver).catch(fail)
          return undefined
        }),
      drained: async () => handlers.drained?.(),
      progress: revision => void inTurn(() => handlers.progress?.(revision)),
      failed: error => void inTurn(() => fail(error)),
    })
    return {
      close() {
        closed = true
        watcher?.close()
      },
    }
  }

  revision = () => this.#store.revision()
  count = (prefix: string) => this.#store.count(prefix)
  compact = (revision: number) => this.#store.compact(revision)
  compactedRevision = () => this.#store.compactedRevision()
  close = () => this.#store.close()

  /** A conflict tells what is there instead, which is converted as well. */
  async #explained<T>(key: string, write: Promise<T>): Promise<T> {
    try {
      return await write
    } catch (error) {
      if (!(error instanceof RevisionMismatch) || !error.current) throw error
      throw new RevisionMismatch(key, (await this.#load([error.current]))[0])
    }
  }

  #load(entries: Entry[]): Entry[] | Promise<Entry[]> {
    const other = entries.filter(entry => this.#form.differs(entry))
    if (other.length === 0) return entries
    const unknown = other.filter(({ value }) => !this.#loaded.has(value))
    const shown = () => entries.map(entry => (this.#form.differs(entry) ? this.#shown(entry) : entry))
    if (unknown.length === 0) return shown()
    const remember = (values: Bytes[]) => {
      for (const [index, value] of values.entries()) this.#loaded.set(unknown[index]!.value, value)
      return shown()
    }
    const values = this.#form.load(unknown)
    return values instanceof Promise ? values.then(remember) : remember(values)
  }

  #shown(entry: Entry): Entry {
    const shown = { ...entry, value: this.#loaded.get(entry.value)! }
    this.#kept.set(shown, entry.value)
    return shown
  }

  #convert(changes: Change[]): Change[] | Promise<Change[]> {
    const entries = changes.flatMap(({ entry, previous }) => [entry, previous]).filter(entry => entry !== undefined)
    const loaded = this.#load(entries)
    if (loaded === entries) return changes
    const convert = (shown: Entry[]) => {
      const next = shown.values()
      return changes.map(change => {
        const entry = change.entry && next.next().value
        const previous = change.previous && next.next().value
        // One object for all who watch, since what is made of it is remembered by it.
        return memoized(this.#changes, change, () => ({ ...change, entry, previous }))
      })
    }
    return loaded instanceof Promise ? loaded.then(convert) : convert(loaded)
  }
}
