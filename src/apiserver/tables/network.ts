import { isIPv6 } from 'node:net'
import type { core, discovery, networking } from '../../api/index.ts'
import { ageColumn, firstOf, formatLabels, formatSelector, NONE, nameColumn, text, UNSET, wide } from './columns.ts'
import type { Column } from './table.ts'

export const serviceColumns: Column<core.Service>[] = [
  nameColumn,
  text('Type', 'How the service is exposed.', ({ spec }) => spec.type ?? ''),
  text('Cluster-IP', 'Address within the cluster.', ({ spec }) => spec.clusterIPs?.[0] ?? (spec.clusterIP || NONE)),
  text('External-IP', 'Address from outside.', externalAddress),
  text('Port(s)', 'Ports, with their node ports.', ({ spec }) => (spec.ports ?? []).map(formatPort).join(',') || NONE),
  ageColumn,
  wide(text('Selector', 'Labels of the pods behind it.', ({ spec }) => formatLabels(spec.selector))),
]

function externalAddress({ spec, status }: core.Service): string {
  if (spec.type === 'ExternalName') return spec.externalName ?? ''
  const own = spec.type === 'LoadBalancer' ? balancerAddresses(status.loadBalancer?.ingress) : []
  const all = [...own, ...(spec.externalIPs ?? [])]
  return all.join(',') || (spec.type === 'LoadBalancer' ? '<pending>' : NONE)
}

const balancerAddresses = (ingress: { ip?: string; hostname?: string }[] = []): string[] =>
  [...new Set(ingress.map(({ ip, hostname }) => ip || hostname || ''))].filter(Boolean).sort()

const formatPort = ({ port, nodePort, protocol }: core.ServicePort) =>
  nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`

export const endpointsColumns: Column<core.Endpoints>[] = [
  nameColumn,
  text('Endpoints', 'Addresses behind the service.', ({ subsets }) =>
    firstOf((subsets ?? []).flatMap(subsetAddresses), NONE),
  ),
  ageColumn,
]

function subsetAddresses({ addresses = [], ports = [] }: core.EndpointSubset): string[] {
  if (ports.length === 0) return addresses.map(({ ip }) => ip)
  return ports.flatMap(({ port }) => addresses.map(({ ip }) => (isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`)))
}

export const endpointSliceColumns: Column<discovery.EndpointSlice>[] = [
  nameColumn,
  text('AddressType', 'What the addresses are.', ({ addressType }) => addressType),
  text('Ports', 'Ports of each endpoint.', ({ ports }) =>
    firstOf(
      (ports ?? []).map(({ port, name }) => String(port ?? (name || '*'))),
      UNSET,
    ),
  ),
  text('Endpoints', 'Addresses of the endpoints.', ({ endpoints }) =>
    firstOf(
      (endpoints ?? []).flatMap(({ addresses }) => addresses ?? []),
      UNSET,
    ),
  ),
  ageColumn,
]

export const ingressColumns: Column<networking.Ingress>[] = [
  nameColumn,
  text('Class', 'IngressClass that serves it.', ({ spec }) => spec.ingressClassName ?? NONE),
  text('Hosts', 'Host names that are routed.', ({ spec }) => {
    const rules = spec.rules ?? []
    const hosts = rules.slice(0, 3).flatMap(({ host }) => host || [])
    if (hosts.length === 0) return '*'
    return rules.length > 3 ? `${hosts.join(',')} + ${rules.length - 3} more...` : hosts.join(',')
  }),
  text('Address', 'Where it is reached.', ({ status }) => balancerAddresses(status.loadBalancer?.ingress).join(',')),
  text('Ports', 'Ports that are served.', ({ spec }) => (spec.tls?.length ? '80, 443' : '80')),
  ageColumn,
]

export const ingressClassColumns: Column<networking.IngressClass>[] = [
  nameColumn,
  text('Controller', 'Who serves the class.', ({ spec }) => spec.controller ?? ''),
  text('Parameters', 'Object with more settings.', ({ spec: { parameters } }) => {
    if (!parameters) return NONE
    return `${parameters.kind}${parameters.apiGroup ? `.${parameters.apiGroup}` : ''}/${parameters.name}`
  }),
  ageColumn,
]

export const networkPolicyColumns: Column<networking.NetworkPolicy>[] = [
  nameColumn,
  text('Pod-Selector', 'Pods that it applies to.', ({ spec }) => formatSelector(spec.podSelector)),
  ageColumn,
]

export const ipAddressColumns: Column<networking.IPAddress>[] = [
  nameColumn,
  text('ParentRef', 'Object that uses the address.', ({ spec: { parentRef } }) =>
    [
      parentRef?.group ? `${parentRef.resource}.${parentRef.group}` : parentRef?.resource,
      parentRef?.namespace,
      parentRef?.name,
    ]
      .filter(Boolean)
      .join('/'),
  ),
]

export const serviceCidrColumns: Column<networking.ServiceCIDR>[] = [
  nameColumn,
  text('CIDRs', 'Ranges that services get addresses from.', ({ spec }) => (spec.cidrs ?? []).join(',')),
  ageColumn,
]
