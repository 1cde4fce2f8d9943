import type { Clock, Logger, Timer } from '../../base/index.ts'
import { StoreClosed } from '../store.ts'
import type { Revisions } from './revisions.ts'
import type { Writer } from './writer.ts'

/** How many revisions one transaction forgets: little enough that writes do not wait for it. */
const STEP = 256
/** How often the present revision is noted, and the oldest note that is old enough acted upon. */
const INTERVAL = 30_000

/**
 * Forgets history, in small steps between the writes. By itself it keeps what is younger than `keep` milliseconds and,
 * since every retained revision costs memory, at most `most` revisions.
 */
export class Compaction {
  readonly #revisions: Revisions
  readonly #writer: Writer
  readonly #clock: Clock
  readonly #log: Logger
  readonly #keep: number
  readonly #most: number
  #notes: { at: number; revision: number }[] = []
  #target = 0
  #step: Promise<void> | undefined
  #timer: Timer | undefined

  constructor(
    revisions: Revisions,
    writer: Writer,
    { clock, log, keep, most }: { clock: Clock; log: Logger; keep: number; most: number },
  ) {
    this.#revisions = revisions
    this.#writer = writer
    this.#clock = clock
    this.#log = log
    this.#keep = keep
    this.#most = most
  }

  start(): void {
    const now = this.#clock.monotonic()
    this.#notes.push({ at: now, revision: this.#revisions.current })
    this.#timer = this.#clock.after(Math.min(INTERVAL, this.#keep), () => {
      this.compact(this.#due()).catch(error => {
        if (!(error instanceof StoreClosed)) this.#log.error({ error }, 'compaction failed')
      })
      this.start()
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  /** Resolves when everything up to `revision` is forgotten. */
  async compact(revision: number): Promise<void> {
    this.#target = Math.max(this.#target, revision)
    while (this.#revisions.compacted < revision) {
      this.#step ??= this.#forget()
      await this.#step
    }
  }

  async #forget(): Promise<void> {
    try {
      await this.#writer.forget(Math.min(this.#target, this.#revisions.compacted + STEP))
    } finally {
      this.#step = undefined
    }
  }

  #due(): number {
    const old = this.#notes.findLastIndex(({ at }) => at <= this.#clock.monotonic() - this.#keep)
    if (old > 0) this.#notes.splice(0, old)
    const byAge = old >= 0 ? this.#notes[0]!.revision : 0
    return Math.max(byAge, this.#revisions.current - this.#most)
  }
}
