import type { Clock } from '../../base/index.ts'

interface Failure {
  wait: number
  at: number
  message: string
}

/** Delays that double with each failure of a key, and start anew after twice the longest without one. */
export class Backoffs {
  readonly #limits: { first: number; most: number }
  readonly #clock: Clock
  readonly #failures = new Map<string, Failure>()

  constructor(limits: { first: number; most: number }, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** How long still to wait, and the message of the last failure; undefined when there is nothing to wait for. */
  remaining(key: string): { wait: number; message: string } | undefined {
    const failure = this.#failures.get(key)
    if (!failure) return undefined
    const wait = failure.at + failure.wait - this.#clock.monotonic()
    return wait > 0 ? { wait, message: failure.message } : undefined
  }

  /** Counts a failure; returns the delay until the next try. */
  failed(key: string, message = ''): number {
    const now = this.#clock.monotonic()
    const last = this.#failures.get(key)
    const { first, most } = this.#limits
    const fresh = !last || now - last.at > 2 * most
    const wait = fresh ? first : Math.min(most, last.wait * 2)
    this.#failures.set(key, { wait, at: now, message })
    return wait
  }

  forget(key: string): void {
    this.#failures.delete(key)
  }

  collect(): void {
    const now = this.#clock.monotonic()
    for (const [key, { at }] of this.#failures) if (now - at > 2 * this.#limits.most) this.#failures.delete(key)
  }
}

/** Upstream's delays between restarts of a container that keeps ending. */
const RESTART = { first: 10_000, most: 300_000 }

/**
 * When a container that ended may run again: at once the first time, then 10 s after its end, doubling to 5 minutes;
 * from the beginning once it ran for twice the longest delay.
 */
export class RestartBackoff {
  readonly #entries = new Map<string, { wait: number; updated: number }>()

  /** `finishedAt` and `now` in milliseconds since the epoch. The delay that holds, with what is left of it. */
  remaining(key: string, finishedAt: number, now: number): { wait: number; left: number } | undefined {
    const entry = this.#entries.get(key)
    if (!entry || expired(entry, finishedAt)) return undefined
    const left = finishedAt + entry.wait - now
    return left > 0 ? { wait: entry.wait, left } : undefined
  }

  /** The container is being started again. */
  restarted(key: string, finishedAt: number, now: number): void {
    const entry = this.#entries.get(key)
    const wait = !entry || expired(entry, finishedAt) ? RESTART.first : Math.min(RESTART.most, entry.wait * 2)
    this.#entries.set(key, { wait, updated: now })
  }
}

const expired = ({ updated }: { updated: number }, finishedAt: number) => finishedAt - updated > 2 * RESTART.most
