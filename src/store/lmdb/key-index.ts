import type { Entry } from '../store.ts'

/** One write of one key. */
export interface Version {
  revision: number
  /** The revision that created the key; 0 when this write deleted it. */
  createRevision: number
  /** When the key's time to live ends, in milliseconds since the epoch; 0 for never. */
  expires: number
  /** The value, while it is worth its memory. */
  entry?: Entry
}

/** A key with its retained versions, oldest first. There is at least one; the last may be a deletion. */
export interface KeyVersions {
  key: string
  versions: Version[]
}

const LEAF = 512

/** All keys in order: a list of short sorted arrays, so that an insertion moves few elements. */
export class KeyIndex {
  readonly #leaves: KeyVersions[][] = [[]]

  find(key: string): KeyVersions | undefined {
    const leaf = this.#leaves[this.#leafOf(key)]!
    const found = leaf[lowerBound(leaf, key)]
    return found?.key === key ? found : undefined
  }

  /** The key's entry in the index, made (without versions) when there is none. */
  ensure(key: string): KeyVersions {
    const at = this.#leafOf(key)
    const leaf = this.#leaves[at]!
    const position = lowerBound(leaf, key)
    const found = leaf[position]
    if (found?.key === key) return found
    const made = { key, versions: [] }
    leaf.splice(position, 0, made)
    // A full last leaf is left full: keys that arrive in order, as they do while loading, fill every leaf.
    if (leaf.length > LEAF) {
      const keep = at === this.#leaves.length - 1 && position === LEAF ? LEAF : LEAF / 2
      this.#leaves.splice(at + 1, 0, leaf.splice(keep))
    }
    return made
  }

  remove(key: string): void {
    const at = this.#leafOf(key)
    const leaf = this.#leaves[at]!
    const position = lowerBound(leaf, key)
    if (leaf[position]?.key !== key) return
    leaf.splice(position, 1)
    if (leaf.length === 0 && this.#leaves.length > 1) this.#leaves.splice(at, 1)
  }

  /** Every key that begins with `prefix` and is greater than `after`, in order. */
  *range(prefix: string, after = ''): Generator<KeyVersions> {
    const exclusive = after >= prefix
    const start = exclusive ? after : prefix
    let at = this.#leafOf(start)
    let position = lowerBound(this.#leaves[at]!, start)
    for (; at < this.#leaves.length; at++, position = 0) {
      const leaf = this.#leaves[at]!
      for (; position < leaf.length; position++) {
        const found = leaf[position]!
        if (exclusive && found.key === start) continue
        if (!found.key.startsWith(prefix)) return
        yield found
      }
    }
  }

  /** The leaf that holds `key` or would: the last one that does not begin after it. */
  #leafOf(key: string): number {
    let low = 0
    let high = this.#leaves.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#leaves[middle]![0]!.key <= key) low = middle
      else high = middle - 1
    }
    return low
  }
}

function lowerBound(leaf: KeyVersions[], key: string): number {
  let low = 0
  let high = leaf.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (leaf[middle]!.key < key) low = middle + 1
    else high = middle
  }
  return low
}
