import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type core, parseDuration, resources } from '../api/index.ts'
import type { Clock, Component, Logger, Random } from '../base/index.ts'
import { type Client, EventRecorder, Informers } from '../client/index.ts'
import { defaultConfiguration, type KubeletConfiguration } from './config.ts'
import { startNodeLease } from './node/lease.ts'
import { allocatableOf, capacityOf, readMachine } from './node/machine.ts'
import { NodeStatus } from './node/node-status.ts'
import { Objects } from './objects.ts'
import { Cgroups } from './pod/cgroups.ts'
import { type PodContext, tell } from './pod/context.ts'
import { Images } from './pod/images.ts'
import { startLogRotation } from './pod/log-rotation.ts'
import { Pods } from './pod/pods.ts'
import { StateReader } from './pod/state.ts'
import { StatusWriter } from './pod/status-writer.ts'
import { Probes } from './probes/probes.ts'
import type { Runtime } from './runtime/runtime.ts'
import { createAccess } from './server/access.ts'
import { startServer } from './server/server.ts'
import { Tokens } from './volumes/tokens.ts'
import { Volumes } from './volumes/volumes.ts'

export interface KubeletOptions {
  client: Client
  /** Fields of a KubeletConfiguration; what is left out is upstream's default. */
  config?: Partial<KubeletConfiguration>
  nodeName: string
  nodeIp: string
  /** Pods' volumes live below it. Upstream: /var/lib/kubelet */
  rootDir: string
  /** The CRI socket, unless `runtime` is given; else the configuration's `containerRuntimeEndpoint`. */
  endpoint?: string
  runtime?: Runtime
  /** Where CNI configurations appear; watched, so that the node is Ready without delay. */
  cniConfDir?: string
  /** PEM. Clients show a certificate of `clientCa`, or a token that the API server knows. */
  tls: { cert: string; key: string; clientCa: string }
  /** Of the kubelet's API; 0 for any that is free. Upstream: 10250 */
  port: number
  clock: Clock
  random: Random
  log: Logger
}

/** Milliseconds to wait for the list of Services: containers start without it rather than never. */
const SERVICES_PATIENCE = 5_000

/** Runs the pods of one node. Resolves once it works; the node registers itself in the background. */
export async function startKubelet(options: KubeletOptions): Promise<Component> {
  const { client, nodeName, nodeIp, rootDir, clock, random } = options
  const log = options.log.child({ node: nodeName })
  const config = { ...defaultConfiguration, ...options.config }
  const base = { clock, random, log }
  await mkdir(join(rootDir, 'pods'), { recursive: true, mode: 0o750 })
  const runtime = options.runtime ?? (await connect(options))
  const machine = await readMachine(rootDir)
  const allocatable = allocatableOf(capacityOf(machine, config), config)
  const cpuPeriod = parseDuration(config.cpuCFSQuotaPeriod) * 1000
  const { cpuCFSQuota, podPidsLimit, cgroupRoot } = config

  const recorder = new EventRecorder({ client, component: 'kubelet', host: nodeName, ...base })
  const informers = new Informers(client, base)
  const services = informers.get(resources.services)
  const tokens = new Tokens(client, clock)
  const objects = new Objects({ client, ...base, onChange: uid => pods.wake(uid) })
  const nodeIps = [nodeIp]
  const sources = {
    configMap: (pod: core.Pod, name: string) => objects.configMap(pod, name),
    secret: (pod: core.Pod, name: string) => objects.secret(pod, name),
    tokens,
    nodeIps,
    nodeName,
    allocatable,
  }
  const state = new StateReader(runtime, clock)
  const server = await startServer({
    runtime,
    state,
    pods: { list: () => pods.list(), find: (namespace, name) => pods.find(namespace, name) },
    nodeName,
    port: options.port,
    tls: options.tls,
    access: createAccess({ client, nodeName, clock }),
    clock,
    log,
  })
  const nodeStatus = new NodeStatus({
    client,
    runtime,
    recorder,
    config,
    machine,
    nodeName,
    nodeIp,
    port: server.port,
    cniConfDir: options.cniConfDir,
    onNetworkChange: () => pods.wakeAll(),
    clock,
    log,
  })
  const probes = new Probes({
    runtime,
    nodeIp,
    clock,
    log,
    onChange: uid => pods.wake(uid),
    unhealthy: (pod, container, message) => tell({ recorder }, pod, 'Warning', 'Unhealthy', message, container),
  })
  const context: PodContext = {
    client,
    runtime,
    get runtimeName() {
      return nodeStatus.runtimeName
    },
    config,
    nodeName,
    nodeIps,
    rootDir,
    limits: { memoryCapacity: machine.memoryBytes, cpuCFSQuota, cpuPeriod },
    allocatable,
    cgroups: new Cgroups({ cgroupRoot, cpuCFSQuota, cpuPeriod, podPidsLimit, allocatable, clock }),
    images: new Images({
      runtime,
      clock,
      maxParallelPulls: config.serializeImagePulls ? 1 : config.maxParallelImagePulls,
    }),
    objects,
    probes,
    recorder,
    state,
    statuses: new StatusWriter({ client, clock, log, onWritten: pod => pods.written(pod) }),
    tokens,
    volumes: new Volumes({ podsDir: join(rootDir, 'pods'), sources, clock, log }),
    async services() {
      if (!services.hasSynced) await Promise.race([services.synced, clock.sleep(SERVICES_PATIENCE)])
      return services.lister.list()
    },
    networkProblem: () => nodeStatus.networkProblem,
    ...base,
  }
  const pods: Pods = new Pods(context, informers.get(resources.pods, { fieldSelector: `spec.nodeName=${nodeName}` }))

  await context.cgroups.start()
  await nodeStatus.start()
  pods.start()
  const logRotation = startLogRotation({ runtime, config, logs: () => pods.logs(), clock, log })
  let lease: Component | undefined
  let stopped = false
  void nodeStatus.registered.then(node => {
    const durationSeconds = config.nodeLeaseDurationSeconds
    if (!stopped) lease = startNodeLease({ client, node, durationSeconds, clock, log })
  })

  return {
    async stop() {
      stopped = true
      await server.stop()
      await logRotation.stop()
      await pods.stop()
      probes.stop()
      await nodeStatus.stop()
      await lease?.stop()
      await context.statuses.stop()
      await objects.stop()
      await informers.stop()
      await recorder.stop()
      if (!options.runtime) runtime.close()
    },
  }
}

async function connect({ config, clock, log, ...options }: KubeletOptions): Promise<Runtime> {
  const endpoint = options.endpoint ?? config?.containerRuntimeEndpoint
  if (!endpoint) throw new Error('a container runtime is needed: endpoint or runtime')
  const { connectCri } = await import('./runtime/cri/cri.ts')
  return connectCri({ endpoint, clock, log })
}
