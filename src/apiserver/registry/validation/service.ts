import { type core, type FieldError, names } from '../../../api/index.ts'
import { PROTOCOLS } from './containers.ts'
import {
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
import { validatePort } from './probes.ts'
import { validateLabels } from './selectors.ts'

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateService */

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const TRAFFIC_POLICIES = ['Cluster', 'Local']
const ONE_DAY = 86_400

const isHeadless = ({ clusterIPs }: core.ServiceSpec) => clusterIPs?.[0] === 'None'
const isExternal = ({ type, externalIPs }: core.ServiceSpec) =>
  type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && !!externalIPs?.length)

export function validateService({ spec }: core.Service): FieldError[] {
  const problems: FieldError[] = []
  if (!spec.ports?.length && !isHeadless(spec) && spec.type !== 'ExternalName') problems.push(required('spec.ports'))
  return [
    ...problems,
    ...validateType(spec),
    ...oneOf('spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']),
    ...validateAffinityTimeout(spec),
    ...validateClusterIps(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...each(spec.externalIPs, 'spec.externalIPs', (address, field) =>
      complaints(field, address, names.ipProblems(address)),
    ),
    ...validateTraffic(spec),
  ]
}

function validateType(spec: core.ServiceSpec): FieldError[] {
  const { type, clusterIPs, externalName } = spec
  const problems = oneOf('spec.type', type, TYPES)
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec)) {
    problems.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`))
  }
  if (type === 'LoadBalancer') {
    problems.push(
      ...each(spec.ports, 'spec.ports', ({ port }, field) =>
        port === 10250
          ? [invalid(`${field}.port`, port, 'may not expose port 10250 externally since it is used by kubelet')]
          : [],
      ),
    )
  }
  if (type !== 'ExternalName') return problems
  if (clusterIPs?.length) problems.push(forbidden('spec.clusterIPs', 'may not be set for ExternalName services'))
  const host = externalName?.replace(/\.$/, '')
  if (!host) return [...problems, required('spec.externalName')]
  return [...problems, ...complaints('spec.externalName', externalName, names.dns1123SubdomainProblems(host))]
}

function validateAffinityTimeout({ sessionAffinity, sessionAffinityConfig }: core.ServiceSpec): FieldError[] {
  const path = 'spec.sessionAffinityConfig'
  if (sessionAffinity === 'None' && sessionAffinityConfig) {
    return [forbidden(path, 'must not be set when session affinity is None')]
  }
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds
  if (seconds === undefined || (seconds > 0 && seconds <= ONE_DAY)) return []
  return [invalid(`${path}.clientIP.timeoutSeconds`, seconds, `must be greater than 0 and less than ${ONE_DAY}`)]
}

function validateClusterIps({
  type,
  clusterIP,
  clusterIPs = [],
  ipFamilies,
  ipFamilyPolicy,
}: core.ServiceSpec): FieldError[] {
  const problems: FieldError[] = []
  if (type === 'ExternalName') {
    if (ipFamilies?.length) problems.push(forbidden('spec.ipFamilies', 'may not be set for ExternalName services'))
    if (ipFamilyPolicy) problems.push(forbidden('spec.ipFamilyPolicy', 'may not be set for ExternalName services'))
    return problems
  }
  if (!clusterIP && clusterIPs.length)
    problems.push(forbidden('spec.clusterIPs', 'must be empty when `clusterIP` is not specified'))
  else if (clusterIP && clusterIP !== clusterIPs[0]) {
    problems.push(invalid('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`'))
  }
  if (clusterIPs.length > 2) problems.push(invalid('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values'))
  if (clusterIPs.length > 1 && clusterIPs[0] === 'None') {
    problems.push(invalid('spec.clusterIPs', clusterIPs, "'None' must be the first and only value"))
  }
  const malformed =
    clusterIPs[0] === 'None'
      ? []
      : each(clusterIPs, 'spec.clusterIPs', (address, field) => complaints(field, address, names.ipProblems(address)))
  const seen = new Set<string>()
  return [
    ...problems,
    ...malformed,
    ...optionalOneOf('spec.ipFamilyPolicy', ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack']),
    ...each(ipFamilies, 'spec.ipFamilies', (family, field) => {
      if (family !== 'IPv4' && family !== 'IPv6') return [notSupported(field, family, ['IPv4', 'IPv6'])]
      if (seen.has(family)) return [duplicate(field, family)]
      seen.add(family)
      return []
    }),
  ]
}

function validatePorts(spec: core.ServiceSpec): FieldError[] {
  const [seen, numbers, nodePorts] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const many = (spec.ports?.length ?? 0) > 1
  return each(spec.ports, 'spec.ports', (port, path) => {
    const { name, protocol, nodePort } = port
    const problems = validatePortName(name, many, seen, `${path}.name`)
    problems.push(...complaints(`${path}.port`, port.port, names.portNumberProblems(port.port)))
    problems.push(...oneOf(`${path}.protocol`, protocol, PROTOCOLS))
    problems.push(...validatePort(port.targetPort, `${path}.targetPort`))
    if (port.appProtocol) {
      problems.push(
        ...complaints(`${path}.appProtocol`, port.appProtocol, names.qualifiedNameProblems(port.appProtocol)),
      )
    }
    const identity = `${protocol}/${port.port}`
    if (numbers.has(identity)) problems.push(duplicate(path, { protocol, port: port.port }))
    numbers.add(identity)
    if (!nodePort) return problems
    if (spec.type === 'ClusterIP')
      problems.push(forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"))
    if (nodePorts.has(`${protocol}/${nodePort}`)) problems.push(duplicate(`${path}.nodePort`, nodePort))
    nodePorts.add(`${protocol}/${nodePort}`)
    return problems
  })
}

function validatePortName(name: string | undefined, needed: boolean, seen: Set<string>, field: string): FieldError[] {
  if (!name) return needed ? [required(field)] : []
  if (seen.has(name)) return [duplicate(field, name)]
  seen.add(name)
  return complaints(field, name, names.dns1123LabelProblems(name))
}

function validateTraffic(spec: core.ServiceSpec): FieldError[] {
  const { externalTrafficPolicy: external, internalTrafficPolicy: internal, healthCheckNodePort } = spec
  const problems: FieldError[] = []
  const externalPath = 'spec.externalTrafficPolicy'
  if (isExternal(spec)) problems.push(...oneOf(externalPath, external, TRAFFIC_POLICIES))
  else if (external)
    problems.push(invalid(externalPath, external, 'may only be set for externally-accessible services'))
  if (healthCheckNodePort && !(spec.type === 'LoadBalancer' && external === 'Local')) {
    problems.push(
      invalid(
        'spec.healthCheckNodePort',
        healthCheckNodePort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    )
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== 'LoadBalancer') {
    problems.push(forbidden('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"))
  }
  if (spec.loadBalancerClass && spec.type !== 'LoadBalancer') {
    problems.push(forbidden('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'"))
  }
  return [...problems, ...optionalOneOf('spec.internalTrafficPolicy', internal, TRAFFIC_POLICIES)]
}
