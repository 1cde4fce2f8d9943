import { apiVersion, is, type KubeObject, type Resource, StatusError } from '../api/index.ts'
import type { Clock, Logger, Random } from '../base/index.ts'
import { Backoff } from './backoff.ts'
import { Cache, type IndexFunction, keyOf, type Lister } from './cache.ts'
import type { Client, WatchEvent } from './client.ts'

export interface InformerHandlers<T> {
  add?(object: T): void
  update?(old: T, object: T): void
  /** The last that was seen of it. */
  delete?(object: T): void
}

/** Which objects. Informers with the same selection are one and the same. */
export interface Selection {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  /** Only `metadata` without its annotations is wanted. Whole objects come if somebody else already has them here. */
  metadataOnly?: boolean
}

/**
 * A copy of one collection, kept true by list and watch. It survives any absence of the server; what it missed
 * meanwhile it hands to its handlers as differences.
 */
export interface Informer<T> {
  readonly lister: Lister<T>
  /** Resolves once the first list has been handed to every handler. */
  readonly synced: Promise<void>
  readonly hasSynced: boolean
  /**
   * Handlers run in order, synchronously, and must not throw. What is already known comes first, as `add`. An object
   * that was deleted and made anew unseen comes as `delete` and `add`. Returns what takes the handlers away again.
   */
  addHandlers(handlers: InformerHandlers<T>): () => void
  /** Makes `lister.byIndex(name, value)` work. Adding the same name again changes nothing. */
  addIndex(name: string, values: IndexFunction<T>): void
}

export interface InformersOptions {
  clock: Clock
  random: Random
  log: Logger
}

/** The informers of one process: whoever asks for the same objects shares one watch and one copy of them. */
export class Informers {
  readonly #client: Client
  readonly #options: InformersOptions
  readonly #informers = new Map<string, Reflector<KubeObject>>()
  readonly #stopping = new AbortController()

  constructor(client: Client, options: InformersOptions) {
    this.#client = client
    this.#options = options
  }

  /** The informer starts with the first that asks for it. */
  get<T extends KubeObject>(type: Resource<T>, selection: Selection = {}): Informer<T> {
    const { namespace, labelSelector, fieldSelector, metadataOnly } = selection
    const key = [type.group, type.version, type.resource, namespace, labelSelector, fieldSelector].join('|')
    const whole = this.#informers.get(key)
    if (whole) return whole as unknown as Informer<T>
    const ownKey = metadataOnly ? `${key}|metadata` : key
    let informer = this.#informers.get(ownKey)
    if (!informer) {
      informer = new Reflector(this.#client, type as Resource, selection, this.#options, this.#stopping.signal)
      this.#informers.set(ownKey, informer)
    }
    return informer as unknown as Informer<T>
  }

  /** Ends one informer, for a kind that is no longer served. Its lister stays as it is. */
  async remove(type: Resource, selection: Selection = {}): Promise<void> {
    for (const [key, informer] of this.#informers) {
      if (informer.type !== type || informer.selection.namespace !== selection.namespace) continue
      this.#informers.delete(key)
      await informer.stop()
    }
  }

  /** Resolves when every informer asked for so far has its first list. */
  async synced(): Promise<void> {
    await Promise.all(Array.from(this.#informers.values(), informer => informer.synced))
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(Array.from(this.#informers.values(), informer => informer.stop()))
  }
}

/** Upstream's backoff of a reflector. Source: k8s.io/client-go/tools/cache/reflector.go */
const BACKOFF = { first: 800, most: 30_000, jitter: 1 }
/** A watch that ends sooner than this without a single event was no success. */
const SHORTEST_WATCH = 1000
/** Seconds; upstream ends watches after 5 to 10 minutes, so that they spread over servers. */
const WATCH_TIMEOUT = 300

class Reflector<T extends KubeObject> implements Informer<T> {
  readonly type: Resource<T>
  readonly selection: Selection
  readonly lister = new Cache<T>()
  readonly synced: Promise<void>
  hasSynced = false
  readonly #client: Client
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Logger
  readonly #backoff: Backoff
  readonly #handlers = new Set<InformerHandlers<T>>()
  readonly #indexes = new Set<string>()
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>
  #resourceVersion = ''
  #markSynced = () => {}

  constructor(client: Client, type: Resource<T>, selection: Selection, options: InformersOptions, signal: AbortSignal) {
    this.type = type
    this.selection = selection
    this.#client = client
    this.#clock = options.clock
    this.#random = options.random
    this.#log = options.log.child({ informer: type.group ? `${type.resource}.${type.group}` : type.resource })
    this.#backoff = new Backoff(BACKOFF, options.random)
    this.synced = new Promise(resolve => {
      this.#markSynced = resolve
    })
    if (signal.aborted) this.#stopping.abort()
    this.#ended = this.#run(this.#stopping.signal)
  }

  addIndex(name: string, values: IndexFunction<T>): void {
    if (this.#indexes.has(name)) return
    this.#indexes.add(name)
    this.lister.addIndex(name, values)
  }

  addHandlers(handlers: InformerHandlers<T>): () => void {
    for (const object of this.lister.list()) this.#call(() => handlers.add?.(object))
    this.#handlers.add(handlers)
    return () => void this.#handlers.delete(handlers)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#ended
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion) await this.#checkRevision()
        if (!this.#resourceVersion) await this.#list()
        await this.#watch(signal)
      } catch (error) {
        if (signal.aborted) return
        if (!this.#canResume(error)) this.#resourceVersion = ''
        // That a revision is forgotten is no failure of the server.
        const wait = is(error, 'Expired') ? BACKOFF.first : this.#backoff.next()
        this.#log.debug(
          { error: (error as Error).message, wait: Math.round(wait) },
          'list or watch failed, trying again',
        )
        await this.#clock.sleep(wait, signal).catch(() => {})
      }
    }
  }

  /** A server that does not answer, or not now, says nothing about the revision; any other refusal may be about it. */
  #canResume(error: unknown): boolean {
    return !(error instanceof StatusError) || error.code === 429 || error.code === 503
  }

  /** A server that came back with older data would let us wait for a revision that is far in its future. */
  async #checkRevision(): Promise<void> {
    const { metadata } = await this.#client.list(this.type, { namespace: this.selection.namespace, limit: 1 })
    if (Number(metadata.resourceVersion) < Number(this.#resourceVersion)) this.#resourceVersion = ''
  }

  async #list(): Promise<void> {
    const { namespace, labelSelector, fieldSelector, metadataOnly } = this.selection
    const list = await this.#client.list(this.type, { namespace, labelSelector, fieldSelector, metadataOnly })
    if (this.#stopping.signal.aborted) return
    const gone = new Set(this.lister.keys())
    for (const object of list.items) {
      gone.delete(keyOf(object))
      this.#set(object)
    }
    for (const key of gone) this.#delete(key)
    this.#resourceVersion = list.metadata.resourceVersion ?? ''
    this.hasSynced = true
    this.#markSynced()
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { namespace, labelSelector, fieldSelector, metadataOnly } = this.selection
    const started = this.#clock.monotonic()
    let events = 0
    const watch = this.#client.watch(this.type, {
      namespace,
      labelSelector,
      fieldSelector,
      metadataOnly,
      resourceVersion: this.#resourceVersion,
      bookmarks: true,
      timeoutSeconds: Math.round(WATCH_TIMEOUT * (1 + this.#random.next())),
      signal,
    })
    for await (const event of watch) {
      if (signal.aborted) return
      if (events++ === 0) this.#backoff.reset()
      this.#apply(event)
    }
    if (events > 0 || signal.aborted) return
    if (this.#clock.monotonic() - started < SHORTEST_WATCH) throw new Error('the watch ended at once')
    this.#backoff.reset()
  }

  #apply({ type, object }: WatchEvent<T>): void {
    this.#resourceVersion = object.metadata.resourceVersion
    if (type === 'BOOKMARK') return
    if (type === 'DELETED') this.#delete(keyOf(object), object)
    else this.#set(object)
  }

  #set(object: T): void {
    const kept = this.#trim(object)
    const key = keyOf(kept)
    const old = this.lister.getByKey(key)
    if (old?.metadata.resourceVersion === kept.metadata.resourceVersion && old.metadata.uid === kept.metadata.uid)
      return
    if (old && old.metadata.uid !== kept.metadata.uid) this.#delete(key)
    const previous = this.lister.set(key, kept)
    for (const handlers of this.#handlers) {
      this.#call(() => (previous ? handlers.update?.(previous, kept) : handlers.add?.(kept)))
    }
  }

  #delete(key: string, last?: T): void {
    const previous = this.lister.delete(key)
    const final = last ? this.#trim(last) : previous
    if (!previous || !final) return
    for (const handlers of this.#handlers) this.#call(() => handlers.delete?.(final))
  }

  /** No component reads who manages which field, and it is often half of the object. */
  #trim(object: T): T {
    if (this.selection.metadataOnly) {
      const { managedFields: _, annotations: __, ...metadata } = object.metadata
      return { apiVersion: apiVersion(this.type), kind: this.type.kind, metadata } as T
    }
    if (object.metadata.managedFields) delete object.metadata.managedFields
    return object
  }

  #call(handler: () => void): void {
    try {
      handler()
    } catch (error) {
      this.#log.error({ error }, 'a handler failed')
    }
  }
}
