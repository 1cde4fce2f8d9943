import type { core, discovery } from '../api/index.ts'

export type Family = 'IPv4' | 'IPv6'

/** One port of one Service as traffic sees it: where it arrives, and who answers. */
export interface ServicePort {
  /** `namespace/name` */
  service: string
  /** The port's name, often empty. */
  port: string
  protocol: 'tcp' | 'udp' | 'sctp'
  clusterIp: string
  number: number
  nodePort?: number
  externalIps: string[]
  loadBalancerIps: string[]
  /** Who may use the load balancer's addresses; everybody, when empty. */
  sourceRanges: string[]
  /** Seconds that a client stays with its endpoint; unset without affinity. */
  affinity?: number
  /** Traffic from within the cluster, or from outside, goes to endpoints of this node only. */
  internalLocal: boolean
  externalLocal: boolean
  /** `address:port` of all that may answer, sorted. */
  endpoints: string[]
  /** Those on this node. */
  localEndpoints: string[]
}

/** The address of an endpoint's `address:port`, without the brackets of IPv6. */
export const addressOf = (target: string): string => target.slice(0, target.lastIndexOf(':')).replace(/[[\]]/g, '')

/** Upstream's, when the Service does not say: three hours. */
const AFFINITY_SECONDS = 10_800
/** Service and EndpointSlice carry it when another implementation takes care of them. */
const OTHER_PROXY = 'service.kubernetes.io/service-proxy-name'

/** The Services that a proxy serves, in one address family. */
export function servicePorts(
  services: core.Service[],
  slicesOf: (service: core.Service) => discovery.EndpointSlice[],
  { nodeName, family }: { nodeName: string; family: Family },
): ServicePort[] {
  return services.filter(isProxied).flatMap(service => {
    const clusterIp = clusterIps(service).find(inFamily(family))
    if (!clusterIp) return []
    const slices = slicesOf(service).filter(({ addressType }) => addressType === family)
    return (service.spec.ports ?? []).map(port => servicePort(service, port, clusterIp, slices, { nodeName, family }))
  })
}

function isProxied({ spec, metadata }: core.Service): boolean {
  return (
    spec.type !== 'ExternalName' && !!spec.clusterIP && spec.clusterIP !== 'None' && !metadata.labels?.[OTHER_PROXY]
  )
}

const clusterIps = ({ spec }: core.Service): string[] => (spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP!])

const inFamily = (family: Family) => (address: string) => address.includes(':') === (family === 'IPv6')

function servicePort(
  { metadata, spec, status }: core.Service,
  { name = '', port, nodePort, protocol = 'TCP' }: core.ServicePort,
  clusterIp: string,
  slices: discovery.EndpointSlice[],
  { nodeName, family }: { nodeName: string; family: Family },
): ServicePort {
  const sticky = spec.sessionAffinity === 'ClientIP'
  const ingress = (status.loadBalancer.ingress ?? []).filter(({ ip, ipMode }) => ip && ipMode !== 'Proxy')
  return {
    service: `${metadata.namespace}/${metadata.name}`,
    port: name,
    protocol: protocol.toLowerCase() as ServicePort['protocol'],
    clusterIp,
    number: port,
    nodePort: nodePort || undefined,
    externalIps: (spec.externalIPs ?? []).filter(inFamily(family)),
    loadBalancerIps: ingress.map(({ ip }) => ip!).filter(inFamily(family)),
    sourceRanges: (spec.loadBalancerSourceRanges ?? []).map(range => range.trim()).filter(inFamily(family)),
    affinity: sticky ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS) : undefined,
    internalLocal: spec.internalTrafficPolicy === 'Local',
    externalLocal: spec.externalTrafficPolicy === 'Local',
    ...endpointsOf(slices, name, nodeName),
  }
}

interface Candidate {
  target: string
  local: boolean
  ready: boolean
  /** Still answers, though it is going away: better than nobody. */
  lastResort: boolean
}

/** Source: KEP-1669, proxy terminating endpoints */
function endpointsOf(slices: discovery.EndpointSlice[], portName: string, nodeName: string) {
  const candidates = slices.flatMap(slice => candidatesOf(slice, portName, nodeName))
  return {
    endpoints: targets(candidates),
    localEndpoints: targets(candidates.filter(({ local }) => local)),
  }
}

function targets(candidates: Candidate[]): string[] {
  const ready = candidates.filter(candidate => candidate.ready)
  const chosen = ready.length > 0 ? ready : candidates.filter(candidate => candidate.lastResort)
  return [...new Set(chosen.map(({ target }) => target))].sort()
}

function candidatesOf({ ports, endpoints }: discovery.EndpointSlice, portName: string, nodeName: string) {
  const number = ports?.find(({ name = '' }) => name === portName)?.port
  if (!number) return []
  return (endpoints ?? []).map(
    ({ addresses, conditions: { ready, serving, terminating }, nodeName: node }): Candidate => ({
      target: addresses[0]!.includes(':') ? `[${addresses[0]}]:${number}` : `${addresses[0]}:${number}`,
      local: node === nodeName,
      ready: ready ?? true,
      lastResort: (serving ?? ready ?? true) && (terminating ?? false),
    }),
  )
}
