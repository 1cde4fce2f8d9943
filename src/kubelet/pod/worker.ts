import { isDeepStrictEqual } from 'node:util'
import { type core, is, isSidecar, parseTime, resources } from '../../api/index.ts'
import type { Timer } from '../../base/index.ts'
import type { SandboxConfig } from '../runtime/runtime.ts'
import { type Actions, computeActions } from './actions.ts'
import { RestartBackoff } from './backoff.ts'
import { type EventType, type PodContext, tell } from './context.ts'
import { dnsConfigOf } from './dns.ts'
import { removeDeadContainers, removePod } from './garbage.ts'
import { type Images, StartError } from './images.ts'
import { killContainer, killContainers } from './kill.ts'
import { logDirectoryOf, sandboxConfig } from './sandbox-config.ts'
import { containerHash, containerNamed, initContainers } from './spec.ts'
import { authsOf, crashLoop, startContainer } from './start.ts'
import { latest, type PodState, type RunContainer, running } from './state.ts'
import { podStatus } from './status.ts'

/** Milliseconds between attempts at a pod that cannot be brought where it should be. */
const RETRY = { first: 500, most: 10_000 }
/** Looks at what was told to have ended, the first after so many milliseconds, each after twice as many. */
const FIRST_LOOK = 10
const MOST_LOOKS = 8

/**
 * Brings one pod to where it should be. Whatever happens (the object changed, a container ended, a probe changed its
 * mind, a delay is over) only wakes it; each time it looks at everything anew, and never twice at once.
 */
export class PodWorker {
  readonly uid: string
  readonly #context: PodContext
  readonly #onEnd: () => void
  readonly #backoff = new RestartBackoff()
  readonly #reasons = new Map<string, core.ContainerStateWaiting>()
  /** Names of containers and sandboxes, so that the runtime's events find their pod. */
  ids = new Set<string>()
  /** Log files of the containers that run. */
  logs: { id: string; path: string }[] = []
  /** What was told to have ended and is not seen to have, with how often it was looked at since. */
  readonly #endings = new Map<string, number>()
  #pod: core.Pod
  #status: core.PodStatus | undefined
  #ended: { reason: string; message: string } | undefined
  /** The object is gone from the API. */
  #gone = false
  #wanted = false
  #stopped = false
  #running: Promise<void> | undefined
  #timer: { at: number; timer: Timer } | undefined
  #retry = RETRY.first
  /** Aborts what a pod that is going away need not wait for. */
  #leaving = new AbortController()
  /** The grace period that the containers are being stopped with. */
  #grace: number | undefined

  constructor(context: PodContext, pod: core.Pod, onEnd: () => void) {
    this.#context = context
    this.#pod = pod
    this.#onEnd = onEnd
    this.uid = pod.metadata.uid
    if (pod.metadata.deletionTimestamp) this.#leaving.abort()
  }

  get pod(): core.Pod {
    return this.#pod
  }

  /** The object as it is now; an older one than is known is ignored. */
  update(pod: core.Pod): void {
    const before = this.#pod
    if (Number(pod.metadata.resourceVersion) < Number(before.metadata.resourceVersion)) return
    this.#pod = pod
    if (pod.metadata.deletionTimestamp) this.#leave()
    if (concerns(before, pod)) this.wake()
  }

  /** The object is gone: nothing of the pod may stay. */
  remove(): void {
    this.#gone = true
    this.#leave()
    this.wake()
  }

  wake(): void {
    this.#wanted = true
    if (this.#stopped) return
    this.#running ??= this.#loop().finally(() => {
      this.#running = undefined
      // What came between the last look and this line.
      if (this.#wanted) this.wake()
    })
  }

  /** The runtime told that a container or sandbox ended. Its own status may say so only a moment later. */
  ended(id: string): void {
    this.#endings.set(id, 0)
    this.wake()
  }

  /** Ends the work and leaves the pod running. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.timer.cancel()
    await this.#running
  }

  #leave(): void {
    this.#leaving.abort()
    const grace = this.#gone ? 0 : (this.#pod.metadata.deletionGracePeriodSeconds ?? 0)
    if (this.#grace === undefined || grace >= this.#grace) return
    // It is being stopped, and somebody became less patient.
    this.#grace = grace
    const { state } = this.#context
    void state
      .read(this.#pod)
      .then(now => Promise.all(running(now).map(({ id }) => state.stop(id, Math.max(grace, 1)))))
      .catch(() => {})
  }

  async #loop(): Promise<void> {
    while (this.#wanted && !this.#stopped) {
      this.#wanted = false
      this.#timer?.timer.cancel()
      this.#timer = undefined
      try {
        await this.#sync()
        this.#retry = RETRY.first
      } catch (error) {
        const { log } = this.#context
        log.debug({ pod: this.#pod.metadata.name, error: (error as Error).message }, 'could not sync a pod')
        this.#again(this.#retry)
        this.#retry = Math.min(this.#retry * 2, RETRY.most)
      }
    }
  }

  /** Looks again after this many milliseconds, unless it does so earlier anyway. */
  #again(delay: number): void {
    const { clock } = this.#context
    const at = clock.monotonic() + delay
    if (this.#timer && this.#timer.at <= at) return
    this.#timer?.timer.cancel()
    this.#timer = { at, timer: clock.after(delay, () => this.wake()) }
  }

  async #read(): Promise<PodState> {
    const state = await this.#context.state.read(this.#pod)
    this.ids = new Set([...state.sandboxes.map(({ id }) => id), ...state.containers.map(({ id }) => id)])
    this.#context.probes.sync(this.#pod, state)
    this.logs = running(state).map(({ id, logPath }) => ({ id, path: logPath }))
    this.#awaitEndings(state)
    return state
  }

  #awaitEndings({ containers, sandboxes }: PodState): void {
    for (const { id, settling } of containers) if (settling && !this.#endings.has(id)) this.#endings.set(id, 0)
    for (const [id, looks] of this.#endings) {
      const runs = containers.some(found => found.id === id && found.state === 'running')
      const ready = sandboxes.some(found => found.id === id && found.ready)
      if (looks < MOST_LOOKS && (runs || ready)) {
        this.#endings.set(id, looks + 1)
        this.#again(FIRST_LOOK * 2 ** looks)
      } else this.#endings.delete(id)
    }
  }

  async #sync(): Promise<void> {
    const state = await this.#read()
    if (this.#gone) return this.#bury(state)
    if (this.#pod.metadata.deletionTimestamp) return this.#terminate(state)
    const { phase } = this.#publish(state)
    if (this.#ended || phase === 'Succeeded' || phase === 'Failed') return this.#rest(state)
    this.#checkDeadline()
    await this.#run(state)
  }

  /** Does what is missing, and says where that led. */
  async #run(state: PodState): Promise<void> {
    const { probes, runtime, tokens } = this.#context
    const pod = this.#known()
    const actions = computeActions(pod, state, probes)
    const idle = !actions.killPod && actions.kill.length === 0 && actions.start.length === 0
    try {
      if (idle) await this.#refreshVolumes()
      if (actions.killPod) {
        if (actions.createSandbox && state.sandboxes.length > 0)
          tell(this.#context, pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
        await killContainers(this.#context, pod, state, () => {})
        await Promise.all(state.sandboxes.map(({ id }) => runtime.stopSandbox(id)))
      }
      await Promise.all(actions.kill.map(({ container, message, reason }) => this.#replace(container, message, reason)))
      // What was killed is started at the next look, which knows how it ended and how long to wait.
      if (actions.kill.length > 0) this.#wanted = true
      else if (actions.start.length > 0) await this.#start(state, actions)
    } finally {
      if (!idle && !this.#stopped) {
        const now = await this.#read()
        if (!this.#leaving.signal.aborted) this.#publish(now)
        await removeDeadContainers(this.#context, now)
      }
    }
    const refresh = tokens.refreshIn(this.uid)
    if (refresh !== undefined) this.#again(refresh)
  }

  async #replace(container: RunContainer, message: string, reason: Actions['kill'][number]['reason']): Promise<void> {
    const spec = containerNamed(this.#pod, container.name)
    const probe =
      reason === 'LivenessProbe' ? spec?.livenessProbe : reason === 'StartupProbe' ? spec?.startupProbe : undefined
    const grace = probe?.terminationGracePeriodSeconds
    await killContainer(this.#context, this.#pod, container, { message, ...(grace === undefined ? {} : { grace }) })
  }

  /** What a running pod's volumes show follows the objects they show. */
  async #refreshVolumes(): Promise<void> {
    try {
      await this.#context.volumes.setUp(this.#pod)
    } catch (error) {
      tell(this.#context, this.#pod, 'Warning', 'FailedMount', (error as Error).message)
      throw error
    }
  }

  async #start(before: PodState, { createSandbox, start }: Actions): Promise<void> {
    const context = this.#context
    const due = this.#dueNow(before, start)
    if (due.length === 0 && !createSandbox) return
    const pod = this.#known()
    const problem = pod.spec.hostNetwork ? undefined : context.networkProblem()
    if (problem && createSandbox) {
      tell(context, pod, 'Warning', 'NetworkNotReady', `network is not ready: ${problem}`)
      throw new Error(problem)
    }
    const config = await this.#sandboxConfig(createSandbox?.attempt ?? before.sandbox?.metadata.attempt ?? 0)
    // The sandbox takes longest and is asked for first: volumes and images come while it is made.
    const sandbox = createSandbox ? this.#createSandbox(config) : Promise.resolve(before.sandbox!.id)
    const volumes = context.volumes.setUp(pod)
    const images = new Map(due.map(container => [container.name, this.#image(container, config, volumes)]))
    for (const coming of [sandbox, volumes, ...images.values()]) coming.catch(() => {})
    const sandboxId = await sandbox
    this.ids.add(sandboxId)
    const podIps = await this.#podIps(sandboxId, before)
    await volumes.catch((error: Error) => {
      tell(context, pod, 'Warning', 'FailedMount', error.message)
      throw error
    })
    const onCreated = (id: string) => void this.ids.add(id)
    for (const container of due) {
      if (this.#leaving.signal.aborted) return
      const started = await this.#startOne(
        container,
        { sandboxId, sandbox: config, podIps, state: before, onCreated },
        images.get(container.name)!,
      )
      if (!initContainers(pod).includes(container)) continue
      if (!started) return
      // What comes next need not wait for a sidecar to end.
      if (isSidecar(container)) this.#wanted = true
    }
  }

  /** Those whose restart delay is over. */
  #dueNow(state: PodState, start: core.Container[]): core.Container[] {
    const now = this.#context.clock.now()
    const due: core.Container[] = []
    for (const container of start) {
      const last = latest(state, container.name)
      const key = `${container.name}/${containerHash(container)}`
      const wait = last?.state === 'exited' ? this.#backoff.remaining(key, last.finishedAt, now) : undefined
      if (wait) {
        this.#refused(container, crashLoop(this.#context, this.#pod, container, wait.wait, wait.left))
        if (initContainers(this.#pod).includes(container) && !isSidecar(container)) return due
      } else {
        if (last?.state === 'exited') this.#backoff.restarted(key, last.finishedAt, now)
        due.push(container)
      }
    }
    return due
  }

  /** Says nothing of the image of a container that cannot start because of its volumes. */
  async #image(
    container: core.Container,
    sandbox: SandboxConfig,
    volumes: Promise<void>,
  ): ReturnType<Images['ensure']> {
    const pod = this.#pod
    const say = (type: EventType, reason: string, message: string) =>
      volumes.then(() => tell(this.#context, pod, type, reason, message, container.name)).catch(() => {})
    const ensured = this.#context.images.ensure({
      pod,
      container,
      sandbox,
      auths: () => authsOf(this.#context, pod, container.image ?? ''),
      event: say,
    })
    return await Promise.race([ensured, this.#left()])
  }

  /** Rejects when the pod is to go away. */
  #left(): Promise<never> {
    const { signal } = this.#leaving
    return new Promise((_, reject) => {
      if (signal.aborted) reject(new Error('the pod is going away'))
      signal.addEventListener('abort', () => reject(new Error('the pod is going away')), { once: true })
    })
  }

  async #startOne(
    container: core.Container,
    options: Omit<Parameters<typeof startContainer>[3], 'image'>,
    image: ReturnType<Images['ensure']>,
  ): Promise<boolean> {
    try {
      await startContainer(this.#context, this.#pod, container, { ...options, image: await image })
      this.#reasons.delete(container.name)
      return true
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      const message = `Error: ${error.reason}`
      if (error.reason.includes('Image')) tell(this.#context, this.#pod, 'Warning', 'Failed', message, container.name)
      this.#refused(container, error)
      return false
    }
  }

  #refused({ name }: core.Container, { reason, message, retryAfter }: StartError): void {
    this.#reasons.set(name, { reason, message })
    this.#again(retryAfter ?? this.#nextRetry())
  }

  #nextRetry(): number {
    this.#retry = Math.min(this.#retry * 2, RETRY.most)
    return this.#retry
  }

  async #sandboxConfig(attempt: number): Promise<SandboxConfig> {
    const { config, cgroups } = this.#context
    const [dns, cgroupParent] = await Promise.all([dnsConfigOf(this.#pod, config), cgroups.ensure(this.#pod)])
    return sandboxConfig(this.#pod, { attempt, dns, podLogsDir: config.podLogsDir, cgroupParent })
  }

  async #createSandbox(config: SandboxConfig): Promise<string> {
    try {
      return await this.#context.runtime.runSandbox(config)
    } catch (error) {
      tell(
        this.#context,
        this.#pod,
        'Warning',
        'FailedCreatePodSandBox',
        `Failed to create pod sandbox: ${(error as Error).message}`,
      )
      throw error
    }
  }

  async #podIps(sandboxId: string, before: PodState): Promise<string[]> {
    if (this.#pod.spec.hostNetwork) return this.#context.nodeIps
    if (before.sandbox?.id === sandboxId) return before.sandbox.ips
    return (await this.#context.runtime.sandboxStatus(sandboxId)).ips
  }

  #checkDeadline(): void {
    const { activeDeadlineSeconds } = this.#pod.spec
    const { startTime } = this.#known().status
    if (activeDeadlineSeconds === undefined || !startTime) return
    const left = parseTime(startTime) + activeDeadlineSeconds * 1000 - this.#context.clock.now()
    if (left > 0) {
      this.#again(left)
      return
    }
    const message = 'Pod was active on the node longer than the specified deadline'
    tell(this.#context, this.#pod, 'Normal', 'DeadlineExceeded', message)
    this.#ended = { reason: 'DeadlineExceeded', message }
    this.wake()
  }

  /** The pod with what was last said of it, which the server may not know yet. */
  #known(): core.Pod {
    const said = this.#status
    if (!said) return this.#pod
    const others = (this.#pod.status?.conditions ?? []).filter(({ type }) => !OWN_CONDITIONS.has(type))
    const own = (said.conditions ?? []).filter(({ type }) => OWN_CONDITIONS.has(type))
    return { ...this.#pod, status: { ...this.#pod.status, ...said, conditions: [...own, ...others] } }
  }

  #publish(state: PodState, ending = false): core.PodStatus {
    const { probes, runtimeName, nodeIps, statuses, clock } = this.#context
    this.#status = podStatus(this.#known(), state, {
      reasons: this.#reasons,
      ready: container => probes.ready(container),
      started: container => probes.started(container),
      ending: ending || this.#ended !== undefined,
      runtimeName,
      now: clock.now(),
      nodeIps,
      ended: this.#ended,
    })
    statuses.set(this.#pod, this.#status)
    return this.#status
  }

  /** The pod ended by itself (or by its deadline): its object stays, and with it its logs. */
  async #rest(state: PodState): Promise<void> {
    const { cgroups, probes, runtime, volumes, objects } = this.#context
    await killContainers(this.#context, this.#pod, state, () => {})
    await Promise.all(state.sandboxes.filter(({ ready }) => ready).map(({ id }) => runtime.stopSandbox(id)))
    if (running(state).length > 0) this.#publish(await this.#read(), true)
    probes.forget(this.uid)
    objects.release(this.uid)
    await volumes.tearDown(this.uid)
    await cgroups.remove(this.uid)
  }

  /** Somebody deleted the pod: end it gracefully, then let the object go. */
  async #terminate(state: PodState): Promise<void> {
    const { client, statuses } = this.#context
    await this.#end(state)
    await statuses.flushed(this.uid)
    const { metadata } = this.#pod
    await client
      .delete(resources.pods, metadata, { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } })
      .catch(error => {
        if (!is(error, 'NotFound') && !is(error, 'Conflict')) throw error
      })
  }

  async #end(state: PodState): Promise<void> {
    const { runtime, volumes, cgroups, probes } = this.#context
    this.#grace = this.#gone ? 0 : this.#pod.metadata.deletionGracePeriodSeconds
    this.#publish(state, running(state).length === 0)
    const show = () => {
      void this.#read()
        .then(now => this.#publish(now, running(now).length === 0))
        .catch(() => {})
    }
    await killContainers(this.#context, this.#pod, state, show)
    await Promise.all(state.sandboxes.map(({ id }) => runtime.stopSandbox(id)))
    this.#publish(await this.#read(), true)
    probes.forget(this.uid)
    await volumes.tearDown(this.uid)
    await cgroups.remove(this.uid)
  }

  /** Nothing of the pod is left anywhere. */
  async #bury(state: PodState): Promise<void> {
    const { statuses, objects, tokens, config } = this.#context
    statuses.forget(this.uid)
    await this.#end(state)
    statuses.forget(this.uid)
    objects.release(this.uid)
    tokens.release(this.uid)
    await removePod(this.#context, await this.#read(), logDirectoryOf(config.podLogsDir, this.#pod))
    this.#stopped = true
    this.#onEnd()
  }
}

const OWN_CONDITIONS = new Set(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'])

/** Whether a change of the object is one that the pod on the node has to follow: not our own words about it. */
function concerns(before: core.Pod, after: core.Pod): boolean {
  const gates = after.spec.readinessGates?.length
  const { deletionTimestamp, deletionGracePeriodSeconds, labels, annotations } = after.metadata
  return (
    deletionTimestamp !== before.metadata.deletionTimestamp ||
    deletionGracePeriodSeconds !== before.metadata.deletionGracePeriodSeconds ||
    !isDeepStrictEqual(labels, before.metadata.labels) ||
    !isDeepStrictEqual(annotations, before.metadata.annotations) ||
    !isDeepStrictEqual(after.spec, before.spec) ||
    Boolean(gates && !isDeepStrictEqual(after.status?.conditions, before.status?.conditions))
  )
}
