import { watch } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { type core, type Draft, findCondition, formatTime, is, parseDuration, resources } from '../../api/index.ts'
import type { Clock, Component, Logger } from '../../base/index.ts'
import type { Client, EventRecorder } from '../../client/index.ts'
import type { KubeletConfiguration } from '../config.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { allocatableOf, capacityOf, type Machine } from './machine.ts'

export const KUBELET_VERSION = 'v1.36.3'

export interface NodeStatusOptions {
  client: Client
  runtime: Runtime
  recorder: EventRecorder
  config: KubeletConfiguration
  machine: Machine
  nodeName: string
  nodeIp: string
  port: number
  /** Watched, so that the node is Ready as soon as its network is; optional. */
  cniConfDir?: string
  /** The network became usable, or unusable. */
  onNetworkChange(): void
  clock: Clock
  log: Logger
}

/** Milliseconds between looks at a runtime whose network is not there yet, or at a server that is not. */
const HURRY = 200
/** Looks in a hurry before the kubelet gives up: a minute. */
const PATIENCE = 300
const MAX_IMAGES = 50

/** Registers the Node and keeps what it says true. Source: pkg/kubelet/nodestatus, kubelet_node_status.go */
export class NodeStatus implements Component {
  readonly #options: NodeStatusOptions
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  #version = { name: 'containerd', version: '' }
  #problem: { network?: string; runtime?: string } = {
    network: 'container runtime network not ready: cni plugin not initialized',
  }
  #reported: core.NodeStatus | undefined
  #reportedAt = 0
  #wakeUp = () => {}
  #node: core.Node | undefined
  #registered = Promise.withResolvers<core.Node>()

  constructor(options: NodeStatusOptions) {
    this.#options = options
  }

  /** Resolves with the Node as soon as the API has it. */
  get registered(): Promise<core.Node> {
    return this.#registered.promise
  }

  get runtimeName(): string {
    return this.#version.name
  }

  /** Why pods can have no network now. */
  get networkProblem(): string | undefined {
    return this.#problem.network
  }

  async start(): Promise<void> {
    this.#version = await this.#connect()
    this.#running = this.#run()
  }

  /** The runtime may still be starting. */
  async #connect(): Promise<{ name: string; version: string }> {
    const { runtime, clock, log } = this.#options
    for (let attempt = 0; ; attempt++) {
      try {
        return await runtime.version()
      } catch (error) {
        const { message } = error as Error
        if (attempt === PATIENCE) throw new Error(`the container runtime does not answer: ${message}`)
        if (attempt === 10) log.warn({ error: message }, 'waiting for the container runtime')
        await clock.sleep(HURRY, this.#stopping.signal)
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#wakeUp()
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, config, log } = this.#options
    const { signal } = this.#stopping
    const stopWatching = this.#watchNetwork()
    const period = parseDuration(config.nodeStatusUpdateFrequency)
    while (!signal.aborted) {
      let wait = period
      try {
        await this.#look()
        if (!this.#node) await this.#register()
        await this.#report()
        if (this.#problem.network) wait = HURRY
      } catch (error) {
        log.warn({ error: (error as Error).message }, 'could not report the status of the node')
        wait = this.#node ? 1_000 : HURRY
      }
      if (signal.aborted) break
      const early = new AbortController()
      this.#wakeUp = () => early.abort()
      await clock.sleep(wait, early.signal).catch(() => {})
    }
    stopWatching()
  }

  /** A new CNI configuration is looked at when it is written; the runtime needs a moment to read it. */
  #watchNetwork(): () => void {
    const { cniConfDir, clock } = this.#options
    if (!cniConfDir) return () => {}
    try {
      const watcher = watch(cniConfDir, { persistent: false }, () => clock.after(50, () => this.#wakeUp()))
      watcher.on('error', () => watcher.close())
      return () => watcher.close()
    } catch {
      return () => {}
    }
  }

  async #look(): Promise<void> {
    const before = this.#problem.network
    this.#problem = await this.#problems()
    if (before !== this.#problem.network) this.#options.onNetworkChange()
  }

  async #problems(): Promise<{ network?: string; runtime?: string }> {
    try {
      const conditions = await this.#options.runtime.conditions()
      const problem = (type: string, text: string) => {
        const found = conditions.find(condition => condition.type === type)
        if (found?.status) return undefined
        return `${text}: ${type}=false reason:${found?.reason ?? ''} message:${found?.message ?? ''}`
      }
      return {
        network: problem('NetworkReady', 'container runtime network not ready'),
        runtime: problem('RuntimeReady', 'container runtime not ready'),
      }
    } catch (error) {
      return { runtime: `container runtime is down: ${(error as Error).message}` }
    }
  }

  async #register(): Promise<void> {
    const { client, nodeName, config, recorder, machine } = this.#options
    const labels = {
      'kubernetes.io/arch': machine.architecture,
      'kubernetes.io/hostname': nodeName,
      'kubernetes.io/os': 'linux',
      ...config.nodeLabels,
    }
    const draft: Draft<core.Node> = {
      metadata: {
        name: nodeName,
        labels,
        annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
      },
      status: await this.#status(undefined),
    }
    this.#node = await client.create(resources.nodes, draft).catch(async error => {
      if (!is(error, 'AlreadyExists')) throw error
      return await client.patch(resources.nodes, { name: nodeName }, { type: 'merge', body: { metadata: { labels } } })
    })
    this.#registered.resolve(this.#node)
    recorder.normal(this.reference, 'Starting', 'Starting kubelet.')
  }

  /** As upstream's kubelet refers to its node in events: by name, with the name for a uid. */
  get reference(): core.ObjectReference {
    const { nodeName } = this.#options
    return { kind: 'Node', name: nodeName, uid: nodeName }
  }

  async #report(): Promise<void> {
    const { client, nodeName, clock, config, recorder } = this.#options
    const before = this.#reported ?? this.#node?.status
    const status = await this.#status(before)
    const now = clock.monotonic()
    const due = now - this.#reportedAt >= parseDuration(config.nodeStatusReportFrequency)
    if (this.#reported && !due && isDeepStrictEqual(stable(this.#reported), stable(status))) return
    const body = { status: { ...status, addresses: [...(status.addresses ?? []), { $patch: 'replace' }] } }
    try {
      this.#node = await client.patch(
        resources.nodes,
        { name: nodeName },
        { type: 'strategic', body },
        { subresource: 'status' },
      )
    } catch (error) {
      // Somebody deleted it: a kubelet that lives comes back.
      if (is(error, 'NotFound')) this.#node = undefined
      throw error
    }
    const readiness = (of: core.NodeStatus | undefined) => findCondition(of?.conditions, 'Ready')?.status
    if (readiness(this.#reported) !== readiness(status)) {
      const reason = readiness(status) === 'True' ? 'NodeReady' : 'NodeNotReady'
      recorder.normal(this.reference, reason, `Node ${nodeName} status is now: ${reason}`)
    }
    this.#reported = status
    this.#reportedAt = now
  }

  async #status(before: core.NodeStatus | undefined): Promise<core.NodeStatus> {
    const { config, machine, nodeIp, nodeName, port } = this.#options
    const capacity = capacityOf(machine, config)
    return {
      addresses: [
        { type: 'InternalIP', address: nodeIp },
        { type: 'Hostname', address: nodeName },
      ],
      allocatable: allocatableOf(capacity, config),
      capacity,
      conditions: this.#conditions(before?.conditions ?? []),
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
      images: await this.#images(),
      nodeInfo: {
        architecture: machine.architecture,
        bootID: machine.bootID,
        containerRuntimeVersion: `${this.#version.name}://${this.#version.version}`,
        kernelVersion: machine.kernelVersion,
        kubeProxyVersion: '',
        kubeletVersion: KUBELET_VERSION,
        machineID: machine.machineID,
        operatingSystem: 'linux',
        osImage: machine.osImage,
        systemUUID: machine.systemUUID,
      },
    }
  }

  #conditions(before: core.NodeCondition[]): core.NodeCondition[] {
    const problems = [this.#problem.runtime, this.#problem.network].filter(problem => problem !== undefined)
    const make = (type: string, value: boolean, reason: string, message: string): core.NodeCondition => {
      const now = formatTime(this.#options.clock.now())
      const status = value ? 'True' : 'False'
      const old = before.find(condition => condition.type === type)
      const lastTransitionTime = old?.status === status && old.lastTransitionTime ? old.lastTransitionTime : now
      return { type, status, lastHeartbeatTime: now, lastTransitionTime, reason, message }
    }
    return [
      make('MemoryPressure', false, 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      make('DiskPressure', false, 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      make('PIDPressure', false, 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      problems.length === 0
        ? make('Ready', true, 'KubeletReady', 'kubelet is posting ready status')
        : make('Ready', false, 'KubeletNotReady', problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`),
    ]
  }

  async #images(): Promise<core.ContainerImage[]> {
    const images = await this.#options.runtime.listImages().catch(() => [])
    return images
      .sort((a, b) => b.size - a.size)
      .slice(0, MAX_IMAGES)
      .map(({ repoDigests, repoTags, size }) => ({ names: [...repoDigests, ...repoTags], sizeBytes: size }))
  }
}

/** Without the times that change at every look. */
const stable = (status: core.NodeStatus): core.NodeStatus => ({
  ...status,
  conditions: status.conditions?.map(({ lastHeartbeatTime: _, ...condition }) => condition),
})
