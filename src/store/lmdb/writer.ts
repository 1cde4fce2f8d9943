import { type Bytes, type Change, type Entry, KeyExists, RevisionMismatch, StoreClosed } from '../store.ts'
import type { Disk, DiskBatch } from './disk.ts'
import type { Version } from './key-index.ts'
import type { Revisions } from './revisions.ts'
import type { Values } from './values.ts'

/** The most that one transaction takes, so that the first write of it does not wait long for the last. */
const BATCH_WRITES = 1024
const BATCH_BYTES = 8 * 2 ** 20

/** What somebody asked for. */
export interface Write {
  key: string
  /** Absent for a delete. */
  value?: Bytes
  /** The modRevision that the key must have; 0: the key must not exist. */
  expected: number
  /** Milliseconds since the epoch; 0 for never. */
  expires: number
}

export interface Written {
  /** What was written or, by a delete, removed. */
  entry: Entry
  revision: number
}

interface Queued extends Write {
  resolve(written: Written): void
  reject(error: Error): void
}

/** A change that has become durable, and when its key's time to live ends (0 for never). */
export interface Committed {
  change: Change
  expires: number
}

interface Decided {
  queued: Queued
  version: Version
  change: Change
}

/**
 * The one writer. While a batch is on its way to the disk, what arrives gathers for the next: so writers share a flush.
 * Every condition is judged in order of arrival, against what is durable and what the same batch wrote before it.
 */
export class Writer {
  readonly #disk: Disk
  readonly #revisions: Revisions
  readonly #values: Values
  readonly #committed: (changes: Committed[]) => void
  #queue: Queued[] = []
  #compaction: { revision: number; resolve(): void; reject(error: Error): void } | undefined
  #running: Promise<void> | undefined
  #closed = false

  /** `committed` is told of every batch once it is durable, before those who wrote. */
  constructor(disk: Disk, revisions: Revisions, values: Values, committed: (changes: Committed[]) => void) {
    this.#disk = disk
    this.#revisions = revisions
    this.#values = values
    this.#committed = committed
  }

  write(write: Write): Promise<Written> {
    if (this.#closed) return Promise.reject(new StoreClosed('the store is closed'))
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...write, resolve, reject })
      this.#start()
    })
  }

  /** Removes with the next batch what `revision` supersedes. One at a time. */
  forget(revision: number): Promise<void> {
    if (this.#closed) return Promise.reject(new StoreClosed('the store is closed'))
    return new Promise((resolve, reject) => {
      this.#compaction = { revision, resolve, reject }
      this.#start()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  #start(): void {
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    // Whoever else is served in this turn of the event loop still joins the first batch.
    await new Promise(resolve => setImmediate(resolve))
    while (this.#queue.length > 0 || this.#compaction) await this.#batch()
    this.#running = undefined
  }

  async #batch(): Promise<void> {
    const taken = this.#take()
    const { decided, refused } = this.#decide(taken)
    const compaction = this.#compaction
    this.#compaction = undefined
    try {
      if (decided.length > 0 || compaction) await this.#disk.commit(this.#diskBatch(decided, compaction?.revision))
    } catch (error) {
      for (const { reject } of taken) reject(error as Error)
      compaction?.reject(error as Error)
      return
    }
    for (const { version, change } of decided) this.#remember(version, change)
    if (compaction) this.#revisions.forget(compaction.revision)
    if (decided.length > 0)
      this.#committed(decided.map(({ change, version }) => ({ change, expires: version.expires })))
    for (const { queued, change } of decided)
      queued.resolve({ entry: change.entry ?? change.previous!, revision: change.revision })
    for (const { queued, error } of refused) queued.reject(error)
    compaction?.resolve()
  }

  #take(): Queued[] {
    let count = 0
    let bytes = 0
    while (count < this.#queue.length && count < BATCH_WRITES && bytes < BATCH_BYTES)
      bytes += this.#queue[count++]!.value?.length ?? 0
    return this.#queue.splice(0, count)
  }

  #decide(taken: Queued[]): { decided: Decided[]; refused: { queued: Queued; error: Error }[] } {
    const decided: Decided[] = []
    const refused: { queued: Queued; error: Error }[] = []
    const batch = new Map<string, Entry | undefined>()
    let revision = this.#revisions.current
    for (const queued of taken) {
      const current = batch.has(queued.key) ? batch.get(queued.key) : this.#current(queued.key)
      const error = refusal(queued, current)
      if (error) {
        refused.push({ queued, error })
        continue
      }
      const change = changeOf(queued, current, ++revision)
      batch.set(queued.key, change.entry)
      const version = { revision, createRevision: change.entry?.createRevision ?? 0, expires: queued.expires }
      decided.push({ queued, version, change })
    }
    return { decided, refused }
  }

  #current(key: string): Entry | undefined {
    const version = this.#revisions.keys.find(key)?.versions.at(-1)
    return version && version.createRevision !== 0 ? this.#values.entry(key, version) : undefined
  }

  #diskBatch(decided: Decided[], compacted: number | undefined): DiskBatch {
    return {
      written: decided.map(({ version, change }) => ({ key: change.key, version, value: change.entry?.value })),
      removed: compacted === undefined ? [] : this.#revisions.superseded(compacted),
      compacted,
    }
  }

  #remember(version: Version, change: Change): void {
    const { versions } = this.#revisions.add(change.key, version)
    const overwritten = versions.at(-2)
    // Somebody reads it, if it was kept. What nobody has read since it was made need not be.
    if (overwritten && this.#values.drop(overwritten) && change.entry) this.#values.keep(version, change.entry)
  }
}

function refusal({ key, expected }: Write, current: Entry | undefined): Error | undefined {
  if ((current?.modRevision ?? 0) === expected) return undefined
  return expected === 0 ? new KeyExists(`${key} already exists`) : new RevisionMismatch(key, current)
}

function changeOf({ key, value }: Write, previous: Entry | undefined, revision: number): Change {
  if (!value) return { type: 'delete', key, revision, previous }
  const entry = { key, value, createRevision: previous?.createRevision ?? revision, modRevision: revision }
  return { type: 'put', key, revision, entry, previous }
}
