import { type Database, open, type RootDatabase } from 'lmdb'
import type { Bytes } from '../store.ts'
import type { Version } from './key-index.ts'
import { FIRST_REVISION } from './revisions.ts'
import type { Memory } from './values.ts'

const FORMAT = 1
/** Fills pages, where LMDB would split each in half. Its types have forgotten the option for asynchronous puts. */
const APPEND = { append: true } as never
const COMPACTED = Buffer.from('compacted')
const FORMAT_KEY = Buffer.from('format')

/** What one transaction writes. */
export interface DiskBatch {
  written: { key: string; version: Version; value: Bytes | undefined }[]
  removed: { key: string; revision: number }[]
  compacted?: number
}

/**
 * The file. Three tables: `versions` maps a key and a revision to what is known of that version, and is small enough to
 * be read whole at start; `values` maps a revision to the bytes written, so that writing appends; `meta` holds the rest.
 */
export class Disk {
  readonly #root: RootDatabase<Buffer, Buffer>
  readonly #versions: Database<Buffer, Buffer>
  readonly #values: Database<Buffer, Buffer>
  readonly #meta: Database<Buffer, Buffer>

  constructor(path: string, mapSize: number | undefined) {
    // Without overlappingSync a commit is over only when it has been flushed, so a resolved write is a durable one.
    const settings = { encoding: 'binary', keyEncoding: 'binary', cache: false } as const
    this.#root = open<Buffer, Buffer>({
      path,
      mapSize,
      overlappingSync: false,
      eventTurnBatching: false,
      maxDbs: 4,
      noMemInit: true,
      ...settings,
    })
    this.#versions = this.#root.openDB({ name: 'versions', ...settings })
    this.#values = this.#root.openDB({ name: 'values', ...settings })
    this.#meta = this.#root.openDB({ name: 'meta', ...settings })
  }

  async load(): Promise<{ compacted: number; versions: Iterable<{ key: string; version: Version }> }> {
    const format = this.#meta.get(FORMAT_KEY)
    if (!format) await this.#meta.put(FORMAT_KEY, encodeNumber(FORMAT))
    else if (decodeNumber(format, 0) !== FORMAT)
      throw new Error(`the store has format ${decodeNumber(format, 0)}; this program knows ${FORMAT}`)
    const compacted = this.#meta.get(COMPACTED)
    return {
      compacted: compacted ? decodeNumber(compacted, 0) : FIRST_REVISION,
      versions: this.#versions.getRange().map(({ key, value }) => decodeVersion(key, value)),
    }
  }

  /** A copy, in memory that `allocate` gives for so many bytes. */
  value(revision: number, allocate: Memory): Bytes {
    // This is lmdb's own buffer, which its next read uses again, and which is longer than its `length` says.
    const value = this.#values.getBinaryFast(encodeNumber(revision))
    if (!value) throw new Error(`the store has lost the value of revision ${revision}`)
    const { length } = value
    const copy = allocate(length)
    value.copy(copy, 0, 0, length)
    return copy
  }

  /** All of it or nothing; resolves when it has reached the disk. */
  async commit(batch: DiskBatch): Promise<void> {
    let puts: Promise<boolean>[] = []
    try {
      await this.#root.batch(() => {
        puts = this.#write(batch)
      })
    } catch (error) {
      // lmdb tells the reason in a promise of its own, which also wants to be handled, as do those of the puts.
      await Promise.allSettled(puts)
      throw (await (error as { commitError?: Promise<never> }).commitError?.catch(reason => reason)) ?? error
    }
    if ((await Promise.all(puts)).includes(false)) throw new Error('a revision has been written twice')
  }

  #write({ written, removed, compacted }: DiskBatch): Promise<boolean>[] {
    const puts: Promise<boolean>[] = []
    for (const { key, version, value } of written) {
      this.#versions.put(versionKey(key, version.revision), encodeVersion(version))
      if (value) puts.push(this.#values.put(encodeNumber(version.revision), value as Buffer, APPEND))
    }
    for (const { key, revision } of removed) {
      this.#versions.remove(versionKey(key, revision))
      this.#values.remove(encodeNumber(revision))
    }
    if (compacted !== undefined) this.#meta.put(COMPACTED, encodeNumber(compacted))
    return puts
  }

  close(): Promise<void> {
    return this.#root.close()
  }
}

function encodeNumber(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeUInt32BE(Math.floor(value / 2 ** 32), 0)
  bytes.writeUInt32BE(value >>> 0, 4)
  return bytes
}

const decodeNumber = (bytes: Buffer, at: number) => bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)

/** The key, a zero byte, the revision: no key is a prefix of another's versions. */
const versionKey = (key: string, revision: number) =>
  Buffer.concat([Buffer.from(key), Buffer.of(0), encodeNumber(revision)])

const encodeVersion = ({ createRevision, expires }: Version) =>
  Buffer.concat([encodeNumber(createRevision), encodeNumber(expires)])

const decodeVersion = (key: Buffer, value: Buffer): { key: string; version: Version } => ({
  key: key.toString('utf8', 0, key.length - 9),
  version: {
    revision: decodeNumber(key, key.length - 8),
    createRevision: decodeNumber(value, 0),
    expires: decodeNumber(value, 8),
  },
})
