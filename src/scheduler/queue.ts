import { isDeepStrictEqual } from 'node:util'
import type { core } from '../api/index.ts'
import type { Clock, Timer } from '../base/index.ts'
import type { ClusterEvent, Plugin, Queued } from './framework.ts'
import { Heap } from './heap.ts'

const FIRST_BACKOFF = 1000
const LONGEST_BACKOFF = 10_000
/** A rejected pod is tried again after this long even if nothing happened that could help. */
const LONGEST_REJECTED = 5 * 60_000

export interface QueueOptions {
  clock: Clock
  plugins: Plugin[]
  /** Called when a pod has become ready to be popped. */
  ready: () => void
}

/**
 * The pods that wait for a node, each in one of five places: active (to be tried now, by QueueSort's order), backoff
 * (to be tried at a moment, or when nothing else is to be done: KEP-5142), failed (to be tried at a moment), rejected
 * (until an event can help) and gated (until the pod itself changes).
 * A popped pod is in none of them; whoever popped it gives it back with `reject` or `fail`, or not at all.
 */
export class SchedulingQueue {
  readonly #clock: Clock
  readonly #plugins: Plugin[]
  readonly #events: Map<string, Set<ClusterEvent> | undefined>
  readonly #ready: () => void
  readonly #active: Heap<Queued>
  readonly #backoff = new Heap(byBackoffEnd)
  readonly #failed = new Heap(byBackoffEnd)
  readonly #rejected = new Map<string, Queued>()
  readonly #gated = new Map<string, Queued>()
  /** Everything in the five places by pod uid. */
  readonly #waiting = new Map<string, Queued>()
  #timer: Timer | undefined

  constructor({ clock, plugins, ready }: QueueOptions) {
    this.#clock = clock
    this.#plugins = plugins
    this.#ready = ready
    this.#events = new Map(plugins.map(({ name, events }) => [name, events && new Set(events)]))
    const { less } = plugins.find(plugin => plugin.less) ?? {}
    if (!less) throw new Error('one plugin must sort the queue')
    this.#active = new Heap((a, b) => less(a, b))
  }

  get size(): { active: number; backoff: number; unschedulable: number; gated: number } {
    return {
      active: this.#active.size,
      backoff: this.#backoff.size + this.#failed.size,
      unschedulable: this.#rejected.size,
      gated: this.#gated.size,
    }
  }

  /** Whether `pop` would give a pod. */
  get hasReady(): boolean {
    return this.#active.size + this.#backoff.size > 0
  }

  add(pod: core.Pod): void {
    this.delete(pod.metadata.uid)
    const now = this.#clock.monotonic()
    this.#admit({ pod, added: now, timestamp: now, attempts: 0, rejectors: new Set() })
    this.#changed()
  }

  /** Takes over the pod's new state; tries it anew if its spec or labels changed. */
  update(pod: core.Pod): void {
    const queued = this.#waiting.get(pod.metadata.uid)
    if (!queued) {
      this.add(pod)
      return
    }
    const old = queued.pod
    queued.pod = pod
    if (isDeepStrictEqual([old.spec, old.metadata.labels], [pod.spec, pod.metadata.labels])) return
    this.#remove(queued)
    this.#admit(queued)
    this.#changed()
  }

  delete(uid: string): void {
    const queued = this.#waiting.get(uid)
    if (queued) this.#remove(queued)
  }

  pop(): Queued | undefined {
    const queued = this.#active.pop() ?? this.#backoff.pop()
    if (!queued) return undefined
    this.#waiting.delete(queued.pod.metadata.uid)
    queued.attempts++
    return queued
  }

  /** No node would do, because of `rejectors` (plugin names). */
  reject(queued: Queued, rejectors: Iterable<string>): void {
    queued.rejectors = new Set(rejectors)
    queued.timestamp = this.#clock.monotonic()
    this.#waiting.set(queued.pod.metadata.uid, queued)
    this.#rejected.set(queued.pod.metadata.uid, queued)
    this.#changed()
  }

  /** Something went wrong that had nothing to do with the pod: it is tried again after its backoff. */
  fail(queued: Queued): void {
    queued.timestamp = this.#clock.monotonic()
    queued.rejectors = new Set()
    this.#waiting.set(queued.pod.metadata.uid, queued)
    this.#failed.push(queued)
    this.#changed()
  }

  /** Tries again the rejected pods that `event` can help. */
  moveOn(event: ClusterEvent): void {
    for (const queued of [...this.#rejected.values()]) {
      if (!this.#helps(event, queued)) continue
      this.#remove(queued)
      this.#admit(queued)
    }
    this.#changed()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #helps(event: ClusterEvent, { rejectors }: Queued): boolean {
    if (rejectors.size === 0) return true
    for (const name of rejectors) if (this.#events.get(name)?.has(event) ?? true) return true
    return false
  }

  #admit(queued: Queued): void {
    const uid = queued.pod.metadata.uid
    this.#waiting.set(uid, queued)
    if (this.#plugins.some(plugin => plugin.preEnqueue?.(queued.pod) !== undefined)) this.#gated.set(uid, queued)
    else if (backoffEnd(queued) > this.#clock.monotonic()) this.#backoff.push(queued)
    else this.#active.push(queued)
  }

  #remove(queued: Queued): void {
    const uid = queued.pod.metadata.uid
    this.#waiting.delete(uid)
    this.#rejected.delete(uid)
    this.#gated.delete(uid)
    this.#active.delete(queued)
    this.#backoff.delete(queued)
    this.#failed.delete(queued)
  }

  /** To be called after every change: says when a pod can be popped, and wakes at the moment of the next that will. */
  #changed(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.hasReady) this.#ready()
    const moments = []
    for (const soonest of [this.#backoff.peek(), this.#failed.peek()]) if (soonest) moments.push(backoffEnd(soonest))
    // Rejected pods are kept in the order in which they were rejected.
    for (const oldest of this.#rejected.values()) {
      moments.push(oldest.timestamp + LONGEST_REJECTED)
      break
    }
    if (moments.length === 0) return
    const wait = Math.max(0, Math.min(...moments) - this.#clock.monotonic())
    this.#timer = this.#clock.after(wait, () => this.#wake())
  }

  #wake(): void {
    const now = this.#clock.monotonic()
    for (const heap of [this.#backoff, this.#failed]) {
      for (let first = heap.peek(); first && backoffEnd(first) <= now; first = heap.peek()) {
        heap.pop()
        this.#active.push(first)
      }
    }
    for (const queued of this.#rejected.values()) {
      if (queued.timestamp + LONGEST_REJECTED > now) break
      this.#remove(queued)
      this.#admit(queued)
    }
    this.#changed()
  }
}

/** The moment before which a pod that was tried is not tried again: 1 s after the first time, then twice that, up to 10 s. */
const backoffEnd = ({ timestamp, attempts }: Queued): number =>
  attempts === 0 ? timestamp : timestamp + Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (attempts - 1))

const byBackoffEnd = (a: Queued, b: Queued): number => backoffEnd(a) - backoffEnd(b)
