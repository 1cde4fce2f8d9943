import { type core, errors, type FieldError, names, resources } from '../../../../api/index.ts'
import type { Allocation, Strategy } from '../../strategy.ts'
import { at, forbidden, invalid, same } from '../../validation/field.ts'
import { cidrWarnings, ipWarnings } from '../../validation/ip.ts'
import { validateBalancerStatus, validateService } from '../../validation/service.ts'
import { AllocationError, addressesOf, nodePortsOf, type ServiceAllocator } from './service-allocator.ts'

type Service = core.Service

const THREE_HOURS = 10_800

/** Source: k8s.io/kubernetes/pkg/registry/core/service/strategy.go, storage/storage.go, storage/alloc.go */
export const serviceStrategy = (allocator: ServiceAllocator): Strategy<Service> => ({
  defaults: defaultService,

  prepareCreate({ spec }) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
  },

  prepareUpdate(service, old) {
    followClusterIp(service, old)
    keepAllocated(service, old)
    dropForeignFields(service, old)
    dropMeaningless(service)
  },

  validate: validateService,
  validateUpdate: (service, old) => validateUpdate(service, old),
  validateStatusUpdate: validateBalancerStatus,
  nameProblems: names.dns1123LabelProblems,
  generation: false,
  allowCreateOnUpdate: true,
  warnings: serviceWarnings,

  fields: ({ spec }) => ({ 'spec.clusterIP': spec.clusterIP ?? '', 'spec.type': spec.type ?? '' }),

  async allocate(service, old) {
    setFamilies(service, allocator)
    return allocate(service, old, allocator)
  },

  afterDelete(service) {
    for (const address of addressesOf(service)) allocator.releaseAddress(address)
    for (const port of nodePortsOf(service)) allocator.releasePort(port)
  },
})

const hasClusterIp = ({ spec }: Service) => spec.type !== 'ExternalName'
const isHeadless = ({ spec }: Service) => spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None'
const hasHealthCheckPort = ({ spec }: Service) => spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'
const mayHaveNodePorts = ({ spec }: Service) => spec.type === 'NodePort' || spec.type === 'LoadBalancer'
const needsNodePorts = (service: Service) =>
  service.spec.type === 'NodePort' ||
  (service.spec.type === 'LoadBalancer' && service.spec.allocateLoadBalancerNodePorts !== false)

function defaultService({ spec, status }: Service): void {
  spec.type ||= 'ClusterIP'
  spec.sessionAffinity ||= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  else
    spec.sessionAffinityConfig = {
      clientIP: { timeoutSeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? THREE_HOURS },
    }
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP'
    port.targetPort ||= port.port
  }
  const external = mayHaveNodePorts({ spec } as Service) || (spec.type === 'ClusterIP' && spec.externalIPs?.length)
  if (external) spec.externalTrafficPolicy ||= 'Cluster'
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type !== 'LoadBalancer') return
  spec.allocateLoadBalancerNodePorts ??= true
  for (const ingress of status.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP'
}

/** Who changes only one of `clusterIP` and `clusterIPs` means both. */
function followClusterIp({ spec }: Service, { spec: old }: Service): void {
  if (spec.clusterIP === old.clusterIP || !same(spec.clusterIPs, old.clusterIPs)) return
  if (!spec.clusterIP) delete spec.clusterIPs
  else spec.clusterIPs = [spec.clusterIP, ...(spec.clusterIPs ?? []).slice(1)]
}

/** A client that writes what it once sent does not name what was allocated since, and does not mean to give it up. */
function keepAllocated(service: Service, old: Service): void {
  const { spec } = service
  if (hasClusterIp(service) && hasClusterIp(old)) {
    if (!spec.clusterIP) spec.clusterIP = old.spec.clusterIP
    if (!spec.clusterIPs?.length && spec.clusterIP === old.spec.clusterIP) spec.clusterIPs = old.spec.clusterIPs
  }
  if (needsNodePorts(service) && needsNodePorts(old)) {
    for (const port of spec.ports ?? []) {
      const before = old.spec.ports?.find(it => it.port === port.port && it.protocol === port.protocol)
      const free = !spec.ports?.some(it => it.nodePort === before?.nodePort && it.protocol === port.protocol)
      if (!port.nodePort && before?.nodePort && free) port.nodePort = before.nodePort
    }
  }
  if (hasHealthCheckPort(service) && hasHealthCheckPort(old)) spec.healthCheckNodePort ||= old.spec.healthCheckNodePort
}

/** What belonged to the old type and was not touched goes away with it. */
function dropForeignFields(service: Service, old: Service): void {
  const { spec } = service
  const losesClusterIp = hasClusterIp(old) && !hasClusterIp(service)
  if (losesClusterIp && same(spec.clusterIPs, old.spec.clusterIPs)) {
    delete spec.clusterIP
    delete spec.clusterIPs
  }
  if (mayHaveNodePorts(old) && !mayHaveNodePorts(service)) {
    for (const port of spec.ports ?? []) {
      const before = old.spec.ports?.find(it => it.port === port.port && it.protocol === port.protocol)
      if (before?.nodePort === port.nodePort) delete port.nodePort
    }
  }
  const dropped: [boolean, (keyof core.ServiceSpec)[]][] = [
    [losesClusterIp, ['ipFamilies', 'ipFamilyPolicy']],
    [hasHealthCheckPort(old) && !hasHealthCheckPort(service), ['healthCheckNodePort']],
    [
      old.spec.type === 'LoadBalancer' && spec.type !== 'LoadBalancer',
      ['allocateLoadBalancerNodePorts', 'loadBalancerClass'],
    ],
    [mayHaveNodePorts(old) && !mayHaveNodePorts(service) && !spec.externalIPs?.length, ['externalTrafficPolicy']],
  ]
  for (const [applies, fields] of dropped) {
    for (const field of fields) if (applies && same(spec[field], old.spec[field])) delete spec[field]
  }
}

/** What a field says that means nothing for the type of the service is not kept. */
function dropMeaningless({ spec, status }: Service): void {
  if (spec.type === 'ExternalName') delete spec.internalTrafficPolicy
  if (spec.type !== 'LoadBalancer') delete status.loadBalancer?.ingress
}

function validateUpdate(service: Service, old: Service): FieldError[] {
  const problems: FieldError[] = []
  const [address] = service.spec.clusterIPs ?? []
  const [before] = old.spec.clusterIPs ?? []
  // Only a service that is or was ExternalName may get another address, or lose its own.
  if (hasClusterIp(service) && hasClusterIp(old) && before && address !== before) {
    problems.push(invalid('spec.clusterIPs[0]', service.spec.clusterIPs ?? null, 'may not change once set'))
  }
  const { healthCheckNodePort: port } = old.spec
  if (hasHealthCheckPort(service) && hasHealthCheckPort(old) && service.spec.healthCheckNodePort !== port) {
    problems.push(forbidden('spec.healthCheckNodePort', 'field is immutable'))
  }
  const { loadBalancerClass: balancer } = old.spec
  if (service.spec.type === 'LoadBalancer' && balancer && service.spec.loadBalancerClass !== balancer) {
    problems.push(invalid('spec.loadBalancerClass', service.spec.loadBalancerClass ?? null, 'may not change once set'))
  }
  return problems
}

/** Source: k8s.io/kubernetes/pkg/api/service/warnings.go */
function serviceWarnings(service: Service): string[] {
  const { type, clusterIPs, externalIPs, loadBalancerIP, loadBalancerSourceRanges, ...spec } = service.spec
  const warnings: string[] = []
  const each = (field: string, values: string[] | undefined, warn: typeof ipWarnings) =>
    warnings.push(...(values ?? []).flatMap((value, index) => warn(value, at(`spec.${field}`, index))))
  const headless = isHeadless(service)
  if (hasClusterIp(service) && !headless) each('clusterIPs', clusterIPs, ipWarnings)
  if (headless) {
    if (loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services')
    if (externalIPs?.length) warnings.push('spec.externalIPs is ignored for headless services')
    if (spec.sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services')
  }
  each('externalIPs', externalIPs, ipWarnings)
  if (externalIPs?.length && !headless && type !== 'ExternalName') {
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters')
  }
  if (loadBalancerIP) warnings.push(...ipWarnings(loadBalancerIP, 'spec.loadBalancerIP'))
  each('loadBalancerSourceRanges', loadBalancerSourceRanges, cidrWarnings)
  if (type === 'ExternalName' && externalIPs?.length) {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  }
  if (type !== 'ExternalName' && spec.externalName) {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  }
  if (spec.trafficDistribution === 'PreferClose') {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  }
  return warnings
}

/** One family, since the cluster has one range; what has no selector and no address is open to both. */
function setFamilies(service: Service, { range }: ServiceAllocator): void {
  const { spec } = service
  if (!hasClusterIp(service)) return
  const families: ('IPv4' | 'IPv6')[] = range.family === 'IPv4' ? ['IPv4', 'IPv6'] : ['IPv6', 'IPv4']
  const open = isHeadless(service) && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??= open && !spec.ipFamilies?.length ? 'RequireDualStack' : 'SingleStack'
  if (!spec.ipFamilies?.length)
    spec.ipFamilies = open && spec.ipFamilyPolicy !== 'SingleStack' ? families : [range.family]
  if (open) return
  const problems: FieldError[] = []
  if (spec.ipFamilyPolicy === 'RequireDualStack') {
    problems.push(
      invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'),
    )
  }
  spec.ipFamilies.forEach((family, index) => {
    if (family !== range.family) {
      problems.push(invalid(at('spec.ipFamilies', index), family, 'not configured on this cluster'))
    }
  })
  reject(service, problems)
}

function reject({ metadata }: Service, problems: FieldError[]): void {
  if (problems.length) throw errors.invalid(resources.services, metadata.name, problems)
}

/** Takes what the service names or needs beyond what `old` holds, and writes it into the service. */
function allocate(service: Service, old: Service | undefined, allocator: ServiceAllocator): Allocation {
  const held = { addresses: old ? addressesOf(old) : [], ports: old ? nodePortsOf(old) : [] }
  const taken = { addresses: [] as string[], ports: [] as number[] }
  const release = () => {
    for (const address of taken.addresses) allocator.releaseAddress(address)
    for (const port of taken.ports) allocator.releasePort(port)
  }
  try {
    allocateAddress(service, held.addresses, taken.addresses, allocator)
    allocatePorts(service, held.ports, taken.ports, allocator)
  } catch (error) {
    release()
    throw error
  }
  const commit = () => {
    const [addresses, ports] = [new Set(addressesOf(service)), new Set(nodePortsOf(service))]
    for (const address of held.addresses) if (!addresses.has(address)) allocator.releaseAddress(address)
    for (const port of held.ports) if (!ports.has(port)) allocator.releasePort(port)
  }
  return { release, commit }
}

function allocateAddress(service: Service, held: string[], taken: string[], allocator: ServiceAllocator): void {
  const { spec } = service
  if (!hasClusterIp(service) || isHeadless(service)) return
  for (const address of spec.clusterIPs ?? []) {
    if (held.includes(address)) continue
    attempt(service, 'spec.clusterIPs', spec.clusterIPs, `failed to allocate IP ${address}: `, () =>
      allocator.takeAddress(address),
    )
    taken.push(address)
  }
  if (spec.clusterIPs?.length) return
  const address = choose('serviceIP', () => allocator.takeAnyAddress())
  taken.push(address)
  spec.clusterIP = address
  spec.clusterIPs = [address]
}

function allocatePorts(service: Service, held: number[], taken: number[], allocator: ServiceAllocator): void {
  const { spec } = service
  const take = (port: number, field: string) => {
    // TCP and UDP of one service may share a number.
    if (held.includes(port) || taken.includes(port)) return
    attempt(service, field, port, '', () => allocator.takePort(port))
    taken.push(port)
  }
  const takeAny = (what: string) => {
    const port = choose(what, () => allocator.takeAnyPort())
    taken.push(port)
    return port
  }
  spec.ports?.forEach(({ nodePort }, index) => {
    if (nodePort) take(nodePort, `${at('spec.ports', index)}.nodePort`)
  })
  if (needsNodePorts(service)) {
    for (const port of spec.ports ?? []) {
      const twin = spec.ports!.find(
        other => other.port === port.port && other.protocol !== port.protocol && other.nodePort,
      )
      port.nodePort ||= twin?.nodePort ?? takeAny('nodePort')
    }
  }
  if (!hasHealthCheckPort(service)) return
  if (spec.healthCheckNodePort) take(spec.healthCheckNodePort, 'spec.healthCheckNodePort')
  else spec.healthCheckNodePort = takeAny('HealthCheck NodePort')
}

function attempt(service: Service, field: string, value: unknown, prefix: string, take: () => void): void {
  try {
    take()
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error
    reject(service, [invalid(field, value, prefix + error.message)])
  }
}

function choose<T>(what: string, take: () => T): T {
  try {
    return take()
  } catch (error) {
    throw error instanceof AllocationError ? errors.internal(`failed to allocate a ${what}: ${error.message}`) : error
  }
}
