import type { Clock } from '../base/index.ts'

/** How many times as long as a long answer has worked it leaves to others, if they want the time. */
const SHARE = 20
/** Milliseconds of work after which it is seen whether they do. */
const STINT = 4
/** So many milliseconds at most count as work of one go: more is rather waiting for somebody else. */
const LONGEST = 50
/** Milliseconds of looking: if nearly all of them pass with nothing to do, nobody else wants the time. */
const LOOK = 3
const NEARLY_ALL = 0.8

/**
 * Lets long answers have the time that short requests leave: so that somebody who lists a hundred thousand objects slows
 * down nobody but himself. All long answers together have one share.
 */
export class Background {
  readonly #clock: Clock
  readonly #idle: () => number
  /** Until when all that they did is made up for. */
  #until = 0

  /** `idle`: milliseconds that the event loop has had nothing to do so far. */
  constructor(clock: Clock, idle: () => number) {
    this.#clock = clock
    this.#idle = idle
  }

  /** Resolves when what has worked for so many milliseconds may go on; others have had a turn at any rate. */
  async rest(worked: number): Promise<void> {
    const clock = this.#clock
    this.#until = Math.max(this.#until, clock.monotonic()) + Math.min(worked, LONGEST) * SHARE
    await new Promise(resolve => setImmediate(resolve))
    if (this.#until - clock.monotonic() < STINT * SHARE) return
    while (clock.monotonic() < this.#until) {
      const [began, idle] = [clock.monotonic(), this.#idle()]
      await clock.sleep(LOOK)
      const now = clock.monotonic()
      if (this.#idle() - idle > (now - began) * NEARLY_ALL) this.#until = now
    }
  }
}
