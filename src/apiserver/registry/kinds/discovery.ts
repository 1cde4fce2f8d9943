import { isIPv4, isIPv6 } from 'node:net'
import { type discovery, type FieldError, names } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { PROTOCOLS } from '../validation/containers.ts'
import { complaints, duplicate, each, immutable, invalid, oneOf, required, tooMany } from '../validation/field.ts'

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6']
const MOST_ENDPOINTS = 1000
const MOST_PORTS = 20_000
const MOST_ADDRESSES = 100

/** Source: k8s.io/kubernetes/pkg/apis/discovery/validation, pkg/registry/discovery/endpointslice/strategy.go */
export const endpointSliceStrategy: Strategy<discovery.EndpointSlice> = {
  defaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= ''
      port.protocol ||= 'TCP'
    }
  },
  validate: ({ addressType, endpoints = [], ports = [] }) => [
    ...oneOf('addressType', addressType, ADDRESS_TYPES),
    ...(endpoints.length > MOST_ENDPOINTS ? [tooMany('endpoints', endpoints.length, MOST_ENDPOINTS)] : []),
    ...each(endpoints, 'endpoints', (endpoint, path) => validateEndpoint(endpoint, addressType, path)),
    ...(ports.length > MOST_PORTS ? [tooMany('ports', ports.length, MOST_PORTS)] : []),
    ...validatePorts(ports),
  ],
  validateUpdate: (slice, old) => immutable('addressType', slice.addressType, old.addressType),
  generation: true,
}

function validateEndpoint(endpoint: discovery.Endpoint, type: string, path: string): FieldError[] {
  const { addresses = [], hostname, nodeName } = endpoint
  const problems: FieldError[] = []
  if (addresses.length === 0) problems.push(required(`${path}.addresses`, 'must contain at least 1 address'))
  if (addresses.length > MOST_ADDRESSES) problems.push(tooMany(`${path}.addresses`, addresses.length, MOST_ADDRESSES))
  problems.push(...each(addresses, `${path}.addresses`, (address, field) => validateAddress(address, type, field)))
  if (hostname) problems.push(...complaints(`${path}.hostname`, hostname, names.dns1123LabelProblems(hostname)))
  if (nodeName) problems.push(...complaints(`${path}.nodeName`, nodeName, names.dns1123SubdomainProblems(nodeName)))
  return problems
}

function validateAddress(address: string, type: string, field: string): FieldError[] {
  if (type === 'IPv4') return isIPv4(address) ? [] : [invalid(field, address, 'must be a valid IPv4 address')]
  if (type === 'IPv6') return isIPv6(address) ? [] : [invalid(field, address, 'must be a valid IPv6 address')]
  return complaints(field, address, names.dns1123SubdomainProblems(address))
}

function validatePorts(ports: discovery.EndpointPort[]): FieldError[] {
  const seen = new Set<string>()
  return each(ports, 'ports', ({ name = '', protocol, appProtocol }, path) => {
    const problems = name ? complaints(`${path}.name`, name, names.dns1123LabelProblems(name)) : []
    if (seen.has(name)) problems.push(duplicate(`${path}.name`, name))
    seen.add(name)
    if (appProtocol)
      problems.push(...complaints(`${path}.appProtocol`, appProtocol, names.qualifiedNameProblems(appProtocol)))
    return [...problems, ...oneOf(`${path}.protocol`, protocol, PROTOCOLS)]
  })
}
