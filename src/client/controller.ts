import { is, type KubeObject } from '../api/index.ts'
import type { Clock, Component, Logger } from '../base/index.ts'
import { keyOf } from './cache.ts'
import type { Informer } from './informer.ts'
import { type RateLimiter, WorkQueue } from './work-queue.ts'

/**
 * Brings the world closer to what the object named by `key` asks for.
 *
 * It is told which object to look at and never what happened to it: it reads the present state from listers, compares
 * it with the state that is wanted, and acts on the difference. So it may be called once for many changes, again for
 * none, or after a restart for everything, and comes to the same end. An object that is gone is simply not found.
 * A rejection is retried with growing waits; `after` asks for another look at a later moment, in milliseconds.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a reconciler that has nothing more to say just ends
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult | void>

export interface ReconcileResult {
  after?: number
}

/** A stream of keys to look at. */
export interface Source {
  /** Returns what ends it. */
  start(enqueue: (key: string) => void): () => void
  readonly synced: Promise<void>
}

/**
 * Every object that an informer sees, as the keys to look at because of it: by default its own. For a change both
 * the old and the new object are asked, so that whoever lost an object hears of it as well.
 */
export function from<T extends KubeObject>(
  informer: Informer<T>,
  keys: (object: T) => string | string[] | undefined = keyOf,
): Source {
  return {
    synced: informer.synced,
    start(enqueue) {
      const enqueueAll = (...objects: T[]) => {
        const found = new Set(objects.flatMap(object => keys(object) ?? []))
        for (const key of found) enqueue(key)
      }
      return informer.addHandlers({
        add: object => enqueueAll(object),
        update: (old, object) => enqueueAll(old, object),
        delete: object => enqueueAll(object),
      })
    },
  }
}

export interface ControllerOptions {
  name: string
  /** How many keys are worked on at a time. Default: 5, as upstream's. */
  workers?: number
  sources: Source[]
  /** Further informers whose first lists the reconciler relies on. */
  needs?: { readonly synced: Promise<void> }[]
  reconcile: Reconcile
  limiter?: RateLimiter
  /** Milliseconds after which `signal` aborts a reconcile. Default: two minutes */
  timeout?: number
  clock: Clock
  log: Logger
}

export interface Controller extends Component {
  enqueue(key: string, after?: number): void
}

/** Runs `reconcile` for each key that the sources name, once all of them have told their present state. */
export function startController(options: ControllerOptions): Controller {
  const { name, workers = 5, sources, needs = [], limiter, clock } = options
  const log = options.log.child({ controller: name })
  const queue = new WorkQueue(clock, limiter)
  const stopping = new AbortController()
  const ends = sources.map(source => source.start(key => queue.add(key)))
  const running = run()

  async function run(): Promise<void> {
    await untilAborted(Promise.all([...sources, ...needs].map(source => source.synced)), stopping.signal)
    await Promise.all(Array.from({ length: workers }, work))
  }

  async function work(): Promise<void> {
    for (;;) {
      const key = await queue.get()
      if (key === undefined) return
      await reconcileOne(key)
      queue.done(key)
    }
  }

  async function reconcileOne(key: string): Promise<void> {
    const late = new AbortController()
    const timeout = options.timeout ?? 120_000
    const timer = clock.after(timeout, () => late.abort(new Error(`reconcile took longer than ${timeout / 1000} s`)))
    try {
      const result = await options.reconcile(key, AbortSignal.any([late.signal, stopping.signal]))
      queue.forget(key)
      if (result?.after !== undefined) queue.addAfter(key, result.after)
    } catch (error) {
      if (stopping.signal.aborted) return
      report(key, error)
      queue.addRateLimited(key)
    } finally {
      timer.cancel()
    }
  }

  /** That somebody else was faster is how optimistic locking works, and no news. */
  function report(key: string, error: unknown): void {
    const fields = { key, failures: queue.failures(key) + 1, error: error instanceof Error ? error.message : error }
    if (is(error, 'Conflict')) log.debug(fields, 'the object has changed meanwhile, trying again')
    else log.warn(fields, 'reconcile failed, trying again')
  }

  return {
    enqueue: (key, after = 0) => queue.addAfter(key, after),
    async stop() {
      stopping.abort(new Error(`${name} is stopping`))
      for (const end of ends) end()
      queue.close()
      await running
    },
  }
}

/** Resolves with `promise`, or as soon as `signal` aborts. */
function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve()
  return Promise.race([promise, new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))])
}
