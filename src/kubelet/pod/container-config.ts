import type { core } from '../../api/index.ts'
import { annotations, type ContainerConfig, type Image, labels, type Mount } from '../runtime/runtime.ts'
import { ContainerConfigError, expand } from './env.ts'
import { containerResources, type NodeLimits } from './resources.ts'
import { namespacesOf, podGroups, seccompOf } from './sandbox-config.ts'
import { containerHash, formatPod } from './spec.ts'

export interface ContainerOptions {
  restartCount: number
  environment: Map<string, string>
  image: Image | undefined
  imageRef: string
  mounts: Mount[]
  node: NodeLimits
  /** Below it lie local seccomp profiles. */
  rootDir: string
  seccompDefault: boolean
  /** Of an ephemeral container: the container whose processes it sees. */
  targetId?: string
}

export function containerConfig(pod: core.Pod, container: core.Container, options: ContainerOptions): ContainerConfig {
  const { environment, restartCount } = options
  const value = (text: string) => expand(text, name => environment.get(name))
  const security = container.securityContext ?? {}
  const podSecurity = pod.spec.securityContext ?? {}
  const privileged = security.privileged ?? false
  const unmasked = privileged || security.procMount === 'Unmasked'
  const profile = security.seccompProfile ?? podSecurity.seccompProfile
  const namespaces = namespacesOf(pod)
  return {
    metadata: { name: container.name, attempt: restartCount },
    image: options.imageRef,
    command: (container.command ?? []).map(value),
    args: (container.args ?? []).map(value),
    workingDir: container.workingDir ?? '',
    envs: Array.from(environment, ([key, value]) => ({ key, value })),
    mounts: options.mounts,
    labels: labelsOf(pod, container),
    annotations: annotationsOf(pod, container, restartCount),
    logPath: `${container.name}/${restartCount}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    resources: containerResources(pod, container, options.node),
    namespaces: options.targetId ? { ...namespaces, pid: 'TARGET', targetId: options.targetId } : namespaces,
    privileged,
    capabilities: { add: security.capabilities?.add ?? [], drop: security.capabilities?.drop ?? [] },
    ...userOf(pod, container, options.image),
    supplementalGroups: podGroups(pod),
    readonlyRootfs: security.readOnlyRootFilesystem ?? false,
    noNewPrivs: security.allowPrivilegeEscalation === false,
    maskedPaths: unmasked ? [] : MASKED_PATHS,
    readonlyPaths: unmasked ? [] : READONLY_PATHS,
    seccomp: privileged
      ? { type: 'Unconfined' }
      : (seccompOf(profile, options.rootDir) ?? { type: options.seccompDefault ? 'RuntimeDefault' : 'Unconfined' }),
  }
}

/** Who runs it; refuses root where that is forbidden. Source: pkg/kubelet/kuberuntime/security_context.go */
function userOf(pod: core.Pod, container: core.Container, image: Image | undefined) {
  const merged = { ...pod.spec.securityContext, ...container.securityContext }
  const { runAsUser, runAsNonRoot } = merged
  const runAsGroup =
    runAsUser === undefined && image?.uid === undefined && image?.username ? undefined : merged.runAsGroup
  if (runAsNonRoot) {
    const suffix = `(pod: "${formatPod(pod)}", container: ${container.name})`
    if (runAsUser === 0) throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${suffix}`)
    if (runAsUser === undefined && image?.username)
      throw new ContainerConfigError(
        `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${suffix}`,
      )
    if (runAsUser === undefined && !image?.uid)
      throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${suffix}`)
  }
  // containerd wants a user with a group; the image's own, or root.
  const user = runAsUser ?? (runAsGroup === undefined ? undefined : (image?.uid ?? 0))
  return { runAsUser: user, runAsGroup }
}

const labelsOf = ({ metadata }: core.Pod, { name }: core.Container): Record<string, string> => ({
  [labels.podName]: metadata.name,
  [labels.podNamespace]: metadata.namespace,
  [labels.podUid]: metadata.uid,
  [labels.containerName]: name,
})

/** All that is needed to go on with the container, or to end it, after the pod's object is gone. */
function annotationsOf(pod: core.Pod, container: core.Container, restartCount: number): Record<string, string> {
  const preStop = container.lifecycle?.preStop
  const { terminationGracePeriodSeconds } = pod.spec
  return {
    [annotations.hash]: containerHash(container),
    [annotations.restartCount]: String(restartCount),
    [annotations.terminationMessagePath]: terminationMessagePath(container),
    [annotations.terminationMessagePolicy]: container.terminationMessagePolicy ?? 'File',
    ...(terminationGracePeriodSeconds === undefined
      ? {}
      : { [annotations.terminationGracePeriod]: String(terminationGracePeriodSeconds) }),
    ...(preStop ? { [annotations.preStopHandler]: JSON.stringify(preStop) } : {}),
    ...(container.ports?.length ? { [annotations.ports]: JSON.stringify(container.ports) } : {}),
  }
}

export const terminationMessagePath = (container: core.Container): string =>
  container.terminationMessagePath || '/dev/termination-log'

/** Source: pkg/securitycontext/util.go */
const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]

const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']
