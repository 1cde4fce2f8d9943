import type { Clock, Logger, Timer } from '../../base/index.ts'
import { RevisionMismatch, StoreClosed } from '../store.ts'
import type { Writer } from './writer.ts'

const INTERVAL = 5000
/** How many keys one sweep deletes at a time. */
const STEP = 500

/** Deletes keys whose time to live has ended, within a few seconds. Upstream's etcd leases are no more exact. */
export class Expiry {
  readonly #writer: Writer
  readonly #clock: Clock
  readonly #log: Logger
  readonly #keys = new Map<string, { expires: number; revision: number }>()
  #timer: Timer | undefined
  #stopped = false

  constructor(writer: Writer, clock: Clock, log: Logger) {
    this.#writer = writer
    this.#clock = clock
    this.#log = log
  }

  /** `expires` in milliseconds since the epoch. */
  add(key: string, revision: number, expires: number): void {
    this.#keys.set(key, { expires, revision })
    this.#arm()
  }

  /** A key was deleted, or written without a time to live. */
  remove(key: string): void {
    this.#keys.delete(key)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #arm(): void {
    if (this.#stopped || this.#keys.size === 0) return
    this.#timer ??= this.#clock.after(INTERVAL, () => {
      this.#sweep()
        .catch(error => {
          if (!(error instanceof StoreClosed)) this.#log.error({ error }, 'deleting expired keys failed')
        })
        .finally(() => {
          this.#timer = undefined
          this.#arm()
        })
    })
  }

  async #sweep(): Promise<void> {
    const now = this.#clock.now()
    const due = [...this.#keys].filter(([, { expires }]) => expires <= now)
    for (let start = 0; start < due.length; start += STEP)
      await Promise.all(due.slice(start, start + STEP).map(([key, { revision }]) => this.#delete(key, revision)))
  }

  async #delete(key: string, revision: number): Promise<void> {
    try {
      await this.#writer.write({ key, expected: revision, expires: 0 })
    } catch (error) {
      // Written or deleted meanwhile: then its time has changed too.
      if (!(error instanceof RevisionMismatch)) throw error
    }
  }
}
