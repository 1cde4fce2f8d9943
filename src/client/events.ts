import { type core, formatTime, is, type KubeObject, resources, StatusError } from '../api/index.ts'
import type { Clock, Component, Logger, Random } from '../base/index.ts'
import type { Client } from './client.ts'
import { EventCorrelator } from './event-correlator.ts'

export interface EventRecorderOptions {
  client: Client
  /** `deployment-controller`, `kubelet`: who says it. */
  component: string
  /** The node, of what runs on one. */
  host?: string
  clock: Clock
  random: Random
  log: Logger
}

/** An event of an object: `reason` in UpperCamelCase for programs, `message` for people. */
type Regarding = core.ObjectReference | KubeObject

/** Upstream's bounds. Source: k8s.io/client-go/tools/record/event.go */
const MOST_WAITING = 1000
const MOST_TRIES = 12
const RETRY_EVERY = 10_000

/**
 * Tells people what happened to an object, as core/v1 Events. It never waits and never fails: events are sent one
 * after another in the background, and the newest are dropped when too many wait.
 */
export class EventRecorder implements Component {
  readonly #options: EventRecorderOptions
  readonly #correlator: EventCorrelator
  readonly #waiting: core.Event[] = []
  readonly #stopping = new AbortController()
  #sending: Promise<void> | undefined

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#correlator = new EventCorrelator(options.clock)
  }

  normal(regarding: Regarding, reason: string, message: string): void {
    this.event(regarding, 'Normal', reason, message)
  }

  warning(regarding: Regarding, reason: string, message: string): void {
    this.event(regarding, 'Warning', reason, message)
  }

  event(regarding: Regarding, type: 'Normal' | 'Warning', reason: string, message: string): void {
    if (this.#stopping.signal.aborted || this.#waiting.length >= MOST_WAITING) return
    this.#waiting.push(this.#make(referenceTo(regarding), type, reason, message))
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined
    })
  }

  /** Sends what waits, without further tries, and accepts nothing more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#sending
  }

  #make(involvedObject: core.ObjectReference, type: string, reason: string, message: string): core.Event {
    const { component, host, clock, random } = this.#options
    const now = formatTime(clock.now())
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${involvedObject.name}.${nanoseconds(clock, random).toString(16)}`,
        namespace: involvedObject.namespace || 'default',
      } as core.Event['metadata'],
      involvedObject,
      reason,
      message,
      source: { component, ...(host ? { host } : {}) },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      reportingComponent: component,
      reportingInstance: host ?? '',
    }
  }

  async #send(): Promise<void> {
    for (let event = this.#waiting.shift(); event; event = this.#waiting.shift()) {
      const correlated = this.#correlator.correlate(event)
      if (correlated) await this.#deliver(correlated.event, correlated.exists)
    }
  }

  async #deliver(event: core.Event, exists: boolean): Promise<void> {
    const { clock, log } = this.#options
    const signal = this.#stopping.signal
    for (let tries = 1; ; tries++) {
      try {
        return await this.#write(event, exists)
      } catch (error) {
        if (error instanceof StatusError && error.code < 500) {
          // Nothing can be said in a namespace that is going away.
          log.debug({ event: event.message, error: error.message }, 'the server refused an event')
          return
        }
        if (tries === MOST_TRIES || signal.aborted) {
          log.warn({ event: event.message, error: (error as Error).message }, 'an event could not be sent')
          return
        }
        await clock.sleep(RETRY_EVERY, signal).catch(() => {})
      }
    }
  }

  async #write(event: core.Event, exists: boolean): Promise<void> {
    const { client } = this.#options
    if (exists) {
      const { count, lastTimestamp, message } = event
      try {
        await client.patch(resources.events, event.metadata, {
          type: 'strategic',
          body: { count, lastTimestamp, message },
        })
        return
      } catch (error) {
        // Events expire on the server.
        if (!is(error, 'NotFound')) throw error
        this.#correlator.forget(event)
      }
    }
    await client.create(resources.events, event)
  }
}

/** Nanoseconds since the epoch; what the clock does not know of them is chance, which keeps names apart. */
const nanoseconds = (clock: Clock, random: Random): bigint =>
  BigInt(Math.floor(clock.now())) * 1_000_000n + BigInt(Math.floor(random.next() * 1_000_000))

/** What an event, or a target of an endpoint, names an object by. */
export function referenceTo(object: Regarding): core.ObjectReference {
  if (!('metadata' in object)) return object
  const { name, namespace, uid, resourceVersion } = object.metadata
  const { kind, apiVersion } = object
  return { kind, ...(namespace ? { namespace } : {}), name, uid, apiVersion, resourceVersion }
}
