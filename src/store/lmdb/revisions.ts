import { KeyIndex, type KeyVersions, type Version } from './key-index.ts'

/** A fresh store is at revision 1, as etcd's is, and the first write makes 2: so 0 never names a state. */
export const FIRST_REVISION = 1

/**
 * What the store remembers of its keys: which revisions each has, and which key each revision changed.
 * Holds only what is durable.
 */
export class Revisions {
  readonly keys = new KeyIndex()
  current = FIRST_REVISION
  compacted = FIRST_REVISION
  /** The key that revision `#first + i` changed. */
  #changed: KeyVersions[] = []
  #first = FIRST_REVISION + 1

  /** Takes in the next revision. */
  add(key: string, version: Version): KeyVersions {
    const held = this.keys.ensure(key)
    held.versions.push(version)
    this.#changed.push(held)
    this.current = version.revision
    return held
  }

  /** Takes in what was found on the disk: versions in the order of their keys, so not in that of their revisions. */
  restore(compacted: number, found: Iterable<{ key: string; version: Version }>): void {
    const recent: { revision: number; held: KeyVersions }[] = []
    for (const { key, version } of found) {
      const held = this.keys.ensure(key)
      held.versions.push(version)
      if (version.revision > compacted) recent.push({ revision: version.revision, held })
    }
    recent.sort((a, b) => a.revision - b.revision)
    this.#changed = recent.map(({ held }) => held)
    this.#first = compacted + 1
    this.compacted = compacted
    this.current = recent.at(-1)?.revision ?? compacted
  }

  /** Which key a retained revision (greater than `compacted`) changed. */
  changedBy(revision: number): KeyVersions {
    return this.#changed[revision - this.#first]!
  }

  /** What nobody can read any more once `revision` is compacted. */
  superseded(revision: number): { key: string; revision: number }[] {
    const found: { key: string; revision: number }[] = []
    for (let next = this.compacted + 1; next <= revision; next++) {
      const { key, versions } = this.changedBy(next)
      const at = position(versions, next)
      const previous = versions[at - 1]
      // A deletion has gone by itself, not as what came before a new creation.
      if (previous && previous.createRevision !== 0) found.push({ key, revision: previous.revision })
      if (versions[at]!.createRevision === 0) found.push({ key, revision: next })
    }
    return found
  }

  /** Forgets what `superseded` names. */
  forget(revision: number): void {
    for (let next = this.compacted + 1; next <= revision; next++) {
      const { key, versions } = this.changedBy(next)
      const at = position(versions, next)
      versions.splice(0, versions[at]!.createRevision === 0 ? at + 1 : at)
      if (versions.length === 0) this.keys.remove(key)
    }
    this.#changed.splice(0, revision - this.compacted)
    this.#first = revision + 1
    this.compacted = revision
  }
}

const position = (versions: Version[], revision: number) => versions.findIndex(version => version.revision === revision)

/** The version that stood when `revision` was the newest; undefined when the key did not exist. */
export function versionAt(versions: Version[], revision: number): Version | undefined {
  for (let index = versions.length - 1; index >= 0; index--) {
    const version = versions[index]!
    if (version.revision <= revision) return version.createRevision === 0 ? undefined : version
  }
  return undefined
}
