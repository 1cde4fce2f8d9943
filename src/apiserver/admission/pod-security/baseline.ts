import type { core } from '../../../api/index.ts'
import {
  type Check,
  type Container,
  containersOf,
  containersWith,
  distinct,
  type Finding,
  type Judge,
  named,
  plural,
  quoted,
  type Runs,
  setters,
  unlessUserNamespace,
} from './check.ts'

const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/'
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/'
/** Types of profiles, for AppArmor as for seccomp, that take nothing away. */
const PROFILES = ['RuntimeDefault', 'Localhost']

const isNoProfile = (type: string | undefined): type is string => type !== undefined && !PROFILES.includes(type)

function appArmor(pod: Runs): Finding | undefined {
  const own: string | undefined = pod.spec.securityContext?.appArmorProfile?.type
  const typeOf = ({ securityContext }: Container) => securityContext?.appArmorProfile?.type
  const containers = containersWith(pod, container => isNoProfile(typeOf(container)))
  const annotations = Object.entries(pod.metadata?.annotations ?? {})
    .filter(([key, value]) => key.startsWith(APP_ARMOR) && !/^($|runtime\/default$|localhost\/)/.test(value))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort()
  const values = [...distinct([own, ...containersOf(pod).map(typeOf)].filter(isNoProfile)), ...annotations]
  if (!values.length) return undefined
  const who = setters(isNoProfile(own), containers)
  const set = [...(who ? [who] : []), ...(annotations.length ? [plural(annotations.length, 'annotation')] : [])]
  return {
    reason: plural(values.length, 'forbidden AppArmor profile'),
    detail: `${set.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  }
}

const CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

/** Which containers add capabilities that are not allowed, and which those are. */
export function addedCapabilities(pod: Runs, isAllowed: (name: string) => boolean) {
  const forbidden = ({ securityContext }: Container) =>
    (securityContext?.capabilities?.add ?? []).filter(name => !isAllowed(name))
  const containers = containersWith(pod, container => forbidden(container).length > 0)
  if (!containers.length) return undefined
  const names = distinct(containersOf(pod).flatMap(forbidden))
  return `${named(containers)} must not include ${quoted(names)} in securityContext.capabilities.add`
}

function capabilities(pod: Runs): Finding | undefined {
  const detail = addedCapabilities(pod, name => CAPABILITIES.has(name))
  return detail === undefined ? undefined : { reason: 'non-default capabilities', detail }
}

function hostNamespaces({ spec }: Runs): Finding | undefined {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter(field => spec[field])
  return used.length ? { reason: 'host namespaces', detail: used.map(field => `${field}=true`).join(', ') } : undefined
}

function hostPathVolumes({ spec }: Runs): Finding | undefined {
  const volumes = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name)
  return volumes.length ? { reason: 'hostPath volumes', detail: named(volumes, 'volume') } : undefined
}

function hostPorts(pod: Runs): Finding | undefined {
  const portsOf = ({ ports = [] }: Container) => ports.flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []))
  const containers = containersWith(pod, container => portsOf(container).length > 0)
  if (!containers.length) return undefined
  const ports = distinct(containersOf(pod).flatMap(portsOf))
  const use = plural(containers.length, 'uses', 'use')
  return {
    reason: 'hostPort',
    detail: `${named(containers)} ${use} ${plural(ports.length, 'hostPort')} ${ports.join(', ')}`,
  }
}

/** A probe or hook that goes elsewhere than to the pod has the kubelet connect to what the author could not. */
function probeHosts(pod: Runs): Finding | undefined {
  const hostsOf = (container: Container) => {
    const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container
    return [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop]
      .flatMap(handler => [handler?.httpGet?.host ?? '', handler?.tcpSocket?.host ?? ''])
      .filter(host => host)
  }
  const containers = distinct(containersWith(pod, container => hostsOf(container).length > 0))
  if (!containers.length) return undefined
  const hosts = distinct(containersOf(pod).flatMap(hostsOf))
  const use = plural(containers.length, 'uses', 'use')
  return {
    reason: 'probe or lifecycle host',
    detail: `${named(containers)} ${use} ${plural(hosts.length, 'probe or lifecycle host')} ${quoted(hosts)}`,
  }
}

function privileged(pod: Runs): Finding | undefined {
  const containers = containersWith(pod, ({ securityContext }) => securityContext?.privileged === true)
  return containers.length
    ? { reason: 'privileged', detail: `${named(containers)} must not set securityContext.privileged=true` }
    : undefined
}

export function procMount(pod: Runs): Finding | undefined {
  const typeOf = ({ securityContext }: Container) => securityContext?.procMount ?? 'Default'
  const containers = containersWith(pod, container => typeOf(container) !== 'Default')
  if (!containers.length) return undefined
  const types = distinct(containersOf(pod).map(typeOf)).filter(type => type !== 'Default')
  return {
    reason: 'procMount',
    detail: `${named(containers)} must not set securityContext.procMount to ${quoted(types)}`,
  }
}

const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t']

const seLinux =
  (types: string[]): Judge =>
  pod => {
    const isBad = ({ type = '', user, role }: core.SELinuxOptions = {}) => !types.includes(type) || !!user || !!role
    const own = pod.spec.securityContext?.seLinuxOptions
    const containers = containersWith(pod, ({ securityContext }) => isBad(securityContext?.seLinuxOptions))
    const who = setters(isBad(own), containers)
    if (!who) return undefined
    const all = [own, ...containersOf(pod).map(({ securityContext }) => securityContext?.seLinuxOptions)]
    const badTypes = distinct(all.map(options => options?.type ?? '').filter(type => !types.includes(type)))
    const what = [
      ...(badTypes.length ? [named(badTypes, 'type')] : []),
      ...(all.some(options => options?.user) ? ['user may not be set'] : []),
      ...(all.some(options => options?.role) ? ['role may not be set'] : []),
    ]
    return {
      reason: 'seLinuxOptions',
      detail: `${who} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}`,
    }
  }

function seccompAnnotations(pod: Runs): Finding | undefined {
  const { annotations = {} } = pod.metadata ?? {}
  const keys = [SECCOMP_POD, ...containersOf(pod).map(({ name }) => SECCOMP_CONTAINER + name)]
  const isBad = (key: string) =>
    Object.hasOwn(annotations, key) && !/^(runtime\/default$|docker\/default$|localhost\/)/.test(annotations[key]!)
  const bad = distinct(keys.filter(isBad).map(key => `${key}=${JSON.stringify(annotations[key])}`))
  return bad.length
    ? { reason: 'seccompProfile', detail: `forbidden ${plural(bad.length, 'annotation')} ${bad.join(', ')}` }
    : undefined
}

/** Only what is set counts here. */
export function seccompSet(pod: Runs): Finding | undefined {
  const own: string | undefined = pod.spec.securityContext?.seccompProfile?.type
  const typeOf = ({ securityContext }: Container) => securityContext?.seccompProfile?.type
  const who = setters(
    isNoProfile(own),
    containersWith(pod, container => isNoProfile(typeOf(container))),
  )
  if (!who) return undefined
  const values = distinct([own, ...containersOf(pod).map(typeOf)].filter(isNoProfile))
  return {
    reason: 'seccompProfile',
    detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(values)}`,
  }
}

const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
]
const SYSCTLS_1_27 = [...SYSCTLS, 'net.ipv4.ip_local_reserved_ports']
const SYSCTLS_1_29 = [
  ...SYSCTLS_1_27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
]
const SYSCTLS_1_32 = [...SYSCTLS_1_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']

const sysctls =
  (allowed: string[]): Judge =>
  ({ spec }) => {
    const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter(name => !allowed.includes(name))
    return names.length ? { reason: 'forbidden sysctls', detail: names.join(', ') } : undefined
  }

function windowsHostProcess(pod: Runs): Finding | undefined {
  const own = pod.spec.securityContext?.windowsOptions?.hostProcess === true
  const containers = containersWith(pod, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true)
  const who = setters(own, containers)
  return who
    ? { reason: 'hostProcess', detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` }
    : undefined
}

/** Keeps out what is known to lead from a pod to its node. */
export const BASELINE: Check[] = [
  { id: 'appArmorProfile', since: [[0, appArmor]] },
  { id: 'capabilities_baseline', since: [[0, capabilities]] },
  { id: 'hostNamespaces', since: [[0, hostNamespaces]] },
  { id: 'hostPathVolumes', since: [[0, hostPathVolumes]] },
  { id: 'hostPorts', since: [[0, hostPorts]] },
  { id: 'hostProbesAndHostLifecycle', since: [[34, probeHosts]] },
  { id: 'privileged', since: [[0, privileged]] },
  {
    id: 'procMount',
    since: [
      [0, procMount],
      [35, unlessUserNamespace(procMount)],
    ],
  },
  {
    id: 'seLinuxOptions',
    since: [
      [0, seLinux(SELINUX_TYPES)],
      [31, seLinux([...SELINUX_TYPES, 'container_engine_t'])],
    ],
  },
  {
    id: 'seccompProfile_baseline',
    since: [
      [0, seccompAnnotations],
      [19, seccompSet],
    ],
  },
  {
    id: 'sysctls',
    since: [
      [0, sysctls(SYSCTLS)],
      [27, sysctls(SYSCTLS_1_27)],
      [29, sysctls(SYSCTLS_1_29)],
      [32, sysctls(SYSCTLS_1_32)],
    ],
  },
  { id: 'windowsHostProcess', since: [[0, windowsHostProcess]] },
]
