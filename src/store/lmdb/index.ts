import { mkdir } from 'node:fs/promises'
import type { Clock, Logger } from '../../base/index.ts'
import { type Bytes, FutureRevision, type Store, StoreClosed } from '../store.ts'
import { Compaction } from './compaction.ts'
import { Disk } from './disk.ts'
import { Expiry } from './expiry.ts'
import { lock } from './lock.ts'
import { Reader } from './read.ts'
import { Revisions } from './revisions.ts'
import { own, Values } from './values.ts'
import { Watchers } from './watch.ts'
import { Writer } from './writer.ts'

export interface LmdbOptions {
  /** A directory; made if need be. One process at a time may have it open. */
  path: string
  clock: Clock
  log: Logger
  /** Bytes of address space to reserve at first; it grows as needed. */
  mapSize?: number
  /** Bytes of memory for present values that are kept at hand. Default 64 MiB. */
  cacheSize?: number
  /** Milliseconds of history to keep. Default five minutes, as kube-apiserver's. */
  history?: number
  /** At most this many revisions of history. Default 300,000. */
  historyRevisions?: number
}

/**
 * The embedded store: one LMDB file, a memory index of its keys, and one writer that shares flushes among all who write.
 * Rejects when the directory cannot be used, is open in another process, or was written in another format.
 */
export async function openLmdb(options: LmdbOptions): Promise<Store> {
  const { path, clock, log, mapSize, cacheSize = 64 * 2 ** 20, history = 300_000, historyRevisions = 300_000 } = options
  await mkdir(path, { recursive: true })
  const unlock = await lock(path)
  const disk = new Disk(path, mapSize)
  const revisions = new Revisions()
  const values = new Values(disk, cacheSize)
  const reader = new Reader(revisions, values)
  const watchers = new Watchers(revisions, values, clock, log)
  const writer = new Writer(disk, revisions, values, changes => {
    for (const { change, expires } of changes) {
      if (expires) expiry.add(change.key, change.revision, expires)
      else expiry.remove(change.key)
    }
    watchers.deliver(changes.map(({ change }) => change))
  })
  const expiry = new Expiry(writer, clock, log)
  const compaction = new Compaction(revisions, writer, { clock, log, keep: history, most: historyRevisions })

  const { compacted, versions } = await disk.load()
  revisions.restore(compacted, versions)
  for (const { key, versions } of revisions.keys.range('')) {
    const { revision, expires } = versions.at(-1)!
    if (expires) expiry.add(key, revision, expires)
  }
  compaction.start()

  let closing: Promise<void> | undefined
  const close = async () => {
    compaction.stop()
    expiry.stop()
    await writer.close()
    watchers.close()
    await disk.close()
    await unlock()
  }
  const open = () => {
    if (closing) throw new StoreClosed('the store is closed')
  }
  // The bytes are copied: the caller may use its buffer again, and a small value does not pin a large buffer.
  const write = (key: string, value: Bytes, expected: number, ttl?: number) =>
    writer.write({ key, value: copied(value), expected, expires: ttl ? clock.now() + ttl * 1000 : 0 })

  return {
    async revision() {
      open()
      return revisions.current
    },
    async get(key, options) {
      open()
      return reader.get(key, options?.revision)
    },
    async list(prefix, options = {}) {
      open()
      return reader.list(prefix, options)
    },
    async count(prefix) {
      open()
      return reader.count(prefix)
    },
    async create(key, value, options) {
      return (await write(key, value, 0, options?.ttl)).entry
    },
    async update(key, value, expected, options) {
      return (await write(key, value, expected, options?.ttl)).entry
    },
    delete: (key, expected) => writer.write({ key, expected, expires: 0 }),
    watch: (prefix, after, handlers) => watchers.watch(prefix, after, handlers),
    async compact(revision) {
      open()
      if (revision > revisions.current) throw new FutureRevision(revision, revisions.current)
      await compaction.compact(revision)
    },
    async compactedRevision() {
      open()
      return revisions.compacted
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

function copied(value: Bytes): Bytes {
  const copy = own(value.length)
  copy.set(value)
  return copy
}
