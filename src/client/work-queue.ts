import type { Clock, Timer } from '../base/index.ts'

/** How long a key waits after each failure in a row. */
export interface RateLimiter {
  /** Counts a failure and gives the milliseconds to wait. */
  when(key: string): number
  forget(key: string): void
  failures(key: string): number
}

/** Upstream's defaults. Source: k8s.io/client-go/util/workqueue/default_rate_limiters.go */
const FIRST_WAIT = 5
const LONGEST_WAIT = 1_000_000

export function exponentialRateLimiter(first = FIRST_WAIT, longest = LONGEST_WAIT): RateLimiter {
  const failures = new Map<string, number>()
  return {
    when(key) {
      const before = failures.get(key) ?? 0
      failures.set(key, before + 1)
      return Math.min(longest, first * 2 ** before)
    },
    forget: key => void failures.delete(key),
    failures: key => failures.get(key) ?? 0,
  }
}

/**
 * Keys that await a worker. A key that is added twice is worked on once; one that is added while a worker has it comes
 * again when that worker is done, so no two workers ever have the same key and no change is missed.
 * Source: k8s.io/client-go/util/workqueue
 */
export class WorkQueue {
  readonly #clock: Clock
  readonly #limiter: RateLimiter
  /** In the order in which they came. */
  readonly #waiting = new Set<string>()
  readonly #working = new Set<string>()
  readonly #again = new Set<string>()
  readonly #delayed = new Map<string, { at: number; timer: Timer }>()
  readonly #idle: ((key: string | undefined) => void)[] = []
  #closed = false

  constructor(clock: Clock, limiter: RateLimiter = exponentialRateLimiter()) {
    this.#clock = clock
    this.#limiter = limiter
  }

  /** How many keys await a worker, not counting those whose moment has not come. */
  get length(): number {
    return this.#waiting.size
  }

  add(key: string): void {
    if (this.#closed) return
    if (this.#working.has(key)) {
      this.#again.add(key)
      return
    }
    if (this.#waiting.has(key)) return
    const worker = this.#idle.shift()
    if (worker) this.#give(key, worker)
    else this.#waiting.add(key)
  }

  /** After `delay` ms. Of several moments for a key, the earliest counts. */
  addAfter(key: string, delay: number): void {
    if (this.#closed) return
    if (delay <= 0) {
      this.add(key)
      return
    }
    const at = this.#clock.monotonic() + delay
    const planned = this.#delayed.get(key)
    if (planned && planned.at <= at) return
    planned?.timer.cancel()
    const timer = this.#clock.after(delay, () => {
      this.#delayed.delete(key)
      this.add(key)
    })
    this.#delayed.set(key, { at, timer })
  }

  /** After a wait that doubles with each call, until `forget`. */
  addRateLimited(key: string): void {
    this.addAfter(key, this.#limiter.when(key))
  }

  forget(key: string): void {
    this.#limiter.forget(key)
  }

  failures(key: string): number {
    return this.#limiter.failures(key)
  }

  /** The next key, as soon as there is one; undefined once the queue is closed. Whoever gets a key calls `done`. */
  get(): Promise<string | undefined> {
    return new Promise(resolve => {
      if (this.#closed) return resolve(undefined)
      const [key] = this.#waiting
      if (key === undefined) return void this.#idle.push(resolve)
      this.#waiting.delete(key)
      this.#give(key, resolve)
    })
  }

  done(key: string): void {
    this.#working.delete(key)
    if (this.#again.delete(key)) this.add(key)
  }

  /** Drops what waits; workers get undefined. */
  close(): void {
    this.#closed = true
    this.#waiting.clear()
    this.#again.clear()
    for (const { timer } of this.#delayed.values()) timer.cancel()
    this.#delayed.clear()
    for (const worker of this.#idle.splice(0)) worker(undefined)
  }

  #give(key: string, worker: (key: string) => void): void {
    this.#working.add(key)
    worker(key)
  }
}
