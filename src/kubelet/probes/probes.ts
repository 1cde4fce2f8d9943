import type { core } from '../../api/index.ts'
import type { Clock, Logger, Timer } from '../../base/index.ts'
import type { ProbeView } from '../pod/actions.ts'
import { allContainers } from '../pod/spec.ts'
import { latest, type PodState, type RunContainer } from '../pod/state.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { type ProbeResult, runProbe } from './probe.ts'

export interface ProbesOptions {
  runtime: Runtime
  /** Where pods of the host's network are reached. */
  nodeIp: string
  clock: Clock
  log: Logger
  /** A probe changed its mind about a container of this pod. */
  onChange(podUid: string): void
  unhealthy(pod: core.Pod, container: string, message: string): void
}

type Kind = 'startup' | 'liveness' | 'readiness'
const KINDS: Kind[] = ['startup', 'liveness', 'readiness']
const TITLES = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' }

interface Worker {
  kind: Kind
  pod: core.Pod
  container: core.Container
  containerId: string
  probe: core.Probe
  podIp: string
  /** What holds now; undefined while a startup probe has not decided. */
  result: boolean | undefined
  /** How often in a row the last answer came. */
  run: { ok: boolean; count: number }
  timer: Timer | undefined
  stopped: boolean
}

/** The probes of all containers that run here. Source: pkg/kubelet/prober */
export class Probes implements ProbeView {
  readonly #options: ProbesOptions
  /** By container id. */
  readonly #workers = new Map<string, Worker[]>()

  constructor(options: ProbesOptions) {
    this.#options = options
  }

  /** Probes exactly the containers of the pod that run. */
  sync(pod: core.Pod, state: PodState): void {
    const alive = new Set<string>()
    for (const container of allContainers(pod)) {
      const found = latest(state, container.name)
      if (found?.state !== 'running') continue
      alive.add(found.id)
      const workers = this.#workers.get(found.id)
      if (!workers) this.#start(pod, container, found, state)
      else for (const worker of workers) worker.pod = pod
    }
    for (const [id, workers] of this.#workers)
      if (workers[0]?.pod.metadata.uid === pod.metadata.uid && !alive.has(id)) this.#stop(id)
  }

  forget(podUid: string): void {
    for (const [id, workers] of this.#workers) if (workers[0]?.pod.metadata.uid === podUid) this.#stop(id)
  }

  stop(): void {
    for (const id of this.#workers.keys()) this.#stop(id)
  }

  ready(container: RunContainer): boolean {
    return this.started(container) && this.#resultOf(container.id, 'readiness') !== false
  }

  started(container: RunContainer): boolean {
    const startup = this.#workers.get(container.id)?.find(({ kind }) => kind === 'startup')
    return !startup || startup.result === true
  }

  failed(container: RunContainer): 'StartupProbe' | 'LivenessProbe' | undefined {
    if (this.#resultOf(container.id, 'startup') === false) return 'StartupProbe'
    if (this.#resultOf(container.id, 'liveness') === false) return 'LivenessProbe'
    return undefined
  }

  #resultOf(id: string, kind: Kind): boolean | undefined {
    return this.#workers.get(id)?.find(worker => worker.kind === kind)?.result
  }

  #start(pod: core.Pod, container: core.Container, found: RunContainer, { sandbox }: PodState): void {
    const podIp = (pod.spec.hostNetwork ? this.#options.nodeIp : sandbox?.ips[0]) ?? ''
    const before = adoptedStatus(pod, found)
    const workers = KINDS.flatMap((kind): Worker[] => {
      const probe = container[`${kind}Probe`]
      if (!probe) return []
      const result = { startup: before?.started || undefined, liveness: true, readiness: before?.ready ?? false }[kind]
      const run = { ok: false, count: 0 }
      return [
        { kind, pod, container, containerId: found.id, probe, podIp, result, run, timer: undefined, stopped: false },
      ]
    })
    if (workers.length === 0) return
    this.#workers.set(found.id, workers)
    const age = this.#options.clock.now() - found.startedAt
    for (const worker of workers)
      if (!(worker.kind === 'startup' && worker.result))
        this.#schedule(worker, (worker.probe.initialDelaySeconds ?? 0) * 1000 - age)
  }

  #stop(id: string): void {
    for (const worker of this.#workers.get(id) ?? []) {
      worker.stopped = true
      worker.timer?.cancel()
    }
    this.#workers.delete(id)
  }

  #schedule(worker: Worker, delay: number): void {
    worker.timer = this.#options.clock.after(Math.max(0, delay), () => void this.#probe(worker))
  }

  async #probe(worker: Worker): Promise<void> {
    const { clock } = this.#options
    const period = (worker.probe.periodSeconds || 10) * 1000
    const began = clock.monotonic()
    if (this.#mayProbe(worker)) {
      const result = await this.#ask(worker)
      if (worker.stopped) return
      if (result) this.#count(worker, result)
      if (this.#hasEnded(worker)) return
    }
    this.#schedule(worker, period - (clock.monotonic() - began))
  }

  /** The other probes wait for the startup probe. */
  #mayProbe({ kind, containerId }: Worker): boolean {
    const startup = this.#workers.get(containerId)?.find(worker => worker.kind === 'startup')
    return kind === 'startup' || !startup || startup.result === true
  }

  /** A startup probe decides once; a container that is to be restarted needs no more asking. */
  #hasEnded({ kind, result }: Worker): boolean {
    return (kind === 'startup' && result !== undefined) || (kind === 'liveness' && result === false)
  }

  async #ask(worker: Worker): Promise<ProbeResult | undefined> {
    const { runtime, log, unhealthy } = this.#options
    const { pod, container, containerId, probe, podIp, kind } = worker
    try {
      const result = await runProbe(probe, { runtime, containerId, container, podIp })
      if (!result.ok && !worker.stopped)
        unhealthy(pod, container.name, `${TITLES[kind]} probe failed: ${result.output}`)
      return result
    } catch (error) {
      const { message } = error as Error
      log.debug({ pod: pod.metadata.name, container: container.name, error: message }, 'a probe could not be made')
      if (!worker.stopped)
        unhealthy(pod, container.name, `${TITLES[kind]} probe errored and resulted in unknown state: ${message}`)
      return undefined
    }
  }

  #count(worker: Worker, { ok }: ProbeResult): void {
    const { run, probe } = worker
    if (run.ok === ok) run.count++
    else worker.run = { ok, count: 1 }
    const threshold = ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3)
    if (worker.run.count < threshold || worker.result === ok) return
    worker.result = ok
    this.#options.onChange(worker.pod.metadata.uid)
    if (worker.kind === 'startup' && ok) this.#hurry(worker)
  }

  /** What waited for the startup probe need not wait for its own turn too. */
  #hurry({ containerId, kind: startup }: Worker): void {
    for (const other of this.#workers.get(containerId) ?? []) {
      if (other.kind === startup || !other.timer) continue
      other.timer.cancel()
      this.#schedule(other, 0)
    }
  }
}

/** What was known of a container that already ran when this process started. */
function adoptedStatus({ status }: core.Pod, { id, name }: RunContainer): core.ContainerStatus | undefined {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]
  return all.find(known => known.name === name && known.containerID?.endsWith(`//${id}`))
}
