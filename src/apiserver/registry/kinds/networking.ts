import { isIP } from 'node:net'
import { type FieldError, names, type networking } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { PROTOCOLS } from '../validation/containers.ts'
import {
  complaints,
  each,
  forbidden,
  immutable,
  invalid,
  notSupported,
  optionalOneOf,
  required,
  same,
} from '../validation/field.ts'
import { validateCidr } from '../validation/ip.ts'
import { validatePort } from '../validation/probes.ts'
import { validateLabelSelector } from '../validation/selectors.ts'

/** Source: k8s.io/kubernetes/pkg/apis/networking/v1/defaults.go, pkg/apis/networking/validation */

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'

export const ingressStrategy: Strategy<networking.Ingress> = {
  validate: ({ spec }) => [
    ...(spec.rules?.length || spec.defaultBackend
      ? []
      : [invalid('spec', spec.rules ?? [], 'either `defaultBackend` or `rules` must be specified')]),
    ...(spec.defaultBackend ? validateBackend(spec.defaultBackend, 'spec.defaultBackend') : []),
    ...each(spec.rules, 'spec.rules', validateRule),
    ...each(spec.tls, 'spec.tls', ({ hosts }, path) =>
      each(hosts, `${path}.hosts`, (host, field) => validateHost(host, field)),
    ),
    ...(spec.ingressClassName
      ? complaints(
          'spec.ingressClassName',
          spec.ingressClassName,
          names.dns1123SubdomainProblems(spec.ingressClassName),
        )
      : []),
  ],
  warnings: ({ metadata }) =>
    metadata.annotations?.[CLASS_ANNOTATION]
      ? [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
}

function validateRule({ host, http }: networking.IngressRule, path: string): FieldError[] {
  const problems = host ? validateHost(host, `${path}.host`) : []
  if (!http) return problems
  if (!http.paths?.length) return [...problems, required(`${path}.http.paths`)]
  return [...problems, ...each(http.paths, `${path}.http.paths`, validatePath)]
}

function validateHost(host: string, field: string): FieldError[] {
  if (isIP(host)) return [invalid(field, host, 'must be a DNS name, not an IP address')]
  return complaints(field, host, names.dns1123SubdomainProblems(host.replace(/^\*\./, '')))
}

function validatePath({ path: value = '', pathType, backend }: networking.HTTPIngressPath, path: string): FieldError[] {
  const problems: FieldError[] = []
  if (!pathType) problems.push(required(`${path}.pathType`, 'pathType must be specified'))
  else if (!PATH_TYPES.includes(pathType)) problems.push(notSupported(`${path}.pathType`, pathType, PATH_TYPES))
  const absolute = value.startsWith('/') || (pathType === 'ImplementationSpecific' && value === '')
  if (pathType && !absolute) problems.push(invalid(`${path}.path`, value, 'must be an absolute path'))
  return [...problems, ...validateBackend(backend, `${path}.backend`)]
}

function validateBackend({ service, resource }: networking.IngressBackend, path: string): FieldError[] {
  if (service && resource) return [invalid(path, '', 'cannot set both resource and service backends')]
  if (resource) return []
  if (!service?.name) return [required(`${path}.service.name`)]
  const problems = complaints(`${path}.service.name`, service.name, names.dns1123LabelProblems(service.name))
  const { name, number } = service.port ?? {}
  if (name && number) return [...problems, invalid(path, '', 'cannot set both port name & port number')]
  if (name) return [...problems, ...complaints(`${path}.service.port.name`, name, names.portNameProblems(name))]
  if (number)
    return [...problems, ...complaints(`${path}.service.port.number`, number, names.portNumberProblems(number))]
  return [...problems, required(path, 'port name or number is required')]
}

export const ingressClassStrategy: Strategy<networking.IngressClass> = {
  defaults({ spec }) {
    if (spec.parameters) spec.parameters.scope ??= 'Cluster'
  },
  validate({ spec }) {
    const problems = spec.controller ? [] : [required('spec.controller')]
    if (!spec.parameters) return problems
    const { kind, name, scope, namespace } = spec.parameters
    if (!kind) problems.push(required('spec.parameters.kind', 'kind is required'))
    if (!name) problems.push(required('spec.parameters.name', 'name is required'))
    if (scope === 'Namespace' && !namespace) {
      problems.push(required('spec.parameters.namespace', "`parameters.scope` is set to 'Namespace'"))
    }
    if (scope === 'Cluster' && namespace) {
      problems.push(forbidden('spec.parameters.namespace', "`parameters.scope` is set to 'Cluster'"))
    }
    return [...problems, ...optionalOneOf('spec.parameters.scope', scope, ['Cluster', 'Namespace'])]
  },
  validateUpdate: ({ spec }, { spec: old }) => immutable('spec.controller', spec.controller, old.controller),
}

export const networkPolicyStrategy: Strategy<networking.NetworkPolicy> = {
  defaults({ spec }) {
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of ports ?? []) port.protocol ??= 'TCP'
    }
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
  },
  validate: ({ spec }) => [
    ...validateLabelSelector(spec.podSelector, 'spec.podSelector'),
    ...each(spec.ingress, 'spec.ingress', ({ ports, from }, path) => [
      ...each(ports, `${path}.ports`, validatePolicyPort),
      ...each(from, `${path}.from`, validatePeer),
    ]),
    ...each(spec.egress, 'spec.egress', ({ ports, to }, path) => [
      ...each(ports, `${path}.ports`, validatePolicyPort),
      ...each(to, `${path}.to`, validatePeer),
    ]),
    ...((spec.policyTypes?.length ?? 0) > 2
      ? [invalid('spec.policyTypes', spec.policyTypes, 'may not specify more than two policyTypes')]
      : []),
    ...each(spec.policyTypes, 'spec.policyTypes', (type, path) =>
      type === 'Ingress' || type === 'Egress' ? [] : [notSupported(path, type, ['Egress', 'Ingress'])],
    ),
  ],
}

function validatePolicyPort({ protocol, port, endPort }: networking.NetworkPolicyPort, path: string): FieldError[] {
  const problems: FieldError[] = []
  if (protocol && !PROTOCOLS.includes(protocol)) problems.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS))
  if (port !== undefined) problems.push(...validatePort(port, `${path}.port`))
  if (endPort === undefined) return problems
  const field = `${path}.endPort`
  if (port === undefined) problems.push(required(`${path}.port`, 'must be specified if `endPort` is specified'))
  else if (typeof port === 'string')
    problems.push(invalid(field, endPort, 'may not be specified when `port` is non-numeric'))
  else if (endPort < port) problems.push(invalid(field, endPort, `must be greater than or equal to \`port\``))
  return [...problems, ...complaints(field, endPort, names.portNumberProblems(endPort))]
}

function validatePeer(
  { podSelector, namespaceSelector, ipBlock }: networking.NetworkPolicyPeer,
  path: string,
): FieldError[] {
  if (!podSelector && !namespaceSelector && !ipBlock) return [required(path, 'must specify a peer')]
  if (ipBlock && (podSelector || namespaceSelector)) {
    return [forbidden(path, 'may not specify both ipBlock and another peer')]
  }
  return [
    ...validateLabelSelector(podSelector, `${path}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
    ...(ipBlock
      ? [
          ...(ipBlock.cidr ? validateCidr(ipBlock.cidr, `${path}.ipBlock.cidr`) : [required(`${path}.ipBlock.cidr`)]),
          ...each(ipBlock.except, `${path}.ipBlock.except`, validateCidr),
        ]
      : []),
  ]
}

export const serviceCidrStrategy: Strategy<networking.ServiceCIDR> = {
  generation: false,
  validate: ({ spec }) =>
    spec.cidrs?.length
      ? each(spec.cidrs, 'spec.cidrs', validateCidr)
      : [required('spec.cidrs', 'at least one CIDR required')],
  validateUpdate: ({ spec }, { spec: old }) =>
    same(spec.cidrs, old.cidrs) ? [] : immutable('spec.cidrs', spec.cidrs, old.cidrs),
}

export const ipAddressStrategy: Strategy<networking.IPAddress> = {
  generation: false,
  nameProblems: names.ipProblems,
  validate({ spec: { parentRef } }) {
    if (!parentRef) return [required('spec.parentRef')]
    const problems = parentRef.resource ? [] : [required('spec.parentRef.resource')]
    return parentRef.name ? problems : [...problems, required('spec.parentRef.name')]
  },
  validateUpdate: ({ spec }, { spec: old }) => immutable('spec.parentRef', spec.parentRef, old.parentRef),
}
