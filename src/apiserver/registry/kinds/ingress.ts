import { type FieldError, names, type networking } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import {
  complaints,
  each,
  forbidden,
  immutable,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../validation/field.ts'
import { ipWarnings, validateIp } from '../validation/ip.ts'

/** Source: k8s.io/kubernetes/pkg/apis/networking/v1/defaults.go, pkg/apis/networking/validation */

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']
const SCOPES = ['Cluster', 'Namespace']
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'
const CONFUSING_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F']
const CONFUSING_ENDS = ['/..', '/.']
const NOT_IP = 'must be a DNS name, not an IP address'

export const ingressStrategy: Strategy<networking.Ingress> = {
  validate: (ingress, old) => [...validateSpec(ingress.spec, old?.spec), ...(old ? [] : validateAnnotation(ingress))],
  validateStatusUpdate({ status }, { status: old }) {
    const before = (old.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? [])
    return each(status.loadBalancer?.ingress, 'status.loadBalancer.ingress', ({ ip, hostname }, path) => [
      ...(ip ? validateIp(ip, `${path}.ip`, before) : []),
      ...(hostname ? complaints(`${path}.hostname`, hostname, names.dns1123SubdomainProblems(hostname)) : []),
      ...(hostname && names.isIP(hostname) ? [invalid(`${path}.hostname`, hostname, NOT_IP)] : []),
    ])
  },
  warnings({ metadata, spec }, old) {
    if (old || metadata.annotations?.[CLASS_ANNOTATION] === undefined || spec.ingressClassName !== undefined) return []
    return [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`]
  },
  statusWarnings: ({ status }) =>
    (status.loadBalancer?.ingress ?? []).flatMap(({ ip }, index) =>
      ip ? ipWarnings(ip, `status.loadBalancer.ingress[${index}]`) : [],
    ),
}

function validateAnnotation({ metadata, spec }: networking.Ingress): FieldError[] {
  const given = metadata.annotations?.[CLASS_ANNOTATION]
  if (given === undefined || spec.ingressClassName === undefined || given === spec.ingressClassName) return []
  return [invalid(`annotations.${CLASS_ANNOTATION}`, given, 'must match `ingressClassName` when both are specified')]
}

function validateSpec(spec: networking.IngressSpec, old: networking.IngressSpec | undefined): FieldError[] {
  const { rules, defaultBackend, tls, ingressClassName } = spec
  // What an old object has, and what was once let through, may stay.
  const anySecret = old?.tls?.some(({ secretName }) => secretProblems(secretName).length > 0)
  const anyWildcard = old?.rules?.some(({ host, http }) => host?.includes('*') && validatePaths(http, '').length > 0)
  return [
    ...(rules?.length || defaultBackend
      ? []
      : [invalid('spec', rules, 'either `defaultBackend` or `rules` must be specified')]),
    ...(defaultBackend ? validateBackend(defaultBackend, 'spec.defaultBackend') : []),
    ...each(rules, 'spec.rules', ({ host, http }, path) => [
      ...(host ? validateRuleHost(host, `${path}.host`) : []),
      ...(anyWildcard && host?.includes('*') ? [] : validatePaths(http, path)),
    ]),
    ...each(tls, 'spec.tls', ({ hosts, secretName }, path) => [
      ...each(hosts, `${path}.hosts`, (host, field) => complaints(field, host, hostProblems(host))),
      ...(anySecret ? [] : complaints(`${path}.secretName`, secretName, secretProblems(secretName))),
    ]),
    ...(ingressClassName === undefined
      ? []
      : complaints('spec.ingressClassName', ingressClassName, names.dns1123SubdomainProblems(ingressClassName))),
  ]
}

const secretProblems = (name = ''): string[] => (name ? names.dns1123SubdomainProblems(name) : [])

const hostProblems = (host: string): string[] =>
  host.includes('*') ? names.wildcardSubdomainProblems(host) : names.dns1123SubdomainProblems(host)

const validateRuleHost = (host: string, field: string): FieldError[] => [
  ...(names.isIP(host) ? [invalid(field, host, NOT_IP)] : []),
  ...complaints(field, host, hostProblems(host)),
]

function validatePaths(http: networking.HTTPIngressRuleValue | undefined, path: string): FieldError[] {
  if (!http) return []
  if (!http.paths?.length) return [required(`${path}.http.paths`)]
  return each(http.paths, `${path}.http.paths`, validatePath)
}

function validatePath({ path = '', pathType, backend }: networking.HTTPIngressPath, at: string): FieldError[] {
  if (pathType === undefined) return [required(`${at}.pathType`, 'pathType must be specified')]
  const problems: FieldError[] = []
  const complain = (detail: string) => problems.push(invalid(`${at}.path`, path, detail))
  if (!PATH_TYPES.includes(pathType)) problems.push(notSupported(`${at}.pathType`, pathType, PATH_TYPES))
  else if (!path.startsWith('/') && (path || pathType !== 'ImplementationSpecific'))
    complain('must be an absolute path')
  if (pathType === 'Exact' || pathType === 'Prefix') {
    for (const sequence of CONFUSING_SEQUENCES) if (path.includes(sequence)) complain(`must not contain '${sequence}'`)
    for (const end of CONFUSING_ENDS) if (path.endsWith(end)) complain(`cannot end with '${end}'`)
  }
  return [...problems, ...validateBackend(backend, `${at}.backend`)]
}

function validateBackend({ service, resource }: networking.IngressBackend, path: string): FieldError[] {
  if (service && resource) return [invalid(path, '', 'cannot set both resource and service backends')]
  if (resource) return validateReference(resource, `${path}.resource`)
  if (!service) return [invalid(path, '', 'resource or service backend is required')]
  const field = `${path}.service.name`
  const problems = service.name
    ? complaints(field, service.name, names.dns1123LabelProblems(service.name))
    : [required(field)]
  const { name, number } = service.port ?? {}
  if (name && number) return [...problems, invalid(path, '', 'cannot set both port name & port number')]
  if (name) return [...problems, ...complaints(`${path}.service.port.name`, name, names.portNameProblems(name))]
  if (number)
    return [...problems, ...complaints(`${path}.service.port.number`, number, names.portNumberProblems(number))]
  return [...problems, required(path, 'port name or number is required')]
}

interface Reference {
  apiGroup?: string | undefined
  kind?: string
  name?: string
}

function validateReference({ apiGroup, kind, name }: Reference, path: string): FieldError[] {
  const segment = (field: string, value: string | undefined) =>
    value ? complaints(field, value, names.pathSegmentProblems(value)) : [required(field)]
  return [
    ...(typeof apiGroup === 'string'
      ? complaints(`${path}.apiGroup`, apiGroup, names.dns1123SubdomainProblems(apiGroup))
      : []),
    ...segment(`${path}.kind`, kind),
    ...segment(`${path}.name`, name),
  ]
}

const LONGEST_CONTROLLER = 250

export const ingressClassStrategy: Strategy<networking.IngressClass> = {
  defaults({ spec }) {
    if (spec.parameters) spec.parameters.scope ??= 'Cluster'
  },
  validate: ({ spec: { controller = '', parameters } }, old) => [
    ...(old ? immutable('spec.controller', controller, old.spec.controller) : []),
    ...(Buffer.byteLength(controller) > LONGEST_CONTROLLER ? [tooLong('spec.controller', '', LONGEST_CONTROLLER)] : []),
    ...validateDomainPath(controller, 'spec.controller'),
    ...(parameters ? validateParameters(parameters, 'spec.parameters') : []),
  ],
}

function validateParameters(parameters: networking.IngressClassParametersReference, path: string): FieldError[] {
  const { scope, namespace } = parameters
  const field = `${path}.namespace`
  const problems = validateReference(parameters, path)
  if (scope === 'Namespace')
    problems.push(
      ...(namespace === undefined
        ? [required(field, "`parameters.scope` is set to 'Namespace'")]
        : complaints(field, namespace, names.dns1123LabelProblems(namespace))),
    )
  else if (scope === 'Cluster') {
    if (namespace !== undefined) problems.push(forbidden(field, "`parameters.scope` is set to 'Cluster'"))
  } else problems.push(notSupported(`${path}.scope`, scope, SCOPES))
  return problems
}

const URL_PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/

/** `example.com/controller`. Source: k8s.io/apimachinery/pkg/util/validation IsDomainPrefixedPath */
function validateDomainPath(value: string, field: string): FieldError[] {
  if (!value) return [required(field)]
  const slash = value.indexOf('/')
  const [host, path] = [value.slice(0, Math.max(slash, 0)), value.slice(slash + 1)]
  if (!host || !path) return [invalid(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  return [
    ...complaints(field, host, names.dns1123SubdomainProblems(host)),
    ...(URL_PATH.test(path)
      ? []
      : [invalid(field, path, `Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`)]),
  ]
}
