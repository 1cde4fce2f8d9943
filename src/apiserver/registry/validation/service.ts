import { isIPv6 } from 'node:net'
import { type core, type FieldError, names } from '../../../api/index.ts'
import { PROTOCOLS } from './containers.ts'
import {
  at,
  complaints,
  duplicate,
  each,
  forbidden,
  invalid,
  notSupported,
  oneOf,
  optionalOneOf,
  required,
} from './field.ts'
import { validateCidr, validateIp, validateReachable } from './ip.ts'
import { validatePort } from './probes.ts'
import { validateLabels } from './selectors.ts'

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateService */

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const FAMILIES = ['IPv4', 'IPv6']
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']
const TRAFFIC_POLICIES = ['Cluster', 'Local']
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode']
const ONE_DAY = 86_400
/** Older than the field of the same name. */
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges'

const isHeadless = ({ clusterIPs }: core.ServiceSpec) => clusterIPs?.[0] === 'None'
const isExternal = ({ type, externalIPs }: core.ServiceSpec) =>
  type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && !!externalIPs?.length)

export function validateService(service: core.Service, old?: core.Service): FieldError[] {
  const { spec } = service
  const needsPorts = !isHeadless(spec) && spec.type !== 'ExternalName'
  return [
    ...(needsPorts && !spec.ports?.length ? [required('spec.ports')] : []),
    ...validateByType(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...oneOf('spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']),
    ...validateAffinity(spec),
    ...(spec.type === 'ExternalName' ? [] : validateClusterIps(spec, old?.spec.clusterIPs)),
    ...each(spec.externalIPs, 'spec.externalIPs', (address, field) => {
      const problems = validateIp(address, field, old?.spec.externalIPs)
      return problems.length ? problems : validateReachable(address, field)
    }),
    ...oneOf('spec.type', spec.type, TYPES),
    ...validateNodePorts(spec),
    ...validateDistinctPorts(spec),
    ...validateSourceRanges(service, old),
    ...validateBalancer(spec),
    ...validateExternalTraffic(spec),
    ...validateInternalTraffic(spec),
  ]
}

function validateByType({ type, clusterIPs, ipFamilies, ipFamilyPolicy, externalName = '' }: core.ServiceSpec) {
  if (type === 'LoadBalancer' || type === 'NodePort') {
    return clusterIPs?.[0] === 'None'
      ? [invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`)]
      : []
  }
  if (type !== 'ExternalName') return []
  const refused = (field: string) => forbidden(`spec.${field}`, 'may not be set for ExternalName services')
  const problems: FieldError[] = []
  if (clusterIPs?.length) problems.push(refused('clusterIPs'))
  if (ipFamilies?.length) problems.push(refused('ipFamilies'))
  if (ipFamilyPolicy !== undefined) problems.push(refused('ipFamilyPolicy'))
  // A trailing dot makes a name complete.
  const host = externalName.replace(/\.$/, '')
  const bad = host ? complaints('spec.externalName', host, names.dns1123SubdomainProblems(host)) : undefined
  return [...problems, ...(bad ?? [required('spec.externalName')])]
}

function validatePorts({ ports }: core.ServiceSpec): FieldError[] {
  const seen = new Set<string>()
  const many = (ports?.length ?? 0) > 1
  return each(ports, 'spec.ports', ({ name, port, protocol, targetPort, appProtocol }, path) => [
    ...validatePortName(name, many, seen, `${path}.name`),
    ...complaints(`${path}.port`, port, names.portNumberProblems(port)),
    ...oneOf(`${path}.protocol`, protocol, PROTOCOLS),
    ...validatePort(targetPort, `${path}.targetPort`),
    ...(appProtocol === undefined
      ? []
      : complaints(`${path}.appProtocol`, appProtocol, names.qualifiedNameProblems(appProtocol))),
  ])
}

function validatePortName(name: string | undefined, needed: boolean, seen: Set<string>, field: string): FieldError[] {
  if (!name) return needed ? [required(field)] : []
  const problems = complaints(field, name, names.dns1123LabelProblems(name))
  if (seen.has(name)) problems.push(duplicate(field, name))
  seen.add(name)
  return problems
}

function validateAffinity({ sessionAffinity, sessionAffinityConfig: config }: core.ServiceSpec): FieldError[] {
  const path = 'spec.sessionAffinityConfig'
  if (sessionAffinity === 'None' && config) {
    return [forbidden(path, 'must not be set when session affinity is None')]
  }
  if (sessionAffinity !== 'ClientIP') return []
  const seconds = config?.clientIP?.timeoutSeconds
  if (seconds === undefined || (seconds > 0 && seconds <= ONE_DAY)) return []
  return [invalid(`${path}.clientIP.timeoutSeconds`, seconds, `must be greater than 0 and less than ${ONE_DAY}`)]
}

function validateClusterIps(spec: core.ServiceSpec, before: string[] | undefined): FieldError[] {
  const { clusterIP, clusterIPs = [], ipFamilies, ipFamilyPolicy } = spec
  const field = 'spec.clusterIPs'
  const problems: FieldError[] = []
  if (!clusterIP) {
    if (clusterIPs.length) problems.push(invalid(field, clusterIPs, 'must be empty when `clusterIP` is not specified'))
  } else if (clusterIPs.length === 0) problems.push(required(field))
  else if (clusterIP !== clusterIPs[0]) problems.push(invalid(field, clusterIPs, 'first value must match `clusterIP`'))
  const families = new Set<string>()
  problems.push(
    ...each(ipFamilies, 'spec.ipFamilies', (family, path) => {
      const bad = FAMILIES.includes(family) ? [] : [notSupported(path, family, FAMILIES)]
      if (families.has(family)) bad.push(duplicate(path, family))
      families.add(family)
      return bad
    }),
  )
  if (ipFamilyPolicy !== undefined && !FAMILY_POLICIES.includes(ipFamilyPolicy)) {
    problems.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, FAMILY_POLICIES))
  }
  const malformed = each(clusterIPs, field, (address, path, index) => {
    if (index > 0 || address !== 'None') return validateIp(address, path, before)
    return clusterIPs.length > 1 ? [invalid(field, clusterIPs, "'None' must be the first and only value")] : []
  })
  problems.push(...malformed)
  if (clusterIPs.length > 2) problems.push(invalid(field, clusterIPs, 'may only hold up to 2 values'))
  return malformed.length ? problems : [...problems, ...validateFamilies(spec)]
}

function validateFamilies(spec: core.ServiceSpec): FieldError[] {
  const { clusterIPs = [], ipFamilies = [] } = spec
  const field = 'spec.clusterIPs'
  const problems: FieldError[] = []
  if (clusterIPs.length > 1 && new Set(clusterIPs.map(isIPv6)).size < 2) {
    problems.push(invalid(field, clusterIPs, 'may specify no more than one IP for each IP family'))
  }
  if (isHeadless(spec)) return problems
  for (const [index, address] of clusterIPs.slice(0, ipFamilies.length).entries()) {
    const family = ipFamilies[index]!
    if (!FAMILIES.includes(family) || (family === 'IPv6') === isIPv6(address)) continue
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``
    problems.push(invalid(at(field, index), address, detail))
  }
  return problems
}

function validateNodePorts({ type, ports }: core.ServiceSpec): FieldError[] {
  const seen = new Set<string>()
  const misplaced = each(ports, 'spec.ports', ({ nodePort }, path) =>
    nodePort && type === 'ClusterIP'
      ? [forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'")]
      : [],
  )
  const repeated = each(ports, 'spec.ports', ({ nodePort, protocol }, path) => {
    if (!nodePort) return []
    const key = `${protocol}/${nodePort}`
    const problems = seen.has(key) ? [duplicate(`${path}.nodePort`, nodePort)] : []
    seen.add(key)
    return problems
  })
  return [...misplaced, ...repeated]
}

function validateDistinctPorts({ ports }: core.ServiceSpec): FieldError[] {
  const seen = new Set<string>()
  return each(ports, 'spec.ports', ({ protocol, port }, path) => {
    const key = `${protocol}/${port}`
    const shown = { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 }
    const problems = seen.has(key) ? [duplicate(path, shown)] : []
    seen.add(key)
    return problems
  })
}

function validateSourceRanges({ metadata, spec }: core.Service, old: core.Service | undefined): FieldError[] {
  const { type, loadBalancerSourceRanges: ranges } = spec
  const misplaced = (field: string) =>
    type === 'LoadBalancer' ? [] : [forbidden(field, "may only be used when `type` is 'LoadBalancer'")]
  if (ranges?.length) {
    const field = 'spec.LoadBalancerSourceRanges'
    const before = old?.spec.loadBalancerSourceRanges?.map(range => range.trim())
    return [...misplaced(field), ...each(ranges, field, (range, path) => validateCidr(range.trim(), path, before))]
  }
  const text = metadata.annotations?.[SOURCE_RANGES]
  if (text === undefined) return []
  const field = `metadata.annotations[${SOURCE_RANGES}]`
  const isNew = old?.metadata.annotations?.[SOURCE_RANGES] !== text && text.trim() !== ''
  const given = isNew ? text.trim().split(',') : []
  return [...misplaced(field), ...given.flatMap(range => validateCidr(range.trim(), field))]
}

function validateBalancer({ type, allocateLoadBalancerNodePorts, loadBalancerClass }: core.ServiceSpec): FieldError[] {
  const isBalancer = type === 'LoadBalancer'
  const misplaced = (field: string) => forbidden(field, "may only be used when `type` is 'LoadBalancer'")
  const problems: FieldError[] = []
  if (allocateLoadBalancerNodePorts !== undefined && !isBalancer) {
    problems.push(misplaced('spec.allocateLoadBalancerNodePorts'))
  }
  if (loadBalancerClass === undefined) return problems
  const field = 'spec.loadBalancerClass'
  return isBalancer
    ? [...problems, ...complaints(field, loadBalancerClass, names.qualifiedNameProblems(loadBalancerClass))]
    : [...problems, misplaced(field)]
}

function validateExternalTraffic(spec: core.ServiceSpec): FieldError[] {
  const { externalTrafficPolicy: policy, healthCheckNodePort: port } = spec
  const field = 'spec.externalTrafficPolicy'
  const problems: FieldError[] = []
  if (isExternal(spec)) problems.push(...oneOf(field, policy, TRAFFIC_POLICIES))
  else if (policy) problems.push(invalid(field, policy, 'may only be set for externally-accessible services'))
  if (!port) return problems
  const health = 'spec.healthCheckNodePort'
  if (spec.type === 'LoadBalancer' && policy === 'Local') {
    return [...problems, ...complaints(health, port, names.portNumberProblems(port))]
  }
  const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
  return [...problems, invalid(health, port, detail)]
}

const validateInternalTraffic = ({ internalTrafficPolicy, trafficDistribution }: core.ServiceSpec): FieldError[] => [
  ...(internalTrafficPolicy === undefined || TRAFFIC_POLICIES.includes(internalTrafficPolicy)
    ? []
    : [notSupported('spec.internalTrafficPolicy', internalTrafficPolicy, TRAFFIC_POLICIES)]),
  ...(trafficDistribution === undefined || DISTRIBUTIONS.includes(trafficDistribution)
    ? []
    : [notSupported('spec.trafficDistribution', trafficDistribution, DISTRIBUTIONS)]),
]

/** What a balancer says of itself. Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateLoadBalancerStatus */
export function validateBalancerStatus({ spec, status }: core.Service, old: core.Service): FieldError[] {
  const path = 'status.loadBalancer.ingress'
  const given = status.loadBalancer?.ingress
  if (given?.length && spec.type !== 'LoadBalancer') {
    return [forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")]
  }
  const before = old.status.loadBalancer?.ingress?.flatMap(({ ip }) => ip ?? [])
  return each(given, path, ({ ip, ipMode, hostname }, field) => [
    ...(ip ? validateIp(ip, `${field}.ip`, before) : []),
    ...(ip && ipMode === undefined ? [required(`${field}.ipMode`, 'must be specified when `ip` is set')] : []),
    ...(!ip && ipMode !== undefined
      ? [forbidden(`${field}.ipMode`, 'may not be specified when `ip` is not set')]
      : optionalOneOf(`${field}.ipMode`, ipMode, ['Proxy', 'VIP'])),
    ...(hostname ? complaints(`${field}.hostname`, hostname, names.dns1123SubdomainProblems(hostname)) : []),
    ...(hostname && names.isIP(hostname)
      ? [invalid(`${field}.hostname`, hostname, 'must be a DNS name, not an IP address')]
      : []),
  ])
}
