/** Bytes as the store keeps them. Whoever receives one reads it and never writes to it. */
export type Bytes = Uint8Array

export interface Entry {
  key: string
  value: Bytes
  /** The global revision of the write that created this key. */
  createRevision: number
  /** The global revision of the write that made this value. */
  modRevision: number
}

/**
 * One change. The same object is handed to every watcher, so a reader may memoise what it derives from it in a WeakMap.
 */
export interface Change {
  type: 'put' | 'delete'
  key: string
  /** The revision of this change; for a put, also the entry's modRevision. */
  revision: number
  /** What the key holds now; absent for a delete. */
  entry?: Entry
  /** What the key held before; absent when this put created it. */
  previous?: Entry
}

export interface Page {
  /** In byte order of their keys. */
  entries: Entry[]
  /** The revision that the page shows: the one asked for, or the present one. */
  revision: number
  /** How many entries of the range follow the last one. */
  remaining: number
}

export interface ListOptions {
  /** Only keys greater than this one; from the previous page's last entry. */
  after?: string
  /** At most this many entries; all when absent. */
  limit?: number
  /** The page ends once its values have this many bytes together. */
  bytes?: number
  /** Memory of the caller's for values that the store does not keep: those are good until the caller uses it again. */
  into?: Buffer
  /** Read the past: the range as it stood when this revision was the newest. */
  revision?: number
  /** What follows need not be counted: `remaining` is then 1 for any number of entries. */
  uncounted?: boolean
}

/** Changes, in order, none missing and none twice, until closed. */
export interface Watcher {
  /** Stops delivery; no callback runs after it returns. Idempotent. */
  close(): void
}

export interface WatchHandlers {
  /** Changes with consecutive delivery, grouped as they were committed: at least one. Runs synchronously; must not throw. */
  changes(changes: Change[]): void
  /** Resolves when more can be taken: of the past no more is delivered before. Must not reject. */
  drained?(): Promise<void>
  /** Every change up to `revision` has been delivered, though none of them touched the prefix. At most once a second. */
  progress?(revision: number): void
  /** The watch cannot go on (compacted, closed, broken); it is over. */
  failed(error: Error): void
}

/**
 * A revisioned map with etcd's semantics. Every successful write gets the next global revision, and has reached the disk
 * when its promise resolves. Source: https://etcd.io/docs/v3.5/learning/data_model/
 */
export interface Store {
  /** The newest revision whose write is durable. */
  revision(): Promise<number>
  get(key: string, options?: { revision?: number }): Promise<Entry | undefined>
  /** All keys that begin with `prefix`. */
  list(prefix: string, options?: ListOptions): Promise<Page>
  /** How many keys begin with `prefix` now. */
  count(prefix: string): Promise<number>
  /** Rejects with KeyExists. `ttl` in seconds: the store deletes the key by itself, in its own revision, some time after. */
  create(key: string, value: Bytes, options?: { ttl?: number }): Promise<Entry>
  /** Rejects with RevisionMismatch unless the key's modRevision is `expected`. `ttl` starts anew; without it the key stays. */
  update(key: string, value: Bytes, expected: number, options?: { ttl?: number }): Promise<Entry>
  /** Returns what was deleted and the delete's own revision. Rejects with RevisionMismatch as `update` does. */
  delete(key: string, expected: number): Promise<{ entry: Entry; revision: number }>
  /** Delivers every change to keys under `prefix` after revision `after` (0: from the first retained one). */
  watch(prefix: string, after: number, handlers: WatchHandlers): Watcher
  /**
   * Forgets what was overwritten or deleted at or before `revision`. It can still be read itself and watched from;
   * reads and watches of what came before get Compacted.
   */
  compact(revision: number): Promise<void>
  /** The oldest revision that can still be read. */
  compactedRevision(): Promise<number>
  /** Finishes what was accepted, then releases everything. Later calls reject with StoreClosed. */
  close(): Promise<void>
}

export class KeyExists extends Error {
  override name = 'KeyExists'
}

/** `current` is what the key holds, or undefined when there is no such key. */
export class RevisionMismatch extends Error {
  override name = 'RevisionMismatch'
  readonly current: Entry | undefined
  constructor(key: string, current: Entry | undefined) {
    super(current ? `${key} is at revision ${current.modRevision}` : `${key} does not exist`)
    this.current = current
  }
}

/** The revision asked for is no longer retained; `oldest` is. */
export class Compacted extends Error {
  override name = 'Compacted'
  readonly oldest: number
  constructor(oldest: number) {
    super(`required revision has been compacted; the oldest retained one is ${oldest}`)
    this.oldest = oldest
  }
}

/** The revision asked for has not happened yet. */
export class FutureRevision extends Error {
  override name = 'FutureRevision'
  readonly newest: number
  constructor(revision: number, newest: number) {
    super(`revision ${revision} has not happened yet; the newest is ${newest}`)
    this.newest = newest
  }
}

export class StoreClosed extends Error {
  override name = 'StoreClosed'
}
