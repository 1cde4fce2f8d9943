import type { Clock, Timer } from '../../base/index.ts'
import type { Context } from './context.ts'

export interface Limits {
  /** How many requests may be under way at once that only read, and that write; 0 for any number. */
  reading: number
  writing: number
  /** Whether both share what there is, and whoever comes later waits for a while. Source: --enable-priority-and-fairness */
  fair: boolean
}

/** Source: kube-apiserver --max-requests-inflight and --max-mutating-requests-inflight */
export const LIMITS: Limits = { reading: 400, writing: 200, fair: true }

/** How long a request waits for its turn, in milliseconds; a quarter of the usual timeout, as upstream. */
const PATIENCE = 15_000
const LONGEST_QUEUE = 10_000
const MASTERS = 'system:masters'

interface Waiting {
  context: Context
  go(): void
  timer: Timer
}

/** Bounds how many requests are under way. Those of `system:masters`, watches and streams are not counted. */
export class InFlight {
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #entered = new Map<Context, 'reading' | 'writing'>()
  readonly #queue = new Set<Waiting>()
  readonly #count = { reading: 0, writing: 0 }

  constructor(limits: Limits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Resolves when it is the request's turn. Rejects with 429. */
  enter(context: Context, mutating: boolean): void | Promise<void> {
    if (context.user.groups.includes(MASTERS)) return
    const kind = mutating ? 'writing' : 'reading'
    if (this.#hasRoom(kind)) return this.#take(context, kind)
    if (!this.#limits.fair || this.#queue.size >= LONGEST_QUEUE) throw new TooMany()
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(PATIENCE, () => {
        this.#queue.delete(waiting)
        reject(new TooMany())
      })
      const go = () => {
        timer.cancel()
        this.#take(context, kind)
        resolve()
      }
      const waiting = { context, go, timer }
      this.#queue.add(waiting)
    })
  }

  leave(context: Context): void {
    const kind = this.#entered.get(context)
    if (!kind) return
    this.#entered.delete(context)
    this.#count[kind]--
    const [next] = this.#queue
    if (!next) return
    this.#queue.delete(next)
    next.go()
  }

  #hasRoom(kind: 'reading' | 'writing'): boolean {
    const { reading, writing, fair } = this.#limits
    const limit = fair ? reading + writing : this.#limits[kind]
    const taken = fair ? this.#entered.size : this.#count[kind]
    return limit === 0 || taken < limit
  }

  #take(context: Context, kind: 'reading' | 'writing'): void {
    this.#entered.set(context, kind)
    this.#count[kind]++
  }
}

/** Upstream says this in plain text. */
export class TooMany extends Error {
  constructor() {
    super('Too many requests, please try again later.')
  }
}
