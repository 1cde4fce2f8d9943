/**
 * What the kubelet needs of whatever runs containers. `cri/` drives a real runtime over CRI v1; a simulated one can
 * stand in its place. Names are CRI's; times are milliseconds since the epoch. Every call rejects with a RuntimeError
 * and ends by itself after the call's own timeout.
 */
export interface Runtime {
  version(): Promise<{ name: string; version: string }>
  /** `RuntimeReady` and `NetworkReady`. */
  conditions(): Promise<RuntimeCondition[]>

  /** Creates and starts a sandbox; resolves with its id. */
  runSandbox(config: SandboxConfig, handler?: string): Promise<string>
  /** Also stops the containers in it. Idempotent, and no error when it is gone. */
  stopSandbox(id: string): Promise<void>
  removeSandbox(id: string): Promise<void>
  sandboxStatus(id: string): Promise<SandboxStatus>
  listSandboxes(labels?: Record<string, string>): Promise<Sandbox[]>

  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>
  startContainer(id: string): Promise<void>
  /** Asks with the stop signal, and kills after `gracePeriodSeconds`; resolves when it has stopped. */
  stopContainer(id: string, gracePeriodSeconds: number): Promise<void>
  removeContainer(id: string): Promise<void>
  listContainers(labels?: Record<string, string>): Promise<Container[]>
  containerStatus(id: string): Promise<ContainerStatus>
  containerStats(): Promise<ContainerStats[]>
  /** After its log file was renamed: go on in a new one. */
  reopenContainerLog(id: string): Promise<void>

  execSync(id: string, command: string[], timeoutSeconds: number): Promise<ExecResult>
  /** Each gives the URL of a stream that speaks the SPDY or WebSocket remote command protocol. */
  exec(id: string, options: StreamOptions & { command: string[] }): Promise<string>
  attach(id: string, options: StreamOptions): Promise<string>
  portForward(sandboxId: string, ports: number[]): Promise<string>

  imageStatus(image: string): Promise<Image | undefined>
  listImages(): Promise<Image[]>
  /** Resolves with the reference to give to `createContainer`. */
  pullImage(image: string, auth: RegistryAuth | undefined, sandbox: SandboxConfig): Promise<string>

  /**
   * Calls `onChange` with the id of a container or sandbox that ended, and with nothing when everything
   * has to be looked at again (after a lost connection). Resolves to false when the runtime has no events.
   */
  watch(onChange: (id?: string) => void, signal: AbortSignal): Promise<boolean>
  close(): void
}

export interface RuntimeCondition {
  type: string
  status: boolean
  reason: string
  message: string
}

export type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET'

export interface Namespaces {
  network: NamespaceMode
  pid: NamespaceMode
  ipc: NamespaceMode
  targetId?: string
}

export interface SecurityProfile {
  type: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
  localhostRef?: string
}

export interface LinuxResources {
  cpuPeriod?: number
  cpuQuota?: number
  cpuShares?: number
  memoryLimitInBytes?: number
  oomScoreAdj?: number
  unified?: Record<string, string>
}

export interface SandboxConfig {
  metadata: { name: string; namespace: string; uid: string; attempt: number }
  hostname: string
  logDirectory: string
  dnsConfig?: { servers: string[]; searches: string[]; options: string[] }
  portMappings: PortMapping[]
  labels: Record<string, string>
  annotations: Record<string, string>
  cgroupParent: string
  sysctls: Record<string, string>
  namespaces: Namespaces
  privileged: boolean
  runAsUser?: number
  runAsGroup?: number
  supplementalGroups: number[]
  seccomp?: SecurityProfile
  resources?: LinuxResources
}

export interface PortMapping {
  protocol: 'TCP' | 'UDP' | 'SCTP'
  containerPort: number
  hostPort: number
  hostIp: string
}

export interface Mount {
  containerPath: string
  hostPath: string
  readonly: boolean
  propagation: 'None' | 'HostToContainer' | 'Bidirectional'
}

export interface ContainerConfig {
  metadata: { name: string; attempt: number }
  image: string
  command: string[]
  args: string[]
  workingDir: string
  envs: { key: string; value: string }[]
  mounts: Mount[]
  labels: Record<string, string>
  annotations: Record<string, string>
  /** Relative to the sandbox's log directory. */
  logPath: string
  stdin: boolean
  stdinOnce: boolean
  tty: boolean
  resources: LinuxResources
  namespaces: Namespaces
  privileged: boolean
  capabilities: { add: string[]; drop: string[] }
  runAsUser?: number
  runAsGroup?: number
  supplementalGroups: number[]
  readonlyRootfs: boolean
  noNewPrivs: boolean
  maskedPaths: string[]
  readonlyPaths: string[]
  seccomp?: SecurityProfile
  apparmor?: SecurityProfile
}

export interface Sandbox {
  id: string
  metadata: { name: string; namespace: string; uid: string; attempt: number }
  ready: boolean
  createdAt: number
  labels: Record<string, string>
  annotations: Record<string, string>
}

export interface SandboxStatus extends Sandbox {
  ips: string[]
  hostNetwork: boolean
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown'

export interface Container {
  id: string
  sandboxId: string
  state: ContainerState
  createdAt: number
  labels: Record<string, string>
  annotations: Record<string, string>
}

export interface ContainerStatus {
  id: string
  state: ContainerState
  createdAt: number
  /** 0 until then, as `finishedAt`. */
  startedAt: number
  finishedAt: number
  exitCode: number
  reason: string
  message: string
  image: string
  imageRef: string
  labels: Record<string, string>
  annotations: Record<string, string>
  mounts: Mount[]
  logPath: string
}

export interface ContainerStats {
  id: string
  labels: Record<string, string>
  timestamp: number
  /** CPU used since the start, and now, in nanoseconds and billionths of a core. */
  cpuNanoSeconds: number
  cpuNanoCores: number
  workingSetBytes: number
  usageBytes: number
  rssBytes: number
  writableLayerBytes: number
}

export interface ExecResult {
  exitCode: number
  stdout: Buffer
  stderr: Buffer
}

export interface StreamOptions {
  tty: boolean
  stdin: boolean
  stdout: boolean
  stderr: boolean
}

export interface Image {
  id: string
  repoTags: string[]
  repoDigests: string[]
  size: number
  /** The user that the image asks for, by number or by name. */
  uid?: number
  username: string
}

export interface RegistryAuth {
  username?: string
  password?: string
  auth?: string
  serverAddress?: string
  identityToken?: string
}

/** A runtime's refusal, or the lack of an answer. The message is the runtime's own: it is shown to users. */
export class RuntimeError extends Error {
  override name = 'RuntimeError'
  readonly code: 'NotFound' | 'DeadlineExceeded' | 'Unavailable' | 'Unimplemented' | 'Unknown'

  constructor(code: RuntimeError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** The labels and annotations by which a runtime's objects are known again after a restart of the kubelet. */
export const labels = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const

export const annotations = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  preStopHandler: 'io.kubernetes.container.preStopHandler',
  ports: 'io.kubernetes.container.ports',
  terminationGracePeriod: 'io.kubernetes.pod.terminationGracePeriod',
  deletionGracePeriod: 'io.kubernetes.pod.deletionGracePeriod',
} as const
