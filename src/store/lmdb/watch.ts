import type { Clock, Logger, Timer } from '../../base/index.ts'
import { type Change, Compacted, StoreClosed, type Watcher, type WatchHandlers } from '../store.ts'
import type { Revisions } from './revisions.ts'
import type { Values } from './values.ts'

/** How much of the past is replayed in one turn of the event loop. */
const REPLAY = 500
const PROGRESS_INTERVAL = 1000

interface Subscription {
  prefix: string
  handlers: WatchHandlers
  /** Every change up to this revision has been delivered or did not concern the prefix. */
  seen: number
  /** The revision that the handlers know of. */
  told: number
}

/**
 * Everybody who watches. A subscription first replays the past in steps, and joins the live ones in the same turn in
 * which it has caught up: so nothing is missed between the two and nothing is told twice.
 */
export class Watchers {
  readonly #revisions: Revisions
  readonly #values: Values
  readonly #clock: Clock
  readonly #log: Logger
  readonly #all = new Set<Subscription>()
  /** Those that have caught up, by prefix, so that a batch is filtered once for all of a prefix. */
  readonly #live = new Map<string, Set<Subscription>>()
  #progress: Timer | undefined
  #closed = false

  constructor(revisions: Revisions, values: Values, clock: Clock, log: Logger) {
    this.#revisions = revisions
    this.#values = values
    this.#clock = clock
    this.#log = log
  }

  watch(prefix: string, after: number, handlers: WatchHandlers): Watcher {
    const seen = after === 0 ? this.#revisions.compacted : after
    const subscription = { prefix, handlers, seen, told: seen }
    this.#all.add(subscription)
    if (this.#closed) setImmediate(() => this.#fail(subscription, new StoreClosed('the store is closed')))
    else setImmediate(() => this.#replay(subscription))
    return { close: () => this.#remove(subscription) }
  }

  /** Delivers a batch that has become durable. */
  deliver(changes: Change[]): void {
    const newest = changes.at(-1)!.revision
    for (const [prefix, subscriptions] of this.#live) {
      const concerned = changes.filter(change => change.key.startsWith(prefix))
      for (const subscription of [...subscriptions]) {
        // One that asked for the future may have seen part of the batch, or all of it.
        const fresh =
          concerned[0] && concerned[0].revision <= subscription.seen ? newer(concerned, subscription.seen) : concerned
        if (newest > subscription.seen) subscription.seen = newest
        if (fresh.length > 0) this.#tell(subscription, fresh)
      }
    }
    this.#progress ??= this.#clock.after(PROGRESS_INTERVAL, () => this.#tellProgress())
  }

  close(): void {
    this.#closed = true
    this.#progress?.cancel()
    for (const subscription of [...this.#all]) this.#fail(subscription, new StoreClosed('the store is closed'))
  }

  #replay(subscription: Subscription): void {
    if (!this.#all.has(subscription)) return
    const { current, compacted } = this.#revisions
    if (subscription.seen < compacted) {
      this.#fail(subscription, new Compacted(compacted))
      return
    }
    const end = Math.min(current, subscription.seen + REPLAY)
    const changes: Change[] = []
    for (let revision = subscription.seen + 1; revision <= end; revision++) {
      const change = this.#change(subscription.prefix, revision)
      if (change) changes.push(change)
    }
    subscription.seen = Math.max(subscription.seen, end)
    const isOver = end >= current
    if (isOver) this.#join(subscription)
    if (changes.length > 0) this.#tell(subscription, changes)
    if (!isOver) void this.#replayOn(subscription)
  }

  async #replayOn(subscription: Subscription): Promise<void> {
    await subscription.handlers.drained?.()
    setImmediate(() => this.#replay(subscription))
  }

  #change(prefix: string, revision: number): Change | undefined {
    const { key, versions } = this.#revisions.changedBy(revision)
    if (!key.startsWith(prefix)) return undefined
    const at = versions.findLastIndex(version => version.revision === revision)
    const version = versions[at]!
    const before = versions[at - 1]
    const previous = before && before.createRevision !== 0 ? this.#values.entry(key, before) : undefined
    if (version.createRevision === 0) return { type: 'delete', key, revision, previous }
    return { type: 'put', key, revision, entry: this.#values.entry(key, version), previous }
  }

  #join(subscription: Subscription): void {
    const others = this.#live.get(subscription.prefix)
    if (others) others.add(subscription)
    else this.#live.set(subscription.prefix, new Set([subscription]))
  }

  #tell(subscription: Subscription, changes: Change[]): void {
    // A handler may have closed another one's watch a moment ago.
    if (!this.#all.has(subscription)) return
    subscription.told = changes.at(-1)!.revision
    try {
      subscription.handlers.changes(changes)
    } catch (error) {
      this.#log.error({ error, prefix: subscription.prefix }, 'a watcher threw')
      this.#fail(subscription, error as Error)
    }
  }

  #tellProgress(): void {
    this.#progress = undefined
    for (const subscriptions of this.#live.values())
      for (const subscription of [...subscriptions]) {
        if (subscription.seen <= subscription.told || !this.#all.has(subscription)) continue
        subscription.told = subscription.seen
        subscription.handlers.progress?.(subscription.seen)
      }
  }

  #fail(subscription: Subscription, error: Error): void {
    if (!this.#all.has(subscription)) return
    this.#remove(subscription)
    subscription.handlers.failed(error)
  }

  #remove(subscription: Subscription): void {
    this.#all.delete(subscription)
    const group = this.#live.get(subscription.prefix)
    group?.delete(subscription)
    if (group?.size === 0) this.#live.delete(subscription.prefix)
  }
}

const newer = (changes: Change[], revision: number) => changes.filter(change => change.revision > revision)
