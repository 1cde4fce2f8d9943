import type { core } from '../../api/index.ts'
import { parseDuration } from '../../api/index.ts'
import type { Component, Timer } from '../../base/index.ts'
import type { Informer } from '../../client/index.ts'
import { annotations, type Container, labels, type Sandbox } from '../runtime/runtime.ts'
import type { PodContext } from './context.ts'
import { PodWorker } from './worker.ts'

/** Milliseconds between looks at everything the runtime has: with its events, and without. */
const RELIST = { withEvents: 60_000, without: 1_000 }
/** Events of containers that no worker knows are looked into together. */
const UNKNOWN_DELAY = 1_000

/** One worker for each pod of the node, and what wakes them. */
export class Pods implements Component {
  readonly #context: PodContext
  readonly #informer: Informer<core.Pod>
  /** By uid. */
  readonly #workers = new Map<string, PodWorker>()
  readonly #stopping = new AbortController()
  /** What the runtime had at the last look: `id=state` of each pod. */
  #seen = new Map<string, string>()
  #relistTimer: Timer | undefined
  #relistEvery = RELIST.without
  #relisting: Promise<void> | undefined

  constructor(context: PodContext, informer: Informer<core.Pod>) {
    this.#context = context
    this.#informer = informer
  }

  start(): void {
    this.#informer.addHandlers({
      add: pod => this.#add(pod),
      update: (_, pod) => this.#workers.get(pod.metadata.uid)?.update(pod),
      delete: pod => this.#workers.get(pod.metadata.uid)?.remove(),
    })
    const { runtime } = this.#context
    void runtime
      .watch(id => this.#changed(id), this.#stopping.signal)
      .then(hasEvents => {
        this.#relistEvery = hasEvents ? RELIST.withEvents : RELIST.without
      })
    // What was left from before can be told apart only once it is known what should be here.
    void this.#informer.synced.then(() => this.#relist())
    this.#resyncEvery(parseDuration(this.#context.config.syncFrequency))
  }

  wake(uid: string): void {
    this.#workers.get(uid)?.wake()
  }

  wakeAll(): void {
    for (const worker of this.#workers.values()) worker.wake()
  }

  /** The pods of this node, as the API has them. */
  list(): core.Pod[] {
    return Array.from(this.#workers.values(), ({ pod }) => pod)
  }

  find(namespace: string, name: string): core.Pod | undefined {
    return this.list().find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
  }

  /** Log files of all containers that run. */
  logs(): { id: string; path: string }[] {
    return Array.from(this.#workers.values(), ({ logs }) => logs).flat()
  }

  written(pod: core.Pod): void {
    this.#workers.get(pod.metadata.uid)?.update(pod)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#relistTimer?.cancel()
    await this.#relisting
    await Promise.all(Array.from(this.#workers.values(), worker => worker.stop()))
  }

  #add(pod: core.Pod): void {
    const { uid } = pod.metadata
    const worker = new PodWorker(this.#context, pod, () => this.#workers.delete(uid))
    this.#workers.set(uid, worker)
    worker.wake()
  }

  #changed(id: string | undefined): void {
    const worker = id ? Array.from(this.#workers.values()).find(({ ids }) => ids.has(id)) : undefined
    if (worker && id) worker.ended(id)
    else this.#relistSoon(id ? UNKNOWN_DELAY : 0)
  }

  #resyncEvery(period: number): void {
    const { clock, random } = this.#context
    clock.after(period * (0.5 + random.next()), () => {
      if (this.#stopping.signal.aborted) return
      this.wakeAll()
      this.#resyncEvery(period)
    })
  }

  #relistSoon(delay: number): void {
    if (this.#stopping.signal.aborted) return
    this.#relistTimer?.cancel()
    this.#relistTimer = this.#context.clock.after(delay, () => void this.#relist())
  }

  /** The safety net below the runtime's events: finds what changed unseen, and what belongs to no pod. */
  async #relist(): Promise<void> {
    if (this.#relisting) return
    this.#relisting = this.#look()
      .catch(error =>
        this.#context.log.warn({ error: (error as Error).message }, 'could not list what the runtime has'),
      )
      .finally(() => {
        this.#relisting = undefined
        this.#relistSoon(this.#relistEvery)
      })
    await this.#relisting
  }

  async #look(): Promise<void> {
    const { runtime } = this.#context
    const [sandboxes, containers] = await Promise.all([runtime.listSandboxes(), runtime.listContainers()])
    const found = new Map<string, string[]>()
    const note = (object: Sandbox | Container, state: string) => {
      const uid = object.labels[labels.podUid]
      if (uid) found.set(uid, [...(found.get(uid) ?? []), `${object.id}=${state}`])
    }
    for (const sandbox of sandboxes) note(sandbox, String(sandbox.ready))
    for (const container of containers) note(container, container.state)
    const now = new Map(Array.from(found, ([uid, states]) => [uid, states.sort().join()]))
    for (const [uid, worker] of this.#workers) if (now.get(uid) !== this.#seen.get(uid)) worker.wake()
    this.#seen = now
    for (const uid of now.keys()) if (!this.#workers.has(uid)) this.#adoptOrphan(uid, sandboxes, containers)
    await this.#removeLeftovers()
  }

  /** A pod that is gone from the API but not from here: it gets a worker that ends it. */
  #adoptOrphan(uid: string, sandboxes: Sandbox[], containers: Container[]): void {
    const of = <T extends Sandbox | Container>(objects: T[]) =>
      objects.filter(object => object.labels[labels.podUid] === uid)
    const all = [...of(sandboxes), ...of(containers)]
    const name = all[0]?.labels[labels.podName] ?? ''
    const namespace = all[0]?.labels[labels.podNamespace] ?? ''
    const grace = of(containers).map(found => found.annotations[annotations.terminationGracePeriod])[0]
    const pod: core.Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, uid, resourceVersion: '0', creationTimestamp: '' },
      spec: { containers: [], terminationGracePeriodSeconds: grace === undefined ? undefined : Number(grace) },
      status: {},
    }
    this.#context.log.info({ pod: name, namespace, uid }, 'ending a pod that the API does not know')
    const worker = new PodWorker(this.#context, pod, () => this.#workers.delete(uid))
    this.#workers.set(uid, worker)
    worker.remove()
  }

  /** Volumes and cgroups of pods that are nowhere else any more. */
  async #removeLeftovers(): Promise<void> {
    const { volumes, cgroups, log } = this.#context
    const left = new Set([...(await volumes.pods()), ...(await cgroups.pods())])
    for (const uid of left) {
      if (this.#workers.has(uid) || this.#seen.has(uid)) continue
      try {
        await volumes.tearDown(uid)
        await cgroups.remove(uid)
      } catch (error) {
        log.warn({ uid, error: (error as Error).message }, 'could not remove what a pod left')
      }
    }
  }
}
