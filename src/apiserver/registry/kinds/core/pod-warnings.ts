import type { core } from '../../../../api/index.ts'
import { parseQuantity } from '../../../../api/index.ts'
import { at, own } from '../../validation/field.ts'
import { ipWarnings } from '../../validation/ip.ts'

/** What is accepted and probably not meant. Source: k8s.io/kubernetes/pkg/api/pod/warnings.go */

const OLD_LABELS: Record<string, [since: string, instead: string]> = {
  'beta.kubernetes.io/arch': ['v1.14', 'kubernetes.io/arch'],
  'beta.kubernetes.io/os': ['v1.14', 'kubernetes.io/os'],
  'failure-domain.beta.kubernetes.io/region': ['v1.17', 'topology.kubernetes.io/region'],
  'failure-domain.beta.kubernetes.io/zone': ['v1.17', 'topology.kubernetes.io/zone'],
  'beta.kubernetes.io/instance-type': ['v1.17', 'node.kubernetes.io/instance-type'],
}

const oldLabel = (key: string): string | undefined => {
  const old = own(OLD_LABELS, key)
  return old && `deprecated since ${old[0]}; use "${old[1]}" instead`
}

/** Kinds of volumes that are no more, by the name that upstream has for them. */
const GONE: [kind: keyof core.Volume, named: string, since: string][] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]

const NO_SELECTOR = 'a null labelSelector results in matching no pod'

export function podSpecWarnings(spec: core.PodSpec | undefined, path: string): string[] {
  if (!spec) return []
  const { terminationGracePeriodSeconds: grace = 0, dnsConfig, hostAliases, imagePullSecrets: secrets } = spec
  return [
    ...Object.keys(spec.nodeSelector ?? {}).flatMap(key => {
      const old = oldLabel(key)
      return old ? [`${at(`${path}.nodeSelector`, key)}: ${old}`] : []
    }),
    ...spreadWarnings(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...each(spec.volumes, `${path}.volumes`, (volume, field) => [
      ...GONE.filter(([kind]) => volume[kind] !== undefined).map(([, named, since]) => `${field}.${named}: ${since}`),
    ]),
    ...(spec.volumes ?? []).flatMap(emptySources),
    ...repeats(hostAliases, `${path}.hostAliases`, 'ip'),
    ...repeats(secrets, `${path}.imagePullSecrets`, 'name'),
    ...each(secrets, `${path}.imagePullSecrets`, ({ name }, field) =>
      name ? [] : [`${field}.name: invalid empty name ""`],
    ),
    ...byteWarnings({ overhead: spec.overhead }, path),
    ...eachContainer(spec, path, ({ resources, env }, field) => [
      ...byteWarnings(resources, `${field}.resources`),
      ...environmentWarnings(env, field),
    ]),
    ...portWarnings(spec, path),
    ...portNameWarnings(spec, path),
    ...(grace < 0
      ? [`${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...affinityWarnings(spec.affinity?.podAffinity, `${path}.affinity.podAffinity`),
    ...affinityWarnings(spec.affinity?.podAntiAffinity, `${path}.affinity.podAntiAffinity`),
    ...each(dnsConfig?.nameservers, `${path}.dnsConfig.nameservers`, ipWarnings),
    ...each(hostAliases, `${path}.hostAliases`, ({ ip }, field) => ipWarnings(ip, `${field}.ip`)),
  ]
}

const each = <T>(items: T[] | undefined, path: string, warn: (item: T, field: string) => string[]): string[] =>
  (items ?? []).flatMap((item, index) => warn(item, at(path, index)))

type AnyContainer = core.Container | core.EphemeralContainer

const eachContainer = (
  spec: core.PodSpec,
  path: string,
  warn: (container: AnyContainer, field: string) => string[],
): string[] => [
  ...each<AnyContainer>(spec.initContainers, `${path}.initContainers`, warn),
  ...each<AnyContainer>(spec.containers, `${path}.containers`, warn),
  ...each<AnyContainer>(spec.ephemeralContainers, `${path}.ephemeralContainers`, warn),
]

const spreadWarnings = (constraints: core.TopologySpreadConstraint[] | undefined, path: string): string[] =>
  each(constraints, path, ({ topologyKey, labelSelector }, field) => {
    const old = oldLabel(topologyKey)
    return [
      ...(old ? [`${field}.topologyKey: ${topologyKey} is ${old}`] : []),
      ...(labelSelector ? [] : [`${field}.labelSelector: ${NO_SELECTOR}`]),
    ]
  })

const emptySources = ({ name, projected }: core.Volume): string[] =>
  (projected?.sources ?? [])
    .filter(source => Object.keys(source).length === 0)
    .map(() => `volume "${name}" (Projected) has no sources provided`)

function repeats<K extends string>(items: { [key in K]?: string }[] | undefined, path: string, key: K): string[] {
  const seen = new Set<string>()
  return each(items, path, (item, field) => {
    const value = item[key] ?? ''
    const warnings = seen.has(value) ? [`${field}.${key}: duplicate ${key} ${JSON.stringify(value)}`] : []
    seen.add(value)
    return warnings
  })
}

function affinityWarnings(affinity: core.PodAffinity | undefined, path: string): string[] {
  const warn = (term: core.PodAffinityTerm, field: string) =>
    term.labelSelector ? [] : [`${field}.labelSelector: ${NO_SELECTOR}`]
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution'
  const required = 'requiredDuringSchedulingIgnoredDuringExecution'
  return [
    ...each(affinity?.[required], `${path}.${required}`, warn),
    ...each(affinity?.[preferred], `${path}.${preferred}`, ({ podAffinityTerm }, field) =>
      warn(podAffinityTerm, `${field}.podAffinityTerm`),
    ),
  ]
}

function environmentWarnings(env: core.EnvVar[] | undefined, path: string): string[] {
  const seen = new Set<string>()
  return (env ?? []).flatMap(({ name, value = '', valueFrom }, index) => {
    const reference = `$(${name})`
    const hides = seen.has(name) && (!!valueFrom || value === reference || !value.includes(reference))
    seen.add(name)
    return hides
      ? [`${at(`${path}.env`, index)}: hides previous definition of "${name}", which may be dropped when using apply`]
      : []
  })
}

/** Ports are compared across all containers of the pod. */
function portWarnings(spec: core.PodSpec, path: string): string[] {
  const seen: (core.ContainerPort & { field: string })[] = []
  return eachContainer(spec, path, ({ ports }, containerField) =>
    each(ports, `${containerField}.ports`, (port, field) => {
      const { containerPort, protocol, hostPort = 0, hostIP = '' } = port
      const bare = hostIP && !hostPort ? [`${field}: hostIP set without hostPort: ${shownPort(port)}`] : []
      const same = seen.filter(other => other.containerPort === containerPort && other.protocol === protocol)
      seen.push({ ...port, field })
      const clashes = same.flatMap(other => {
        const [otherPort, otherIp] = [other.hostPort ?? 0, other.hostIP ?? '']
        if (hostIP === otherIp && hostPort === otherPort) {
          return [`${field}: duplicate port definition with ${other.field}`]
        }
        if (!hostPort || !otherPort) return [`${field}: overlapping port definition with ${other.field}`]
        return hostPort === otherPort && (hostIP === '') !== (otherIp === '')
          ? [`${field}: dangerously ambiguous port definition with ${other.field}`]
          : []
      })
      return [...bare, ...clashes]
    }),
  )
}

/** As Go prints it. */
const shownPort = ({ name = '', hostPort = 0, containerPort, protocol, hostIP = '' }: core.ContainerPort): string =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`

function portNameWarnings(spec: core.PodSpec, path: string): string[] {
  const seen = new Map<string, string>()
  return eachContainer(spec, path, ({ ports }, containerField) =>
    each(ports, `${containerField}.ports`, ({ name }, field) => {
      if (!name) return []
      const other = seen.get(name)
      if (!other) seen.set(name, field)
      const which = `services and probes that select ports by name will use ${other}`
      return other ? [`${field}: duplicate port name ${JSON.stringify(name)} with ${other}, ${which}`] : []
    }),
  )
}

type Lists = { [list in 'limits' | 'requests' | 'overhead']?: Record<string, string> }

/** A tenth of a byte is what `100m` of memory means. */
const byteWarnings = (lists: Lists = {}, path: string): string[] =>
  ['memory', 'ephemeral-storage'].flatMap(name =>
    (['overhead', 'limits', 'requests'] as const).flatMap(list => {
      const amount = lists[list]?.[name]
      const whole = amount === undefined || parseQuantity(amount).nano % 1_000_000_000n === 0n
      return whole
        ? []
        : [`${at(`${path}.${list}`, name)}: fractional byte value "${amount}" is invalid, must be an integer`]
    }),
  )
