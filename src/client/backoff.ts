import type { Random } from '../base/index.ts'

export interface BackoffOptions {
  /** Milliseconds before the second try. */
  first: number
  most: number
  factor?: number
  /** How much longer than computed a wait may be: 1 means up to twice as long. */
  jitter?: number
}

/** How long to wait after each failure in a row. */
export class Backoff {
  readonly #options: BackoffOptions
  readonly #random: Random
  #failures = 0

  constructor(options: BackoffOptions, random: Random) {
    this.#options = options
    this.#random = random
  }

  /** Counts a failure and gives the milliseconds to wait after it. */
  next(): number {
    const { first, most, factor = 2, jitter = 0 } = this.#options
    const wait = Math.min(most, first * factor ** this.#failures)
    if (wait < most) this.#failures++
    return wait * (1 + jitter * this.#random.next())
  }

  reset(): void {
    this.#failures = 0
  }
}
