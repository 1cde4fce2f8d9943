import { type discovery, type FieldError, names } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { PROTOCOLS } from '../validation/containers.ts'
import { complaints, duplicate, each, immutable, invalid, oneOf, required, same, tooMany } from '../validation/field.ts'
import { isOwnAddress, validateCanonicalIp, validateIp, validateReachable } from '../validation/ip.ts'
import { validateLabels } from '../validation/selectors.ts'

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
  validate: ({ metadata, addressType, endpoints, ports }, old) => [
    ...oneOf('addressType', addressType, ADDRESS_TYPES),
    ...atMost('ports', ports, MOST_PORTS, validatePorts),
    // What once was valid may stay.
    ...(old && same(endpoints, old.endpoints)
      ? []
      : atMost('endpoints', endpoints, MOST_ENDPOINTS, list =>
          each(list, 'endpoints', (endpoint, path) =>
            validateEndpoint(endpoint, path, { type: addressType, own: isOwnAddress(metadata) }),
          ),
        )),
  ],
  validateUpdate: (slice, old) => immutable('addressType', slice.addressType, old.addressType),
  generation: true,
  generationOf: ['labels', 'annotations', 'finalizers', 'ownerReferences'],
}

function atMost<T>(field: string, items: T[] | undefined, most: number, check: (items: T[]) => FieldError[]) {
  if (!items) return []
  return items.length > most ? [tooMany(field, items.length, most)] : check(items)
}

interface Addresses {
  type: string
  /** The API server's own. */
  own: boolean
}

function validateEndpoint(endpoint: discovery.Endpoint, path: string, kind: Addresses): FieldError[] {
  const { addresses = [], hostname, nodeName, hints, deprecatedTopology } = endpoint
  const field = `${path}.addresses`
  const problems: FieldError[] = []
  if (addresses.length === 0) problems.push(required(field, 'must contain at least 1 address'))
  if (addresses.length > MOST_ADDRESSES) problems.push(tooMany(field, addresses.length, MOST_ADDRESSES))
  problems.push(...each(addresses, field, (address, itemField) => validateAddress(address, kind, itemField, field)))
  if (nodeName !== undefined) {
    problems.push(...complaints(`${path}.nodeName`, nodeName, names.dns1123SubdomainProblems(nodeName)))
  }
  problems.push(...validateLabels(deprecatedTopology, `${path}.deprecatedTopology`))
  if (hostname !== undefined) {
    problems.push(...complaints(`${path}.hostname`, hostname, names.dns1123LabelProblems(hostname)))
  }
  return [
    ...problems,
    ...validateHints(hints?.forZones, `${path}.hints.forZones`, names.labelValueProblems),
    ...validateHints(hints?.forNodes, `${path}.hints.forNodes`, names.dns1123SubdomainProblems),
  ]
}

const MOST_HINTS = 8

function validateHints(hints: { name: string }[] | undefined, path: string, check: (name: string) => string[]) {
  if (hints && hints.length > MOST_HINTS) return [tooMany(path, hints.length, MOST_HINTS)]
  const seen = new Set<string>()
  return each(hints, path, ({ name }, field) => {
    const problems = seen.has(name) ? [duplicate(`${field}.name`, name)] : []
    seen.add(name)
    return [...problems, ...complaints(`${field}.name`, name, check(name))]
  })
}

/** `list`: the field that upstream names when the family is the wrong one. */
function validateAddress(address: string, { type, own }: Addresses, field: string, list: string): FieldError[] {
  if (type === 'IPv4' || type === 'IPv6') {
    const problems = type === 'IPv4' ? validateIp(address, field) : validateCanonicalIp(address, field)
    if (problems.length) return problems
    const fits = (type === 'IPv6') === address.includes(':')
    return [
      ...(fits ? [] : [invalid(list, address, `must be an ${type} address`)]),
      ...(own ? [] : validateReachable(address, field)),
    ]
  }
  return type === 'FQDN' ? complaints(field, address, names.dns1123SubdomainProblems(address)) : []
}

function validatePorts(ports: discovery.EndpointPort[]): FieldError[] {
  const seen = new Set<string>()
  return each(ports, 'ports', ({ name = '', protocol, appProtocol }, path) => {
    const problems = name ? complaints(`${path}.name`, name, names.dns1123LabelProblems(name)) : []
    if (seen.has(name)) problems.push(duplicate(`${path}.name`, name))
    seen.add(name)
    if (appProtocol !== undefined)
      problems.push(...complaints(`${path}.appProtocol`, appProtocol, names.qualifiedNameProblems(appProtocol)))
    return [...problems, ...oneOf(`${path}.protocol`, protocol, PROTOCOLS)]
  })
}
