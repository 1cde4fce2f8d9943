import type { Entry } from '../store.ts'
import type { Disk } from './disk.ts'
import type { Version } from './key-index.ts'

/** What an entry costs beside its value: objects, buffer and map slot, roughly. */
const OVERHEAD = 400

/**
 * Turns versions into entries. Keeps the present entries that were written or read last, up to a bound of bytes, so
 * that a hot LIST copies nothing and everybody holds the same object.
 */
export class Values {
  readonly #disk: Disk
  readonly #limit: number
  readonly #kept = new Set<Version>()
  #bytes = 0

  constructor(disk: Disk, limit: number) {
    this.#disk = disk
    this.#limit = limit
  }

  entry(key: string, version: Version): Entry {
    return version.entry ?? this.#read(key, version)
  }

  /** As `entry`, for versions that will be read again: the present ones. */
  keptEntry(key: string, version: Version): Entry {
    return version.entry ?? this.keep(version, this.#read(key, version))
  }

  keep(version: Version, entry: Entry): Entry {
    version.entry = entry
    this.#kept.add(version)
    this.#bytes += cost(entry)
    for (const oldest of this.#kept) {
      if (this.#bytes <= this.#limit) break
      this.drop(oldest)
    }
    return entry
  }

  drop(version: Version): void {
    if (!this.#kept.delete(version)) return
    this.#bytes -= cost(version.entry!)
    version.entry = undefined
  }

  #read(key: string, { revision, createRevision }: Version): Entry {
    return { key, value: this.#disk.value(revision), createRevision, modRevision: revision }
  }
}

const cost = ({ key, value }: Entry) => key.length + value.length + OVERHEAD
