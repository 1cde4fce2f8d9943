import { type core, type FieldError, names } from '../../../api/index.ts'
import { validateContainers, validateImageSpace } from './containers.ts'
import {
  complaints,
  duplicate,
  each,
  forbidden,
  invalid,
  notFound,
  notSupported,
  oneOf,
  required,
  tooLong,
} from './field.ts'
import { validateIp } from './ip.ts'
import { eachContainer, validateForSystem, validateHostProcess } from './operating-system.ts'
import { validateList, validatePodResources } from './resources.ts'
import { validateAffinity, validateTolerations, validateTopologySpread } from './scheduling.ts'
import { validatePodSecurityContext } from './security.ts'
import { validateLabels } from './selectors.ts'
import { validateVolumes } from './volumes.ts'

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidatePodSpec */

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never']
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never']
const SYSTEMS = ['linux', 'windows']
const LONGEST_HOSTNAME = 64
const MOST_NAMESERVERS = 3
const MOST_SEARCHES = 32
const LONGEST_SEARCHES = 2048
const LARGEST_INT32 = 2 ** 31 - 1

export function validatePod({ metadata, spec }: core.Pod, old?: core.Pod): FieldError[] {
  const problems = validatePodSpec(spec, 'spec', metadata.name)
  // They are added to a pod that runs, through a subresource of their own.
  if (!old && spec.ephemeralContainers?.length) {
    problems.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'))
  }
  return [
    ...problems,
    ...validateTokens(spec),
    ...each(spec.containers, 'spec.containers', validateImageSpace),
    ...each(spec.initContainers, 'spec.initContainers', validateImageSpace),
  ]
}

/** A token is somebody's. */
const validateTokens = ({ serviceAccountName, volumes }: core.PodSpec): FieldError[] =>
  serviceAccountName
    ? []
    : each(volumes, 'spec.volumes', ({ projected }, volumePath) =>
        each(projected?.sources, `${volumePath}.projected.sources`, ({ serviceAccountToken }, path) =>
          serviceAccountToken
            ? [forbidden(`${path}.serviceAccountToken`, 'must not be specified when serviceAccountName is not set')]
            : [],
        ),
      )

/** `name`: that of the pod itself, unless the spec is in a template. */
export function validatePodSpec(spec: core.PodSpec, path: string, name?: string): FieldError[] {
  const volumes = validateVolumes(spec.volumes, `${path}.volumes`, name)
  return [
    ...(spec.terminationGracePeriodSeconds === undefined ? [required(`${path}.terminationGracePeriodSeconds`)] : []),
    ...volumes.problems,
    ...validatePodClaims(spec.resourceClaims, `${path}.resourceClaims`),
    ...validateContainers(spec, path, volumes.valid),
    ...validatePodResources(spec, `${path}.resources`),
    ...validateHostNetwork(spec, path, name !== undefined),
    ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, RESTART_POLICIES),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurityContext(spec, `${path}.securityContext`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDns(spec, `${path}.dnsConfig`),
    ...validateGates(spec, path),
    ...validateTopologySpread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...validateHostProcess(spec, path),
    ...validateHostUsers(spec, path),
    ...validateHostname(spec, `${path}.hostnameOverride`),
    ...validateNames(spec, path),
    ...validateTolerations(spec.tolerations, `${path}.tolerations`),
    ...each(spec.hostAliases, `${path}.hostAliases`, validateHostAlias),
    ...validateMoreNames(spec, path),
    ...(spec.preemptionPolicy === undefined
      ? []
      : oneOf(`${path}.preemptionPolicy`, spec.preemptionPolicy, PREEMPTION_POLICIES)),
    ...validateList(spec.overhead, `${path}.overhead.limits`),
    ...validateSystem(spec, path),
    ...validateFileVolumes(spec, path),
  ]
}

function validateSystem(spec: core.PodSpec, path: string): FieldError[] {
  if (!spec.os) return []
  if (!spec.os.name) return [required(`${path}.os.name`)]
  return SYSTEMS.includes(spec.os.name)
    ? validateForSystem(spec, path)
    : [notSupported(`${path}.os`, spec.os.name, SYSTEMS)]
}

/** In the host's network, a port of a container is one of the host's. In a template it may still be open. */
const validateHostNetwork = ({ hostNetwork, containers }: core.PodSpec, path: string, isPod: boolean): FieldError[] =>
  hostNetwork
    ? each(containers, `${path}.containers`, ({ ports }, containerPath) =>
        each(ports, `${containerPath}.ports`, ({ hostPort = 0, containerPort }, at) =>
          hostPort === containerPort || (hostPort === 0 && !isPod)
            ? []
            : [invalid(`${at}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true')],
        ),
      )
    : []

function validateHostUsers(spec: core.PodSpec, path: string): FieldError[] {
  if (spec.hostUsers !== false) return []
  const detail = 'when `hostUsers` is false'
  return [
    ...(spec.hostNetwork ? [forbidden(`${path}.hostNetwork`, detail)] : []),
    ...(spec.hostPID ? [forbidden(`${path}.HostPID`, detail)] : []),
    ...(spec.hostIPC ? [forbidden(`${path}.HostIPC`, detail)] : []),
    ...eachContainer(spec, path, ({ volumeDevices }, at) =>
      volumeDevices?.length ? [forbidden(`${at}.volumeDevices`, detail)] : [],
    ),
  ]
}

function validateHostname({ hostnameOverride: name, setHostnameAsFQDN, hostNetwork }: core.PodSpec, field: string) {
  if (name === undefined) return []
  return [
    ...(setHostnameAsFQDN ? [forbidden(field, 'may not be specified when setHostnameAsFQDN is true')] : []),
    ...(hostNetwork ? [forbidden(field, 'may not be specified when hostNetwork is true')] : []),
    ...(name.length > LONGEST_HOSTNAME ? [tooLong(field, '', LONGEST_HOSTNAME)] : []),
    ...complaints(field, name, names.dns1123SubdomainProblems(name)),
  ]
}

const validatePodClaims = (claims: core.PodResourceClaim[] | undefined, path: string): FieldError[] => {
  const seen = new Set<string>()
  return each(claims, path, (claim, at) => {
    const { name, resourceClaimName: of, resourceClaimTemplateName: template } = claim
    const problems: FieldError[] = []
    if (!name) problems.push(required(`${at}.name`))
    else if (seen.has(name)) problems.push(duplicate(`${at}.name`, name))
    else problems.push(...complaints(`${at}.name`, name, names.dns1123LabelProblems(name)))
    seen.add(name)
    const shown = { Name: name, ResourceClaimName: of ?? null, ResourceClaimTemplateName: template ?? null }
    if (of !== undefined && template !== undefined) {
      const detail = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'
      problems.push(invalid(at, shown, detail))
    }
    if (of === undefined && template === undefined) {
      problems.push(invalid(at, shown, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'))
    }
    for (const field of ['resourceClaimName', 'resourceClaimTemplateName'] as const) {
      const value = claim[field]
      if (value !== undefined) {
        problems.push(...complaints(`${at}.${field}`, value, names.dns1123SubdomainProblems(value)))
      }
    }
    return problems
  })
}

/** Variables from files are read in volumes that the pod's own containers fill. */
const validateFileVolumes = (spec: core.PodSpec, path: string): FieldError[] =>
  eachContainer(spec, path, ({ env }, containerPath) =>
    each(env, `${containerPath}.env`, ({ valueFrom }, at) => {
      if (!valueFrom?.fileKeyRef) return []
      const { volumeName } = valueFrom.fileKeyRef
      const field = `${at}.valueFrom.fileKeyRef.volumeName`
      const volume = spec.volumes?.findLast(({ name }) => name === volumeName)
      if (!volume) return [notFound(field, volumeName)]
      return volume.emptyDir ? [] : [invalid(field, volumeName, 'referenced volume must be of type emptyDir')]
    }),
  )

type NameCheck = [keyof core.PodSpec, (name: string) => string[]]

const NAMES: NameCheck[] = [
  ['serviceAccountName', names.dns1123SubdomainProblems],
  ['nodeName', names.dns1123SubdomainProblems],
]
const HOST_NAMES: NameCheck[] = [
  ['hostname', names.dns1123LabelProblems],
  ['subdomain', names.dns1123LabelProblems],
]
const MORE_NAMES: NameCheck[] = [
  ['priorityClassName', names.dns1123SubdomainProblems],
  ['runtimeClassName', names.dns1123SubdomainProblems],
]

const checkNames = (spec: core.PodSpec, path: string, checks: NameCheck[]): FieldError[] =>
  checks.flatMap(([field, check]) => {
    const value = spec[field] as string | undefined
    const empty = value === '' && field === 'runtimeClassName'
    return value || empty ? complaints(`${path}.${field}`, value, check(value!)) : []
  })

const validateNames = (spec: core.PodSpec, path: string): FieldError[] => [
  ...checkNames(spec, path, NAMES),
  ...validateDeadline(spec.activeDeadlineSeconds, `${path}.activeDeadlineSeconds`),
  ...checkNames(spec, path, HOST_NAMES),
]

const validateMoreNames = (spec: core.PodSpec, path: string): FieldError[] => checkNames(spec, path, MORE_NAMES)

const validateDeadline = (deadline: number | undefined, field: string): FieldError[] =>
  deadline !== undefined && (deadline < 1 || deadline > LARGEST_INT32)
    ? [invalid(field, deadline, `must be between 1 and ${LARGEST_INT32}, inclusive`)]
    : []

function validateGates(spec: core.PodSpec, path: string): FieldError[] {
  const seen = new Set<string>()
  return [
    ...each(spec.readinessGates, `${path}.readinessGates`, ({ conditionType }, at) =>
      complaints(`${at}.conditionType`, conditionType, names.qualifiedNameProblems(conditionType)),
    ),
    ...each(spec.schedulingGates, `${path}.schedulingGates`, ({ name }, at) => {
      const problems = complaints(at, name, names.qualifiedNameProblems(name))
      if (seen.has(name)) problems.push(duplicate(at, name))
      seen.add(name)
      return problems
    }),
    ...(spec.nodeName && spec.schedulingGates?.length
      ? [forbidden(`${path}.nodeName`, 'cannot be set until all schedulingGates have been cleared')]
      : []),
  ]
}

const validateHostAlias = ({ ip: address, hostnames }: core.HostAlias, path: string): FieldError[] => [
  ...validateIp(address, `${path}.ip`),
  ...each(hostnames, `${path}.hostnames`, (name, at) => complaints(at, name, names.dns1123SubdomainProblems(name))),
]

function validateDns({ dnsPolicy, dnsConfig }: core.PodSpec, path: string): FieldError[] {
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {}
  if (dnsPolicy === 'None') {
    if (!dnsConfig) return [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')]
    const field = `${path}.nameservers`
    if (!nameservers.length)
      return [required(field, 'must provide at least one DNS nameserver when `dnsPolicy` is None')]
  }
  const problems: FieldError[] = []
  const tooMany = (field: string, values: string[], detail: string) =>
    problems.push(invalid(`${path}.${field}`, values, `must not have more than ${detail}`))
  if (nameservers.length > MOST_NAMESERVERS) tooMany('nameservers', nameservers, `${MOST_NAMESERVERS} nameservers`)
  problems.push(...each(nameservers, `${path}.nameservers`, (address, at) => validateIp(address, at)))
  if (searches.length > MOST_SEARCHES) tooMany('searches', searches, `${MOST_SEARCHES} search paths`)
  if (searches.join(' ').length > LONGEST_SEARCHES)
    tooMany('searches', searches, `${LONGEST_SEARCHES} characters (including spaces) in the search list`)
  return [
    ...problems,
    ...each(searches, `${path}.searches`, (search, at) => {
      const name = search.replace(/\.$/, '')
      return search === '.' ? [] : complaints(at, name, names.searchDomainProblems(name))
    }),
    ...each(options, `${path}.options`, ({ name }, at) => (name ? [] : [required(at, 'must not be empty')])),
  ]
}
