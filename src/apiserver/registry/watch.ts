import { errors, type StatusError } from '../../api/index.ts'
import { type Change, Compacted, type Entry, FutureRevision, type Store, StoreClosed } from '../../store/index.ts'
import { memoized } from '../memo.ts'
import type { EventType, View } from '../views/view.ts'
import { listOptions } from './list-options.ts'
import { type Call, type Registry, storeOf } from './registry.ts'
import { reached } from './revisions.ts'
import { type Selection, selection } from './selection.ts'
import { prefixOf } from './served.ts'

/** Where the events of a watch go. */
export interface Sink {
  /** False when the client is too far behind to go on. */
  write(events: Buffer[]): boolean
  /** Resolves when little of what was written waits for the client, or when that is gone. */
  drained(): Promise<void>
  /** Ends the answer as one that is complete. */
  end(): void
  /** Called when the client is gone; at most once. */
  closed(run: () => void): void
}

/** How long a watch lasts at least that does not say so, in seconds. Source: kube-apiserver --min-request-timeout */
const SHORTEST = 1800
const BOOKMARK_INTERVAL = 60_000
/** How many bytes of the initial state are read in one turn of the event loop. */
const CHUNK_BYTES = 256 * 1024

interface WatchOptions {
  selected: Selection
  bookmarks: boolean
  /** Only what happens after it; undefined to begin with the present state. */
  after?: number
  /** The present state must be no older than this revision. */
  atLeast?: number
  /** The initial state is to be followed by a bookmark that says it is complete. */
  initialEnd: boolean
  /** Nothing of the present is wanted, only what happens from now on. */
  fromNow: boolean
  /** Milliseconds. */
  duration: number
}

/** Checks what the client asks, and reads nothing yet, so that a bad question gets a plain answer. */
export function watchOptions(registry: Registry, { shown, name }: Call, query: URLSearchParams): WatchOptions {
  const options = listOptions(query, 'watch')
  const { resourceVersion: after, sendInitialEvents: asked, allowWatchBookmarks: bookmarks } = options
  // Who asks for no revision gets the present state in any case. Source: SetListOptionsDefaults
  const initial = asked ?? !after
  const seconds = options.timeoutSeconds || (registry.shortestWatch ?? SHORTEST) * (1 + registry.random.next())
  return {
    selected: selection(shown, query, name),
    bookmarks,
    initialEnd: initial && bookmarks,
    fromNow: !initial && !after,
    duration: seconds * 1000,
    ...(initial ? { atLeast: after } : { after }),
  }
}

/**
 * Streams changes until the client goes, the time is up, or the revision is too old. Once begun, every failure is an ERROR
 * event, as upstream's cacher does it.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export class Watch {
  readonly #registry: Registry
  readonly #store: Store
  readonly #call: Call
  readonly #view: View
  readonly #sink: Sink
  readonly #options: WatchOptions
  readonly #cleanups: (() => void)[] = []
  #seen = 0
  #over = false

  constructor(registry: Registry, call: Call, view: View, sink: Sink, options: WatchOptions) {
    this.#registry = registry
    this.#store = storeOf(registry, call.served)
    this.#call = call
    this.#view = view
    this.#sink = sink
    this.#options = options
  }

  async start(): Promise<void> {
    const { clock } = this.#registry
    const { bookmarks, duration, fromNow } = this.#options
    this.#sink.closed(() => this.#stop())
    const timeout = clock.after(duration, () => this.#finish())
    this.#cleanups.push(() => timeout.cancel())
    if (bookmarks) this.#bookmarkEvery(BOOKMARK_INTERVAL)
    this.#endWithDefinition()
    try {
      const { atLeast } = this.#options
      if (atLeast) await reached(this.#registry, atLeast)
      this.#seen = this.#options.after ?? (fromNow ? await this.#store.revision() : await this.#initial())
      if (!this.#over) this.#follow()
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #endWithDefinition(): void {
    const { watches } = this.#call.served.custom ?? {}
    if (!watches) return
    const end = () => this.#finish()
    watches.add(end)
    this.#cleanups.push(() => watches.delete(end))
  }

  /** The present state as ADDED events, as fast as the client takes them; returns its revision. */
  async #initial(): Promise<number> {
    const { clock, background } = this.#registry
    const { served, namespace } = this.#call
    const prefix = prefixOf(served, namespace)
    let page = await this.#store.list(prefix, { bytes: CHUNK_BYTES, uncounted: true })
    const { revision } = page
    const into = page.remaining ? { into: Buffer.allocUnsafeSlow(CHUNK_BYTES) } : {}
    for (let began = clock.monotonic(); ; began = clock.monotonic()) {
      const lines = this.#options.selected
        .filter(page.entries)
        .map(entry => this.#view.event('ADDED', entry, entry.modRevision))
      if (this.#over || !this.#write(lines)) return revision
      if (!page.remaining) break
      const worked = clock.monotonic() - began
      await this.#sink.drained()
      await background.rest(worked)
      const { key } = page.entries.at(-1)!
      page = await this.#store.list(prefix, { after: key, bytes: CHUNK_BYTES, uncounted: true, revision, ...into })
    }
    if (this.#options.initialEnd) this.#write([this.#view.bookmark(revision, true)])
    return revision
  }

  #follow(): void {
    const { served, namespace } = this.#call
    const watcher = this.#store.watch(prefixOf(served, namespace), this.#seen, {
      changes: changes => this.#changes(changes),
      drained: () => this.#sink.drained(),
      progress: revision => {
        this.#seen = Math.max(this.#seen, revision)
      },
      failed: error => this.#fail(error),
    })
    this.#cleanups.push(() => watcher.close())
  }

  #changes(changes: Change[]): void {
    if (this.#over) return
    const lines: Buffer[] = []
    for (const change of changes) {
      const line = eventLine(this.#view, this.#options.selected, change)
      if (line) lines.push(line)
    }
    this.#seen = Math.max(this.#seen, changes.at(-1)!.revision)
    this.#write(lines)
  }

  #write(lines: Buffer[]): boolean {
    if (!lines.length) return true
    if (this.#sink.write(lines)) return true
    this.#stop()
    return false
  }

  #bookmarkEvery(interval: number): void {
    const next = () => this.#registry.clock.after(interval, tick)
    const tick = () => {
      timer = next()
      if (this.#seen) this.#write([this.#view.bookmark(this.#seen, false)])
    }
    let timer = next()
    this.#cleanups.push(() => timer.cancel())
  }

  /** The time is up: the last thing said is how far the client has come. */
  #finish(): void {
    if (this.#over) return
    if (this.#options.bookmarks && this.#seen) this.#write([this.#view.bookmark(this.#seen, false)])
    this.#stop()
    this.#sink.end()
  }

  #fail(error: Error): void {
    if (this.#over) return
    this.#stop()
    if (!(error instanceof StoreClosed)) {
      const { status } = explained(error, this.#seen)
      this.#sink.write([this.#view.error(status)])
    }
    this.#sink.end()
  }

  #stop(): void {
    if (this.#over) return
    this.#over = true
    for (const cleanup of this.#cleanups) cleanup()
  }
}

function explained(error: Error, seen: number): StatusError {
  if (error instanceof Compacted) return errors.expired(`too old resource version: ${seen} (${error.oldest})`)
  if (error instanceof FutureRevision) return errors.timeout(error.message)
  if ('status' in error) return error as StatusError
  return errors.internal(error.message)
}

/** What each view has made of a change, for all who watch it in that view. */
const lines = new WeakMap<Change, Map<View, Partial<Record<EventType, Buffer>>>>()

/** The line for a change, if the selection has to do with it. An object that enters it is added, one that leaves it deleted. */
function eventLine(view: View, selected: Selection, change: Change): Buffer | undefined {
  const { entry, previous } = change
  const is = entry !== undefined && selected.matches(entry)
  const was = previous !== undefined && selected.matches(previous)
  if (is) return line(view, was ? 'MODIFIED' : 'ADDED', entry, change)
  return was ? line(view, 'DELETED', previous, change) : undefined
}

function line(view: View, type: EventType, entry: Entry, change: Change): Buffer {
  const ofChange = memoized(lines, change, () => new Map())
  const ofView = memoized(ofChange, view, () => ({}))
  ofView[type] ??= view.event(type, entry, change.revision)
  return ofView[type]
}
