import type { Entry } from '../store.ts'
import type { Disk } from './disk.ts'
import type { Version } from './key-index.ts'

/** What an entry costs beside its value: objects, buffer and slot in the set. */
const OVERHEAD = 600
/** How full it is left once it was too full: what goes is looked for seldom, and what is listed finds room. */
const LEFT = 7 / 8

/** Gives memory for so many bytes. */
export type Memory = (length: number) => Buffer

/** For one value alone: part of a larger buffer would keep all of that. */
export const own: Memory = length => Buffer.allocUnsafeSlow(length)

/**
 * Turns versions into entries. Keeps present entries that somebody has read, and what they are overwritten with, up to a
 * bound of bytes: so that a hot LIST copies nothing, and what is made of an entry can be remembered by its value. What is
 * only written, or only listed among very many, is not kept: it would grow old before it goes.
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

  /** `memory` is where the value is put unless it is kept. */
  entry(key: string, version: Version, memory: Memory = own): Entry {
    return version.entry ?? this.#passing(key, version, memory)
  }

  /** As `entry`, for versions that will be read again: the present ones. */
  keptEntry(key: string, version: Version): Entry {
    return version.entry ?? this.keep(version, this.#read(key, version))
  }

  /** As `entry`, for one of many: it is kept where there is room, and takes nobody's place. */
  listedEntry(key: string, version: Version, memory: Memory = own): Entry {
    if (version.entry) return version.entry
    return this.#bytes < this.#limit * LEFT ? this.keptEntry(key, version) : this.#passing(key, version, memory)
  }

  keep(version: Version, entry: Entry): Entry {
    version.entry = entry
    this.#kept.add(version)
    this.#bytes += cost(entry)
    if (this.#bytes > this.#limit) this.#shrink()
    return entry
  }

  /** Whether it was kept. */
  drop(version: Version): boolean {
    if (!this.#kept.delete(version)) return false
    this.#bytes -= cost(version.entry!)
    version.entry = undefined
    return true
  }

  #shrink(): void {
    for (const oldest of this.#kept) {
      if (this.#bytes <= this.#limit * LEFT) break
      this.drop(oldest)
    }
  }

  #read(key: string, { revision, createRevision }: Version): Entry {
    return { key, value: this.#disk.value(revision, own), createRevision, modRevision: revision }
  }

  /**
   * As `#read`, for what is soon forgotten. V8 learns for each place in the code how long objects live that are made there,
   * and puts those among the old ones at once that live long: a list would leave them full of garbage.
   */
  #passing(key: string, { revision, createRevision }: Version, memory: Memory): Entry {
    return { key, value: this.#disk.value(revision, memory), createRevision, modRevision: revision }
  }
}

const cost = ({ key, value }: Entry) => key.length + value.length + OVERHEAD
