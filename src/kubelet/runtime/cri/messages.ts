/**
 * The messages of CRI v1 that the kubelet sends and receives, and two of containerd's own.
 * Source of the field numbers: k8s.io/cri-api/pkg/apis/runtime/v1/api.proto
 */
import {
  bool,
  bytes,
  type Decoded,
  type Encodable,
  int,
  ints,
  list,
  message,
  string,
  stringMap,
  strings,
  sub,
} from './protobuf.ts'

const Empty = message({})

export const VersionRequest = message({ version: string(1) })
export const VersionResponse = message({
  version: string(1),
  runtimeName: string(2),
  runtimeVersion: string(3),
  runtimeApiVersion: string(4),
})

export const StatusRequest = message({ verbose: bool(1) })
const RuntimeCondition = message({ type: string(1), status: bool(2), reason: string(3), message: string(4) })
export const StatusResponse = message({ status: sub(1, message({ conditions: list(1, RuntimeCondition) })) })

const Int64Value = message({ value: int(1) })
const NamespaceOption = message({ network: int(1), pid: int(2), ipc: int(3), targetId: string(4) })
const SecurityProfile = message({ profileType: int(1), localhostRef: string(2) })
const SELinuxOption = message({ user: string(1), role: string(2), type: string(3), level: string(4) })

const LinuxContainerResources = message({
  cpuPeriod: int(1),
  cpuQuota: int(2),
  cpuShares: int(3),
  memoryLimitInBytes: int(4),
  oomScoreAdj: int(5),
  cpusetCpus: string(6),
  cpusetMems: string(7),
  unified: stringMap(9),
})

const LinuxSandboxSecurityContext = message({
  namespaceOptions: sub(1, NamespaceOption),
  selinuxOptions: sub(2, SELinuxOption),
  runAsUser: sub(3, Int64Value),
  readonlyRootfs: bool(4),
  supplementalGroups: ints(5),
  privileged: bool(6),
  runAsGroup: sub(8, Int64Value),
  seccomp: sub(9, SecurityProfile),
  apparmor: sub(10, SecurityProfile),
})

const LinuxPodSandboxConfig = message({
  cgroupParent: string(1),
  securityContext: sub(2, LinuxSandboxSecurityContext),
  sysctls: stringMap(3),
  overhead: sub(4, LinuxContainerResources),
  resources: sub(5, LinuxContainerResources),
})

const PodSandboxMetadata = message({ name: string(1), uid: string(2), namespace: string(3), attempt: int(4) })

export const PodSandboxConfig = message({
  metadata: sub(1, PodSandboxMetadata),
  hostname: string(2),
  logDirectory: string(3),
  dnsConfig: sub(4, message({ servers: strings(1), searches: strings(2), options: strings(3) })),
  portMappings: list(5, message({ protocol: int(1), containerPort: int(2), hostPort: int(3), hostIp: string(4) })),
  labels: stringMap(6),
  annotations: stringMap(7),
  linux: sub(8, LinuxPodSandboxConfig),
})

export const RunPodSandboxRequest = message({ config: sub(1, PodSandboxConfig), runtimeHandler: string(2) })
export const RunPodSandboxResponse = message({ podSandboxId: string(1) })
export const SandboxRequest = message({ podSandboxId: string(1) })
export { Empty }

const PodSandboxStatus = message({
  id: string(1),
  metadata: sub(2, PodSandboxMetadata),
  state: int(3),
  createdAt: int(4),
  network: sub(5, message({ ip: string(1), additionalIps: list(2, message({ ip: string(1) })) })),
  linux: sub(6, message({ namespaces: sub(1, message({ options: sub(2, NamespaceOption) })) })),
  labels: stringMap(7),
  annotations: stringMap(8),
})
export const PodSandboxStatusResponse = message({ status: sub(1, PodSandboxStatus) })

export const ListPodSandboxRequest = message({
  filter: sub(1, message({ id: string(1), labelSelector: stringMap(3) })),
})
export const ListPodSandboxResponse = message({
  items: list(
    1,
    message({
      id: string(1),
      metadata: sub(2, PodSandboxMetadata),
      state: int(3),
      createdAt: int(4),
      labels: stringMap(5),
      annotations: stringMap(6),
    }),
  ),
})

const ImageSpec = message({ image: string(1), annotations: stringMap(2) })
const Mount = message({
  containerPath: string(1),
  hostPath: string(2),
  readonly: bool(3),
  selinuxRelabel: bool(4),
  propagation: int(5),
})
const ContainerMetadata = message({ name: string(1), attempt: int(2) })

const LinuxContainerSecurityContext = message({
  capabilities: sub(1, message({ addCapabilities: strings(1), dropCapabilities: strings(2) })),
  privileged: bool(2),
  namespaceOptions: sub(3, NamespaceOption),
  selinuxOptions: sub(4, SELinuxOption),
  runAsUser: sub(5, Int64Value),
  runAsUsername: string(6),
  readonlyRootfs: bool(7),
  supplementalGroups: ints(8),
  noNewPrivs: bool(11),
  runAsGroup: sub(12, Int64Value),
  maskedPaths: strings(13),
  readonlyPaths: strings(14),
  seccomp: sub(15, SecurityProfile),
  apparmor: sub(16, SecurityProfile),
})

export const ContainerConfig = message({
  metadata: sub(1, ContainerMetadata),
  image: sub(2, ImageSpec),
  command: strings(3),
  args: strings(4),
  workingDir: string(5),
  envs: list(6, message({ key: string(1), value: string(2) })),
  mounts: list(7, Mount),
  devices: list(8, message({ containerPath: string(1), hostPath: string(2), permissions: string(3) })),
  labels: stringMap(9),
  annotations: stringMap(10),
  logPath: string(11),
  stdin: bool(12),
  stdinOnce: bool(13),
  tty: bool(14),
  linux: sub(
    15,
    message({ resources: sub(1, LinuxContainerResources), securityContext: sub(2, LinuxContainerSecurityContext) }),
  ),
})

export const CreateContainerRequest = message({
  podSandboxId: string(1),
  config: sub(2, ContainerConfig),
  sandboxConfig: sub(3, PodSandboxConfig),
})
export const CreateContainerResponse = message({ containerId: string(1) })
export const ContainerRequest = message({ containerId: string(1) })
export const StopContainerRequest = message({ containerId: string(1), timeout: int(2) })

export const ListContainersRequest = message({
  filter: sub(1, message({ id: string(1), podSandboxId: string(3), labelSelector: stringMap(4) })),
})
export const ListContainersResponse = message({
  containers: list(
    1,
    message({
      id: string(1),
      podSandboxId: string(2),
      metadata: sub(3, ContainerMetadata),
      image: sub(4, ImageSpec),
      imageRef: string(5),
      state: int(6),
      createdAt: int(7),
      labels: stringMap(8),
      annotations: stringMap(9),
    }),
  ),
})

export const ContainerStatus = message({
  id: string(1),
  metadata: sub(2, ContainerMetadata),
  state: int(3),
  createdAt: int(4),
  startedAt: int(5),
  finishedAt: int(6),
  exitCode: int(7),
  image: sub(8, ImageSpec),
  imageRef: string(9),
  reason: string(10),
  message: string(11),
  labels: stringMap(12),
  annotations: stringMap(13),
  mounts: list(14, Mount),
  logPath: string(15),
})
export const ContainerStatusResponse = message({ status: sub(1, ContainerStatus) })

export const ExecSyncRequest = message({ containerId: string(1), cmd: strings(2), timeout: int(3) })
export const ExecSyncResponse = message({ stdout: bytes(1), stderr: bytes(2), exitCode: int(3) })
export const ExecRequest = message({
  containerId: string(1),
  cmd: strings(2),
  tty: bool(3),
  stdin: bool(4),
  stdout: bool(5),
  stderr: bool(6),
})
export const AttachRequest = message({
  containerId: string(1),
  stdin: bool(2),
  tty: bool(3),
  stdout: bool(4),
  stderr: bool(5),
})
export const PortForwardRequest = message({ podSandboxId: string(1), port: ints(2) })
export const UrlResponse = message({ url: string(1) })

const Image = message({
  id: string(1),
  repoTags: strings(2),
  repoDigests: strings(3),
  size: int(4),
  uid: sub(5, Int64Value),
  username: string(6),
  pinned: bool(8),
})
export const ListImagesResponse = message({ images: list(1, Image) })
export const ImageRequest = message({ image: sub(1, ImageSpec) })
export const ImageStatusResponse = message({ image: sub(1, Image) })

const AuthConfig = message({
  username: string(1),
  password: string(2),
  auth: string(3),
  serverAddress: string(4),
  identityToken: string(5),
  registryToken: string(6),
})
export const PullImageRequest = message({
  image: sub(1, ImageSpec),
  auth: sub(2, AuthConfig),
  sandboxConfig: sub(3, PodSandboxConfig),
})
export const PullImageResponse = message({ imageRef: string(1) })

const UInt64Value = message({ value: int(1) })
const ContainerStats = message({
  attributes: sub(1, message({ id: string(1), metadata: sub(2, ContainerMetadata), labels: stringMap(3) })),
  cpu: sub(
    2,
    message({ timestamp: int(1), usageCoreNanoSeconds: sub(2, UInt64Value), usageNanoCores: sub(3, UInt64Value) }),
  ),
  memory: sub(
    3,
    message({
      timestamp: int(1),
      workingSetBytes: sub(2, UInt64Value),
      availableBytes: sub(3, UInt64Value),
      usageBytes: sub(4, UInt64Value),
      rssBytes: sub(5, UInt64Value),
      pageFaults: sub(6, UInt64Value),
      majorPageFaults: sub(7, UInt64Value),
    }),
  ),
  writableLayer: sub(
    4,
    message({ timestamp: int(1), usedBytes: sub(3, UInt64Value), inodesUsed: sub(4, UInt64Value) }),
  ),
})
export const ListContainerStatsResponse = message({ stats: list(1, ContainerStats) })

export const ContainerEventResponse = message({
  containerId: string(1),
  containerEventType: int(2),
  podSandboxMetadata: sub(4, PodSandboxMetadata),
})

/** containerd.services.events.v1 */
export const SubscribeRequest = message({ filters: strings(1) })
export const Envelope = message({ event: sub(4, message({ typeUrl: string(1), value: bytes(2) })) })
/** containerd.events */
export const TaskExit = message({ containerId: string(1), id: string(2) })

export type SandboxConfigMessage = Encodable<typeof PodSandboxConfig>
export type ContainerConfigMessage = Encodable<typeof ContainerConfig>
export type ContainerStatusMessage = Decoded<typeof ContainerStatus>
export type ImageMessage = Decoded<typeof Image>
export type ContainerStatsMessage = Decoded<typeof ContainerStats>
