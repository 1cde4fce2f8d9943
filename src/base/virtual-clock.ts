import { type Clock, sleepOn, type Timer } from './clock.ts'

interface Pending {
  at: number
  run: () => void
}

/**
 * A clock that moves only when told to. Timers run in the order of their moments, and between two of them the
 * event loop is drained, so that what one timer sets going has happened before the next runs.
 */
export class VirtualClock implements Clock {
  #now: number
  readonly #start: number
  readonly #pending = new Set<Pending>()

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start
    this.#start = start
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now - this.#start
  }

  after(delay: number, run: () => void): Timer {
    const pending = { at: this.#now + Math.max(0, delay), run }
    this.#pending.add(pending)
    return { cancel: () => void this.#pending.delete(pending) }
  }

  sleep(delay: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delay, signal)
  }

  /** Moves time forward by `duration`, running every timer that falls due on the way. */
  async advance(duration: number): Promise<void> {
    const end = this.#now + duration
    for (;;) {
      await settle()
      const next = this.#earliest()
      if (!next || next.at > end) break
      this.#pending.delete(next)
      this.#now = next.at
      next.run()
    }
    this.#now = end
    await settle()
  }

  #earliest(): Pending | undefined {
    let first: Pending | undefined
    for (const pending of this.#pending) if (!first || pending.at < first.at) first = pending
    return first
  }
}

/** Lets everything that is ready to run do so. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}
