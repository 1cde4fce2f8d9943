import { Compacted, type Entry, FutureRevision, type ListOptions, type Page } from '../store.ts'
import { type Revisions, versionAt } from './revisions.ts'
import type { Values } from './values.ts'

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

  list(prefix: string, { after, limit = Number.POSITIVE_INFINITY, revision, uncounted }: ListOptions): Page {
    const at = this.#readable(revision)
    const entries: Entry[] = []
    let remaining = 0
    for (const { key, versions } of this.#revisions.keys.range(prefix, after)) {
      const version = versionAt(versions, at)
      if (!version) continue
      if (entries.length === limit) {
        remaining++
        if (uncounted) break
      } else
        entries.push(
          version === versions.at(-1) ? this.#values.keptEntry(key, version) : this.#values.entry(key, version),
        )
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
