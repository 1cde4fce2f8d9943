import { type FieldError, ip, names, type networking } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { complaints, each, forbidden, IMMUTABLE, invalid, notSupported, required, same } from '../validation/field.ts'
import { goValue } from '../validation/go-value.ts'
import { cidrWarnings, validateCanonicalCidr, validateCanonicalIp, validateCidr } from '../validation/ip.ts'
import { validateLabelSelector } from '../validation/selectors.ts'

/** Source: k8s.io/kubernetes/pkg/apis/networking/v1/defaults.go, pkg/apis/networking/validation */

const PROTOCOLS = ['TCP', 'UDP', 'SCTP']
const POLICY_TYPES = ['Ingress', 'Egress']

export const networkPolicyStrategy: Strategy<networking.NetworkPolicy> = {
  defaults({ spec }) {
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of ports ?? []) port.protocol ??= 'TCP'
    }
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
  },
  validate({ spec }, old) {
    const before = old ? cidrsOf(old.spec) : []
    const peer = (one: networking.NetworkPolicyPeer, path: string) => validatePeer(one, path, before)
    return [
      ...validateLabelSelector(spec.podSelector, 'spec.podSelector'),
      ...each(spec.ingress, 'spec.ingress', ({ ports, from }, path) => [
        ...each(ports, `${path}.ports`, validatePolicyPort),
        ...each(from, `${path}.from`, peer),
      ]),
      ...each(spec.egress, 'spec.egress', ({ ports, to }, path) => [
        ...each(ports, `${path}.ports`, validatePolicyPort),
        ...each(to, `${path}.to`, peer),
      ]),
      ...((spec.policyTypes?.length ?? 0) > POLICY_TYPES.length
        ? [invalid('spec.policyTypes', spec.policyTypes, 'may not specify more than two policyTypes')]
        : each(spec.policyTypes, 'spec.policyTypes', (type, path) =>
            POLICY_TYPES.includes(type) ? [] : [notSupported(path, type, POLICY_TYPES)],
          )),
    ]
  },
  warnings: ({ spec }) =>
    peersOf(spec).flatMap(([{ ipBlock }, path]) => [
      ...(ipBlock ? cidrWarnings(ipBlock.cidr, `${path}.ipBlock.cidr`) : []),
      ...(ipBlock?.except ?? []).flatMap((cidr, index) => cidrWarnings(cidr, `${path}.ipBlock.except[${index}]`)),
    ]),
}

/** Everybody that a policy's rules name, with the field that does. */
const peersOf = ({ ingress, egress }: networking.NetworkPolicySpec): [networking.NetworkPolicyPeer, path: string][] => [
  ...(ingress ?? []).flatMap(({ from }, rule) => withPaths(from, `spec.ingress[${rule}].from`)),
  ...(egress ?? []).flatMap(({ to }, rule) => withPaths(to, `spec.egress[${rule}].to`)),
]

const cidrsOf = (spec: networking.NetworkPolicySpec): string[] =>
  peersOf(spec).flatMap(([{ ipBlock }]) => (ipBlock ? [ipBlock.cidr, ...(ipBlock.except ?? [])] : []))

const withPaths = <T>(items: T[] | undefined, path: string): [T, string][] =>
  (items ?? []).map((item, index) => [item, `${path}[${index}]`])

function validatePolicyPort({ protocol, port, endPort }: networking.NetworkPolicyPort, path: string): FieldError[] {
  const field = `${path}.endPort`
  const problems =
    protocol === undefined || PROTOCOLS.includes(protocol)
      ? []
      : [notSupported(`${path}.protocol`, protocol, PROTOCOLS)]
  const ending = (detail: string, value = endPort) =>
    endPort !== undefined && problems.push(invalid(field, value, detail))
  if (port === undefined) ending('may not be specified when `port` is not specified')
  else if (typeof port === 'string') {
    ending('may not be specified when `port` is non-numeric')
    problems.push(...complaints(`${path}.port`, port, names.portNameProblems(port)))
  } else {
    problems.push(...complaints(`${path}.port`, port, names.portNumberProblems(port)))
    if (endPort !== undefined && endPort < port) ending('must be greater than or equal to `port`', port)
    for (const detail of endPort === undefined ? [] : names.portNumberProblems(endPort)) ending(detail)
  }
  return problems
}

function validatePeer(
  { podSelector, namespaceSelector, ipBlock }: networking.NetworkPolicyPeer,
  path: string,
  before: string[],
): FieldError[] {
  if (!podSelector && !namespaceSelector && !ipBlock) return [required(path, 'must specify a peer')]
  return [
    ...validateLabelSelector(podSelector, `${path}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
    ...(ipBlock ? validateBlock(ipBlock, `${path}.ipBlock`, before) : []),
    ...(ipBlock && (podSelector || namespaceSelector)
      ? [forbidden(path, 'may not specify both ipBlock and another peer')]
      : []),
  ]
}

function validateBlock({ cidr, except }: networking.IPBlock, path: string, before: string[]): FieldError[] {
  if (!cidr) return [required(`${path}.cidr`)]
  const problems = validateCidr(cidr, `${path}.cidr`, before)
  if (!ip.isCidr(cidr)) return problems
  return [
    ...problems,
    ...each(except, `${path}.except`, (part, field) => [
      ...validateCidr(part, field, before),
      ...(ip.isCidr(part) && !isWithin(part, cidr) ? [invalid(field, part, 'must be a strict subset of `cidr`')] : []),
    ]),
  ]
}

function isWithin(part: string, whole: string): boolean {
  const [inner, outer] = [ip.parseCidr(part), ip.parseCidr(whole)]
  return inner.length > outer.length && ip.indexOf(outer, ip.format(inner.first, inner.family)) !== undefined
}

function validateCidrs(spec: networking.ServiceCIDRSpec): FieldError[] {
  const { cidrs = [] } = spec
  const field = 'spec.cidrs'
  if (cidrs.length === 0) return [required(field, 'at least one CIDR required')]
  if (cidrs.length > 2) return [invalid(field, { CIDRs: cidrs }, 'may only hold up to 2 values')]
  const problems = each(cidrs, field, (cidr, path) => validateCanonicalCidr(cidr, path))
  const families = cidrs.filter(ip.isCidr).map(cidr => ip.parseCidr(cidr).family)
  if (families.length === 2 && families[0] === families[1])
    problems.push(
      invalid(field, cidrs, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'),
    )
  return problems
}

/** A range stays; a second one of the other family may join it. */
function validateCidrsUpdate({ cidrs = [] }: networking.ServiceCIDRSpec, old: string[] = []): FieldError[] {
  const grows = old.length === 1 && cidrs.length === 2
  if (!grows && cidrs.length !== old.length) return [invalid('spec.cidrs', cidrs.length ? cidrs : null, IMMUTABLE)]
  const problems = each(old, 'spec.cidrs', (cidr, path, index) =>
    cidrs[index] === cidr ? [] : [invalid(path, cidrs[index], IMMUTABLE)],
  )
  return grows ? [...problems, ...validateCidrs({ cidrs })] : problems
}

export const serviceCidrStrategy: Strategy<networking.ServiceCIDR> = {
  generation: false,
  validate: ({ spec }, old) => (old ? validateCidrsUpdate(spec, old.spec.cidrs) : validateCidrs(spec)),
}

export const ipAddressStrategy: Strategy<networking.IPAddress> = {
  generation: false,
  nameProblems: name => validateCanonicalIp(name, '').map(({ detail }) => detail),
  validate({ spec: { parentRef } }, old) {
    const path = 'spec.parentRef'
    const changed = old && !same(parentRef, old.spec.parentRef)
    const fixed = changed ? [invalid(path, goValue('networking/v1.ParentReference', parentRef), IMMUTABLE)] : []
    if (!parentRef) return [required(path), ...fixed]
    const { group, resource, name, namespace } = parentRef
    const segment = (field: string, value: string | undefined) =>
      value ? complaints(`${path}.${field}`, value, names.pathSegmentProblems(value)) : []
    return [
      ...(group ? complaints(`${path}.group`, group, names.dns1123SubdomainProblems(group)) : []),
      ...(resource ? segment('resource', resource) : [required(`${path}.resource`)]),
      ...(name ? segment('name', name) : [required(`${path}.name`)]),
      ...segment('namespace', namespace),
      ...fixed,
    ]
  },
}
