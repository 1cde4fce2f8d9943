import { Compacted, type Entry, FutureRevision, type ListOptions, type Page } from '../store.ts'
import { type Revisions, versionAt } from './revisions.ts'
import { type Memory, own, type Values } from './values.ts'

const ALL = Number.POSITIVE_INFINITY

/** Gives away the memory of a buffer piece by piece, and new memory for what no longer fits. */
function within(buffer: Buffer): Memory {
  let used = 0
  return length => {
    if (length > buffer.length - used) return own(length)
    used += length
    return buffer.subarray(used - length, used)
  }
}

/** Reads of the present and of the past. All are answered from one moment: nothing here waits. */
export class Reader {
  readonly #revisions: Revisions
  readonly #values: Values

  constructor(revisions: Revisions, values: Values) {
    this.#revisions = revisions
    this.#values = values
  }

  get(key: string, revision?: number): Entry | undefined {
    const at = this.#readable(revision)
    const versions = this.#revisions.keys.find(key)?.versions
    const version = versions && versionAt(versions, at)
    if (!version) return undefined
    return version === versions.at(-1) ? this.#values.keptEntry(key, version) : this.#values.entry(key, version)
  }

  list(prefix: string, { after, limit = ALL, bytes = ALL, into, revision, uncounted }: ListOptions): Page {
    const at = this.#readable(revision)
    const memory = into && within(into)
    const entries: Entry[] = []
    let size = 0
    let remaining = 0
    for (const { key, versions } of this.#revisions.keys.range(prefix, after)) {
      const version = versionAt(versions, at)
      if (!version) continue
      if (entries.length === limit || size >= bytes) {
        remaining++
        if (uncounted) break
        continue
      }
      const isPresent = version === versions.at(-1)
      const entry = isPresent
        ? this.#values.listedEntry(key, version, memory)
        : this.#values.entry(key, version, memory)
      entries.push(entry)
      size += entry.value.length
    }
    return { entries, revision: at, remaining }
  }

  count(prefix: string): number {
    let count = 0
    for (const { versions } of this.#revisions.keys.range(prefix)) if (versions.at(-1)!.createRevision !== 0) count++
    return count
  }

  #readable(revision = this.#revisions.current): number {
    const { current, compacted } = this.#revisions
    if (revision > current) throw new FutureRevision(revision, current)
    if (revision < compacted) throw new Compacted(compacted)
    return revision
  }
}
