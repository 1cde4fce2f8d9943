import { Client, type ClientReadableStream, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import type { Clock, Logger } from '../../../base/index.ts'
import {
  type ContainerConfig,
  type ContainerState,
  type ContainerStats,
  type ContainerStatus,
  type Image,
  type Mount,
  type Namespaces,
  type Runtime,
  RuntimeError,
  type SandboxConfig,
  type SecurityProfile,
} from '../runtime.ts'
import * as messages from './messages.ts'
import type { Message } from './protobuf.ts'
import { watchRuntime } from './watch.ts'

export interface CriOptions {
  /** A socket: `unix:///run/containerd/containerd.sock`, or just its path. */
  endpoint: string
  clock: Clock
  log: Logger
}

/** Milliseconds. Upstream's `runtimeRequestTimeout`, and no limit for what may rightly take long. */
const TIMEOUT = 120_000
const PULL_TIMEOUT = 60 * 60_000

/** The runtime behind a CRI v1 socket: containerd or CRI-O. */
export function connectCri({ endpoint, clock, log }: CriOptions): Runtime {
  const address = endpoint.startsWith('unix:') ? endpoint : `unix://${endpoint}`
  const channel = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 64 << 20,
    // A runtime that comes back is noticed at once, not after the default of up to two minutes.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.default_authority': 'localhost',
  })

  function call<Out, In, _In>(
    method: string,
    request: Message<unknown, In>,
    response: Message<Out, _In>,
    value: In,
    timeout = TIMEOUT,
  ): Promise<Out> {
    return new Promise((resolve, reject) => {
      const service = imageMethods.has(method) ? 'ImageService' : 'RuntimeService'
      channel.makeUnaryRequest(
        `/runtime.v1.${service}/${method}`,
        (input: In) => Buffer.from(request.encode(input)),
        (bytes: Buffer) => response.decode(bytes),
        value,
        new Metadata(),
        { deadline: clock.now() + timeout },
        (error, answer) => (error ? reject(translate(error)) : resolve(answer!)),
      )
    })
  }

  const stream = <Out, In, _In>(
    path: string,
    request: Message<unknown, In>,
    response: Message<Out, _In>,
    value: In,
  ): ClientReadableStream<Out> =>
    channel.makeServerStreamRequest(
      path,
      (input: In) => Buffer.from(request.encode(input)),
      (bytes: Buffer) => response.decode(bytes),
      value,
    )

  return {
    async version() {
      const answer = await call('Version', messages.VersionRequest, messages.VersionResponse, {})
      return { name: answer.runtimeName, version: answer.runtimeVersion }
    },

    async conditions() {
      const answer = await call('Status', messages.StatusRequest, messages.StatusResponse, {}, 10_000)
      return answer.status?.conditions ?? []
    },

    async runSandbox(config, handler = '') {
      const answer = await call(
        'RunPodSandbox',
        messages.RunPodSandboxRequest,
        messages.RunPodSandboxResponse,
        { config: sandboxMessage(config), runtimeHandler: handler },
        2 * TIMEOUT,
      )
      return answer.podSandboxId
    },

    async stopSandbox(id) {
      await call('StopPodSandbox', messages.SandboxRequest, messages.Empty, { podSandboxId: id }).catch(unlessGone)
    },

    async removeSandbox(id) {
      await call('RemovePodSandbox', messages.SandboxRequest, messages.Empty, { podSandboxId: id }).catch(unlessGone)
    },

    async sandboxStatus(id) {
      const { status: found } = await call(
        'PodSandboxStatus',
        messages.SandboxRequest,
        messages.PodSandboxStatusResponse,
        { podSandboxId: id },
      )
      if (!found) throw new RuntimeError('NotFound', `sandbox ${id} not found`)
      const extra = found.network?.additionalIps.map(({ ip }) => ip) ?? []
      return {
        id: found.id,
        metadata: found.metadata ?? NO_METADATA,
        ready: found.state === 0,
        createdAt: milliseconds(found.createdAt),
        labels: found.labels,
        annotations: found.annotations,
        ips: found.network?.ip ? [found.network.ip, ...extra] : [],
        hostNetwork: found.linux?.namespaces?.options?.network === namespaceModes.NODE,
      }
    },

    async listSandboxes(labelSelector = {}) {
      const { items } = await call('ListPodSandbox', messages.ListPodSandboxRequest, messages.ListPodSandboxResponse, {
        filter: { labelSelector },
      })
      return items.map(item => ({
        id: item.id,
        metadata: item.metadata ?? NO_METADATA,
        ready: item.state === 0,
        createdAt: milliseconds(item.createdAt),
        labels: item.labels,
        annotations: item.annotations,
      }))
    },

    async createContainer(sandboxId, config, sandbox) {
      const answer = await call('CreateContainer', messages.CreateContainerRequest, messages.CreateContainerResponse, {
        podSandboxId: sandboxId,
        config: containerMessage(config),
        sandboxConfig: sandboxMessage(sandbox),
      })
      return answer.containerId
    },

    async startContainer(id) {
      await call('StartContainer', messages.ContainerRequest, messages.Empty, { containerId: id })
    },

    async stopContainer(id, gracePeriodSeconds) {
      const limit = TIMEOUT + gracePeriodSeconds * 1000
      await call(
        'StopContainer',
        messages.StopContainerRequest,
        messages.Empty,
        { containerId: id, timeout: gracePeriodSeconds },
        limit,
      ).catch(unlessGone)
    },

    async removeContainer(id) {
      await call('RemoveContainer', messages.ContainerRequest, messages.Empty, { containerId: id }).catch(unlessGone)
    },

    async listContainers(labelSelector = {}) {
      const { containers } = await call(
        'ListContainers',
        messages.ListContainersRequest,
        messages.ListContainersResponse,
        { filter: { labelSelector } },
      )
      return containers.map(found => ({
        id: found.id,
        sandboxId: found.podSandboxId,
        state: containerStates[found.state] ?? 'unknown',
        createdAt: milliseconds(found.createdAt),
        labels: found.labels,
        annotations: found.annotations,
      }))
    },

    async containerStatus(id) {
      const { status: found } = await call(
        'ContainerStatus',
        messages.ContainerRequest,
        messages.ContainerStatusResponse,
        { containerId: id },
      )
      if (!found) throw new RuntimeError('NotFound', `container ${id} not found`)
      return statusOf(found)
    },

    async containerStats() {
      const { stats } = await call('ListContainerStats', messages.Empty, messages.ListContainerStatsResponse, {})
      return stats.map(statsOf)
    },

    async reopenContainerLog(id) {
      await call('ReopenContainerLog', messages.ContainerRequest, messages.Empty, { containerId: id })
    },

    async execSync(id, command, timeoutSeconds) {
      const answer = await call(
        'ExecSync',
        messages.ExecSyncRequest,
        messages.ExecSyncResponse,
        { containerId: id, cmd: command, timeout: timeoutSeconds },
        TIMEOUT + timeoutSeconds * 1000,
      )
      return { exitCode: answer.exitCode, stdout: Buffer.from(answer.stdout), stderr: Buffer.from(answer.stderr) }
    },

    async exec(id, { command, ...options }) {
      const request = { containerId: id, cmd: command, ...options }
      return (await call('Exec', messages.ExecRequest, messages.UrlResponse, request)).url
    },

    async attach(id, options) {
      return (await call('Attach', messages.AttachRequest, messages.UrlResponse, { containerId: id, ...options })).url
    },

    async portForward(sandboxId, ports) {
      const request = { podSandboxId: sandboxId, port: ports }
      return (await call('PortForward', messages.PortForwardRequest, messages.UrlResponse, request)).url
    },

    async imageStatus(image) {
      const answer = await call('ImageStatus', messages.ImageRequest, messages.ImageStatusResponse, {
        image: { image },
      })
      return answer.image && imageOf(answer.image)
    },

    async listImages() {
      const { images } = await call('ListImages', messages.Empty, messages.ListImagesResponse, {})
      return images.map(imageOf)
    },

    async pullImage(image, auth, sandbox) {
      const answer = await call(
        'PullImage',
        messages.PullImageRequest,
        messages.PullImageResponse,
        { image: { image }, auth, sandboxConfig: sandboxMessage(sandbox) },
        PULL_TIMEOUT,
      )
      return answer.imageRef
    },

    watch: (onChange, signal) => watchRuntime({ stream, onChange, signal, clock, log }),
    close: () => channel.close(),
  }
}

const imageMethods = new Set(['ListImages', 'ImageStatus', 'PullImage', 'RemoveImage', 'ImageFsInfo'])
const NO_METADATA = { name: '', namespace: '', uid: '', attempt: 0 }
const milliseconds = (nanoseconds: number) => Math.floor(nanoseconds / 1e6)

const codes: Partial<Record<status, RuntimeError['code']>> = {
  [status.NOT_FOUND]: 'NotFound',
  [status.DEADLINE_EXCEEDED]: 'DeadlineExceeded',
  [status.UNAVAILABLE]: 'Unavailable',
  [status.UNIMPLEMENTED]: 'Unimplemented',
}

/** With the text that a Go client shows, because it ends up in events and statuses. */
function translate(error: ServiceError): RuntimeError {
  const name = (status[error.code] ?? 'UNKNOWN')
    .toLowerCase()
    .replace(/(^|_)(.)/g, (_, _gap, first) => first.toUpperCase())
  return new RuntimeError(codes[error.code] ?? 'Unknown', `rpc error: code = ${name} desc = ${error.details}`)
}

function unlessGone(error: unknown): void {
  if (!(error instanceof RuntimeError && error.code === 'NotFound')) throw error
}

const protocols = { TCP: 0, UDP: 1, SCTP: 2 }
const namespaceModes = { POD: 0, CONTAINER: 1, NODE: 2, TARGET: 3 }
const propagations = { None: 0, HostToContainer: 1, Bidirectional: 2 }
const propagationNames = ['None', 'HostToContainer', 'Bidirectional'] as const
const profileTypes = { RuntimeDefault: 0, Unconfined: 1, Localhost: 2 }
const containerStates: ContainerState[] = ['created', 'running', 'exited', 'unknown']

const namespaceMessage = ({ network, pid, ipc, targetId }: Namespaces) => ({
  network: namespaceModes[network],
  pid: namespaceModes[pid],
  ipc: namespaceModes[ipc],
  targetId,
})

const profileMessage = (profile: SecurityProfile | undefined) =>
  profile && { profileType: profileTypes[profile.type], localhostRef: profile.localhostRef }

const wrapped = (value: number | undefined) => (value === undefined ? undefined : { value })

function sandboxMessage(config: SandboxConfig): messages.SandboxConfigMessage {
  return {
    metadata: config.metadata,
    hostname: config.hostname,
    logDirectory: config.logDirectory,
    dnsConfig: config.dnsConfig,
    portMappings: config.portMappings.map(mapping => ({ ...mapping, protocol: protocols[mapping.protocol] })),
    labels: config.labels,
    annotations: config.annotations,
    linux: {
      cgroupParent: config.cgroupParent,
      sysctls: config.sysctls,
      resources: config.resources,
      securityContext: {
        namespaceOptions: namespaceMessage(config.namespaces),
        privileged: config.privileged,
        runAsUser: wrapped(config.runAsUser),
        runAsGroup: wrapped(config.runAsGroup),
        supplementalGroups: config.supplementalGroups,
        seccomp: profileMessage(config.seccomp),
      },
    },
  }
}

const mountMessage = (mount: Mount) => ({ ...mount, propagation: propagations[mount.propagation] })

function containerMessage(config: ContainerConfig): messages.ContainerConfigMessage {
  return {
    metadata: config.metadata,
    image: { image: config.image },
    command: config.command,
    args: config.args,
    workingDir: config.workingDir,
    envs: config.envs,
    mounts: config.mounts.map(mountMessage),
    labels: config.labels,
    annotations: config.annotations,
    logPath: config.logPath,
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    tty: config.tty,
    linux: {
      resources: config.resources,
      securityContext: {
        capabilities: { addCapabilities: config.capabilities.add, dropCapabilities: config.capabilities.drop },
        privileged: config.privileged,
        namespaceOptions: namespaceMessage(config.namespaces),
        runAsUser: wrapped(config.runAsUser),
        runAsGroup: wrapped(config.runAsGroup),
        supplementalGroups: config.supplementalGroups,
        readonlyRootfs: config.readonlyRootfs,
        noNewPrivs: config.noNewPrivs,
        maskedPaths: config.maskedPaths,
        readonlyPaths: config.readonlyPaths,
        seccomp: profileMessage(config.seccomp),
        apparmor: profileMessage(config.apparmor),
      },
    },
  }
}

function statusOf(found: messages.ContainerStatusMessage): ContainerStatus {
  return {
    id: found.id,
    state: containerStates[found.state] ?? 'unknown',
    createdAt: milliseconds(found.createdAt),
    startedAt: milliseconds(found.startedAt),
    finishedAt: milliseconds(found.finishedAt),
    exitCode: found.exitCode,
    reason: found.reason,
    message: found.message,
    image: found.image?.image ?? '',
    imageRef: found.imageRef,
    labels: found.labels,
    annotations: found.annotations,
    mounts: found.mounts.map(mount => ({ ...mount, propagation: propagationNames[mount.propagation] ?? 'None' })),
    logPath: found.logPath,
  }
}

const imageOf = (image: messages.ImageMessage): Image => ({
  id: image.id,
  repoTags: image.repoTags,
  repoDigests: image.repoDigests,
  size: image.size,
  uid: image.uid?.value,
  username: image.username,
})

const statsOf = (found: messages.ContainerStatsMessage): ContainerStats => ({
  id: found.attributes?.id ?? '',
  labels: found.attributes?.labels ?? {},
  timestamp: milliseconds(found.cpu?.timestamp ?? 0),
  cpuNanoSeconds: found.cpu?.usageCoreNanoSeconds?.value ?? 0,
  cpuNanoCores: found.cpu?.usageNanoCores?.value ?? 0,
  workingSetBytes: found.memory?.workingSetBytes?.value ?? 0,
  usageBytes: found.memory?.usageBytes?.value ?? 0,
  rssBytes: found.memory?.rssBytes?.value ?? 0,
  writableLayerBytes: found.writableLayer?.usedBytes?.value ?? 0,
})
