import type { Clock, Timer } from '../../base/index.ts'

/** How often they are looked at, in milliseconds: one timer for all requests costs less than one each. */
const TICK = 1000

/** What is to end by a certain moment; whatever has not, is told so within a second. */
export class Deadlines<T> {
  readonly #clock: Clock
  readonly #missed: (one: T) => void
  readonly #due = new Map<T, number>()
  #timer: Timer | undefined

  constructor(clock: Clock, missed: (one: T) => void) {
    this.#clock = clock
    this.#missed = missed
  }

  /** `duration`: milliseconds from now. */
  add(one: T, duration: number): void {
    this.#due.set(one, this.#clock.monotonic() + duration)
    this.#timer ??= this.#clock.after(TICK, () => this.#check())
  }

  remove(one: T): void {
    this.#due.delete(one)
  }

  #check(): void {
    const now = this.#clock.monotonic()
    for (const [one, at] of this.#due) {
      if (at > now) continue
      this.#due.delete(one)
      this.#missed(one)
    }
    this.#timer = this.#due.size ? this.#clock.after(TICK, () => this.#check()) : undefined
  }
}
