import type { Clock } from '../base/index.ts'

/** Source: k8s.io/kubernetes/pkg/controller (ExpectationsTimeout) */
const TIMEOUT = 5 * 60_000

interface Expected {
  creations: number
  /** By `namespace/name`, since an object that is being deleted is seen several times. */
  deletions: Set<string>
  since: number
}

/**
 * What a controller has asked for and its informer has not yet shown. While something is expected, the lister is
 * behind, and acting on it would create or delete twice. What never comes is given up after five minutes.
 */
export class Expectations {
  readonly #clock: Clock
  readonly #expected = new Map<string, Expected>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Replaces what was expected for `key`. Call it before asking, since the informer may be faster than the answer. */
  expectCreations(key: string, count: number): void {
    this.#expected.set(key, { creations: count, deletions: new Set(), since: this.#clock.monotonic() })
  }

  expectDeletions(key: string, objectKeys: string[]): void {
    this.#expected.set(key, { creations: 0, deletions: new Set(objectKeys), since: this.#clock.monotonic() })
  }

  /** Also for a creation that failed. */
  creationObserved(key: string): void {
    const expected = this.#expected.get(key)
    if (expected) expected.creations--
  }

  /** Also for a deletion that failed. */
  deletionObserved(key: string, objectKey: string): void {
    this.#expected.get(key)?.deletions.delete(objectKey)
  }

  /** Whether the lister shows all that was asked for. */
  satisfied(key: string): boolean {
    const expected = this.#expected.get(key)
    if (!expected) return true
    if (expected.creations <= 0 && expected.deletions.size === 0) return true
    return this.#clock.monotonic() - expected.since > TIMEOUT
  }

  forget(key: string): void {
    this.#expected.delete(key)
  }
}
