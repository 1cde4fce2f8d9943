import { join } from 'node:path'
import { type core, isSidecar } from '../../api/index.ts'
import {
  labels,
  type Namespaces,
  type PortMapping,
  type SandboxConfig,
  type SecurityProfile,
} from '../runtime/runtime.ts'
import type { DnsConfig } from './dns.ts'
import { allContainers, hostnameOf } from './spec.ts'

export interface SandboxOptions {
  attempt: number
  dns: DnsConfig
  podLogsDir: string
  cgroupParent: string
}

export const logDirectoryOf = (podLogsDir: string, { metadata }: core.Pod): string =>
  join(podLogsDir, `${metadata.namespace}_${metadata.name}_${metadata.uid}`)

export function sandboxConfig(pod: core.Pod, options: SandboxOptions): SandboxConfig {
  const { name, namespace, uid } = pod.metadata
  const security = pod.spec.securityContext ?? {}
  return {
    metadata: { name, namespace, uid, attempt: options.attempt },
    hostname: pod.spec.hostNetwork ? '' : hostnameOf(pod),
    logDirectory: logDirectoryOf(options.podLogsDir, pod),
    dnsConfig: options.dns,
    portMappings: portMappings(pod),
    labels: {
      ...pod.metadata.labels,
      [labels.podName]: name,
      [labels.podNamespace]: namespace,
      [labels.podUid]: uid,
    },
    annotations: pod.metadata.annotations ?? {},
    cgroupParent: options.cgroupParent,
    sysctls: Object.fromEntries((security.sysctls ?? []).map(({ name, value }) => [name, value])),
    namespaces: namespacesOf(pod),
    privileged: allContainers(pod).some(({ securityContext }) => securityContext?.privileged),
    runAsUser: security.runAsUser,
    runAsGroup: security.runAsUser === undefined ? undefined : security.runAsGroup,
    supplementalGroups: podGroups(pod),
    seccomp: { type: 'RuntimeDefault' },
  }
}

export function namespacesOf({ spec }: core.Pod): Namespaces {
  return {
    network: spec.hostNetwork ? 'NODE' : 'POD',
    pid: spec.hostPID ? 'NODE' : spec.shareProcessNamespace ? 'POD' : 'CONTAINER',
    ipc: spec.hostIPC ? 'NODE' : 'POD',
  }
}

/** The groups that every process of the pod is in besides its own. */
export function podGroups({ spec }: core.Pod): number[] {
  const { fsGroup, supplementalGroups = [] } = spec.securityContext ?? {}
  return fsGroup === undefined ? supplementalGroups : [...supplementalGroups, fsGroup]
}

function portMappings(pod: core.Pod): PortMapping[] {
  if (pod.spec.hostNetwork) return []
  const lasting = allContainers(pod).filter(
    container => isSidecar(container) || pod.spec.containers.includes(container),
  )
  return lasting
    .flatMap(({ ports = [] }) => ports)
    .filter(({ hostPort }) => hostPort)
    .map(({ protocol = 'TCP', containerPort, hostPort = 0, hostIP = '' }) => ({
      protocol,
      containerPort,
      hostPort,
      hostIp: hostIP,
    }))
}

export function seccompOf(profile: core.SeccompProfile | undefined, root: string): SecurityProfile | undefined {
  if (!profile) return undefined
  if (profile.type !== 'Localhost') return { type: profile.type }
  return { type: 'Localhost', localhostRef: join(root, 'seccomp', profile.localhostProfile ?? '') }
}
