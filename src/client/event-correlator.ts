import { type core, formatTime } from '../api/index.ts'
import type { Clock } from '../base/index.ts'

/** Upstream's bounds. Source: k8s.io/client-go/tools/record/events_cache.go */
const MOST_REMEMBERED = 4096
const SIMILAR_EVENTS = 10
const SIMILAR_WITHIN = 10 * 60_000
const BURST = 25
/** One more event every five minutes, per source and object. */
const REFILL = 5 * 60_000

interface Similar {
  messages: Set<string>
  last: number
}

interface Written {
  name: string
  firstTimestamp: string
  count: number
}

interface Bucket {
  tokens: number
  at: number
}

/**
 * Makes few events of many: the same one again only raises the count of the first; one that differs only in its
 * message, more than ten times within ten minutes, becomes a combined one; and what one object makes of them is bounded.
 */
export class EventCorrelator {
  readonly #clock: Clock
  readonly #similar = new Map<string, Similar>()
  readonly #written = new Map<string, Written>()
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The event to write and whether it is already there, or undefined when it is one too many. */
  correlate(event: core.Event): { event: core.Event; exists: boolean } | undefined {
    if (!this.#allowed(sourceKey(event))) return undefined
    const { key, message } = this.#aggregate(event)
    const known = this.#written.get(key)
    const written = known
      ? { ...known, count: known.count + 1 }
      : { name: event.metadata.name, firstTimestamp: event.firstTimestamp ?? formatTime(this.#clock.now()), count: 1 }
    remember(this.#written, key, written)
    const { name, firstTimestamp, count } = written
    const metadata = { ...event.metadata, name }
    return { event: { ...event, metadata, message, firstTimestamp, count }, exists: known !== undefined }
  }

  /** The event is no longer on the server: the next like it starts anew. */
  forget(event: core.Event): void {
    this.#written.delete(similarKey(event))
    this.#written.delete(`${similarKey(event)}|${event.message}`)
  }

  #aggregate(event: core.Event): { key: string; message: string } {
    const key = similarKey(event)
    const message = event.message ?? ''
    const now = this.#clock.monotonic()
    let similar = this.#similar.get(key)
    if (!similar || now - similar.last > SIMILAR_WITHIN) similar = { messages: new Set(), last: now }
    similar.last = now
    similar.messages.add(message)
    remember(this.#similar, key, similar)
    if (similar.messages.size < SIMILAR_EVENTS) return { key: `${key}|${message}`, message }
    const [oldest] = similar.messages
    similar.messages.delete(oldest!)
    return { key, message: `(combined from similar events): ${message}` }
  }

  #allowed(key: string): boolean {
    const now = this.#clock.monotonic()
    const bucket = this.#buckets.get(key) ?? { tokens: BURST, at: now }
    const tokens = Math.min(BURST, bucket.tokens + (now - bucket.at) / REFILL)
    const allowed = tokens >= 1
    remember(this.#buckets, key, { tokens: allowed ? tokens - 1 : tokens, at: now })
    return allowed
  }
}

const sourceKey = ({ source, involvedObject }: core.Event) =>
  [
    source.component,
    source.host,
    involvedObject.kind,
    involvedObject.namespace,
    involvedObject.name,
    involvedObject.uid,
  ].join('|')

const similarKey = (event: core.Event) =>
  [sourceKey(event), event.involvedObject.fieldPath, event.type, event.reason].join('|')

/** Puts the entry last and drops the first when there are too many: the map's order is that of last use. */
function remember<T>(entries: Map<string, T>, key: string, value: T): void {
  entries.delete(key)
  entries.set(key, value)
  if (entries.size <= MOST_REMEMBERED) return
  const [oldest] = entries.keys()
  entries.delete(oldest!)
}
