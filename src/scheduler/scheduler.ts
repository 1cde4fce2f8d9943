import { hostname } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { type core, is, resources } from '../api/index.ts'
import type { Clock, Component, Logger, Random } from '../base/index.ts'
import { type Client, EventRecorder, type Informer, Informers, keyOf, LeaderElector } from '../client/index.ts'
import { Cache } from './cache.ts'
import { fitMessage } from './fit-message.ts'
import type { ClusterEvent, CycleState, Failure, Queued } from './framework.ts'
import { defaultPlugins } from './plugins/index.ts'
import { Profile } from './profile.ts'
import { SchedulingQueue } from './queue.ts'
import { reportUnscheduled } from './report.ts'

export interface SchedulerOptions {
  client: Client
  /** Act only while holding the Lease kube-system/kube-scheduler. Default: false */
  leaderElect?: boolean
  clock: Clock
  random: Random
  log: Logger
}

/** The only profile, and what `spec.schedulerName` must say for a pod to be ours. */
const PROFILE = 'default-scheduler'
/** Finished pods take no room. */
const UNFINISHED = 'status.phase!=Succeeded,status.phase!=Failed'
/** Bindings and status reports under way. */
const MOST_CALLS = 100
/** Cycles in a row before the event loop gets its turn. */
const CYCLES_IN_A_ROW = 16

export async function startScheduler(options: SchedulerOptions): Promise<Component> {
  const scheduler = new Scheduler(options)
  if (!options.leaderElect) {
    scheduler.resume()
    return scheduler
  }
  const elector = new LeaderElector({
    ...options,
    namespace: 'kube-system',
    name: 'kube-scheduler',
    identity: `${hostname()}_${options.random.uuid()}`,
    lead: () => scheduler.resume(),
    lost: () => scheduler.pause(),
  })
  return {
    async stop() {
      await elector.stop()
      await scheduler.stop()
    },
  }
}

/**
 * Takes one pod after another from the queue, finds the best node for it, assumes it there, and binds it while the next
 * is looked at. All that it knows it learns anew after a restart; what it assumed and could not bind it forgets.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
 */
class Scheduler implements Component {
  readonly #options: SchedulerOptions
  readonly #log: Logger
  readonly #informers: Informers
  readonly #pods: Informer<core.Pod>
  readonly #recorder: EventRecorder
  readonly #profile: Profile
  readonly #cache = new Cache()
  readonly #queue: SchedulingQueue
  readonly #calls = new Set<Promise<void>>()
  #synced = false
  #paused = true
  #running: Promise<void> | undefined

  constructor(options: SchedulerOptions) {
    const { client, clock, log } = options
    this.#options = options
    this.#log = log
    this.#profile = new Profile(defaultPlugins(client))
    this.#queue = new SchedulingQueue({ clock, plugins: this.#profile.plugins, ready: () => this.#wake() })
    this.#recorder = new EventRecorder({ ...options, component: PROFILE })
    this.#informers = new Informers(client, options)
    this.#pods = this.#informers.get(resources.pods, { fieldSelector: UNFINISHED })
    this.#watchNodes()
    this.#watchPods()
    // Before all pods are known, a node may look emptier than it is.
    this.#informers.synced().then(() => {
      this.#synced = true
      this.#wake()
    })
  }

  resume(): void {
    this.#paused = false
    this.#wake()
  }

  pause(): void {
    this.#paused = true
  }

  async stop(): Promise<void> {
    this.pause()
    this.#queue.stop()
    await this.#informers.stop()
    await this.#running
    await Promise.all(this.#calls)
    await this.#recorder.stop()
  }

  #watchNodes(): void {
    this.#informers.get(resources.nodes).addHandlers({
      add: node => {
        this.#cache.setNode(node)
        this.#queue.moveOn('NodeAdd')
      },
      update: (old, node) => {
        this.#cache.setNode(node)
        for (const event of nodeEvents(old, node)) this.#queue.moveOn(event)
      },
      delete: node => this.#cache.removeNode(node.metadata.name),
    })
  }

  #watchPods(): void {
    this.#pods.addHandlers({
      add: pod => this.#observe(pod),
      update: (old, pod) => this.#observe(pod, old),
      delete: pod => this.#forget(pod),
    })
  }

  #observe(pod: core.Pod, old?: core.Pod): void {
    const uid = pod.metadata.uid
    const { nodeName, schedulerName } = pod.spec
    if (nodeName) {
      this.#queue.delete(uid)
      this.#cache.setPod(pod, nodeName)
      if (!old?.spec.nodeName) this.#queue.moveOn('AssignedPodAdd')
      else if (!isDeepStrictEqual(old.spec, pod.spec)) this.#queue.moveOn('AssignedPodUpdate')
    } else if (schedulerName === PROFILE && !this.#cache.hasPod(uid)) {
      if (old) this.#queue.update(pod)
      else this.#queue.add(pod)
    }
  }

  #forget(pod: core.Pod): void {
    this.#queue.delete(pod.metadata.uid)
    if (this.#cache.removePod(pod.metadata.uid)) this.#queue.moveOn('AssignedPodDelete')
  }

  #wake(): void {
    if (this.#running || this.#paused || !this.#synced) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      if (this.#queue.hasReady) this.#wake()
    })
  }

  async #run(): Promise<void> {
    for (let cycles = 1; !this.#paused; cycles++) {
      const queued = this.#queue.pop()
      if (!queued) return
      this.#schedule(queued)
      if (this.#calls.size >= MOST_CALLS) await Promise.race(this.#calls)
      else if (cycles % CYCLES_IN_A_ROW === 0) await new Promise(resolve => setImmediate(resolve))
    }
  }

  #schedule(queued: Queued): void {
    const { pod } = queued
    if (pod.metadata.deletionTimestamp) {
      this.#recorder.warning(pod, 'FailedScheduling', `skip schedule deleting pod: ${keyOf(pod)}`)
      return
    }
    try {
      this.#findNode(queued)
    } catch (error) {
      this.#fail(queued, (error as Error).message)
    }
  }

  #findNode(queued: Queued): void {
    const { pod } = queued
    if (this.#cache.list.length === 0) {
      this.#reject(queued, 'no nodes available to schedule pods', [])
      return
    }
    const state: CycleState = new Map()
    const outcome = this.#profile.findNode(state, pod, this.#cache)
    if ('failure' in outcome) {
      this.#rejectUnfit(state, queued, outcome.failure)
      return
    }
    this.#cache.setPod(pod, outcome.node)
    this.#profile.reserve(state, pod, outcome.node)
    this.#track(this.#bind(state, queued, outcome.node))
  }

  async #bind(state: CycleState, queued: Queued, node: string): Promise<void> {
    const { pod } = queued
    try {
      await this.#profile.bind(state, pod, node)
      this.#recorder.normal(pod, 'Scheduled', `Successfully assigned ${keyOf(pod)} to ${node}`)
      this.#log.info({ pod: keyOf(pod), node, attempts: queued.attempts }, 'bound pod to node')
    } catch (error) {
      this.#profile.unreserve(state, pod, node)
      this.#unassume(queued, error as Error)
    }
  }

  /** The binding failed, or its answer was lost: only the API server knows which node the pod has, if any. */
  #unassume(queued: Queued, error: Error): void {
    const { uid } = queued.pod.metadata
    const latest = this.#latest(queued.pod)
    // Bound after all, and counted where it is.
    if (latest?.spec.nodeName) return
    if (this.#cache.removePod(uid)) this.#queue.moveOn('AssignedPodDelete')
    if (!latest || is(error, 'NotFound')) return
    queued.pod = latest
    this.#fail(queued, `binding rejected: ${error.message}`)
  }

  #rejectUnfit(state: CycleState, queued: Queued, failure: Failure): void {
    const more = this.#profile.postFilter(state, queued.pod, failure)
    const message = [fitMessage(failure), ...(more.length ? [more.join(', ')] : [])].join(' ')
    const { rejections, absent, preFilter } = failure
    const rejectors = [...rejections.values(), absent, preFilter].flatMap(rejection => rejection?.plugin ?? [])
    this.#reject(queued, message, rejectors)
  }

  #reject(queued: Queued, message: string, rejectors: string[]): void {
    this.#log.info({ pod: keyOf(queued.pod), message }, 'no node for pod')
    this.#queue.reject(queued, rejectors)
    this.#report(queued.pod, 'Unschedulable', message)
  }

  #fail(queued: Queued, message: string): void {
    this.#log.warn({ pod: keyOf(queued.pod), message }, 'could not schedule pod, trying again')
    this.#queue.fail(queued)
    this.#report(queued.pod, 'SchedulerError', message)
  }

  #report(pod: core.Pod, reason: 'Unschedulable' | 'SchedulerError', message: string): void {
    this.#recorder.warning(pod, 'FailedScheduling', message)
    this.#track(reportUnscheduled(this.#options, this.#latest(pod) ?? pod, reason, message))
  }

  /** The same pod as the API server last showed it, unless it is gone. */
  #latest({ metadata: { namespace, name, uid } }: core.Pod): core.Pod | undefined {
    const pod = this.#pods.lister.get({ namespace, name })
    return pod?.metadata.uid === uid ? pod : undefined
  }

  #track(call: Promise<void>): void {
    const tracked = call.finally(() => this.#calls.delete(tracked))
    this.#calls.add(tracked)
  }
}

/** What of a node's change can make a pod schedulable. */
function nodeEvents(old: core.Node, node: core.Node): ClusterEvent[] {
  const events: ClusterEvent[] = []
  if (!isDeepStrictEqual(old.status.allocatable, node.status.allocatable)) events.push('NodeAllocatable')
  if (!isDeepStrictEqual(old.metadata.labels, node.metadata.labels)) events.push('NodeLabel')
  const unchanged =
    old.spec.unschedulable === node.spec.unschedulable && isDeepStrictEqual(old.spec.taints, node.spec.taints)
  if (!unchanged) events.push('NodeTaint')
  return events
}
