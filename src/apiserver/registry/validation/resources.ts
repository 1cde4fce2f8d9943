import { canonicalQuantity, type core, type FieldError, names, podTotal, quantity } from '../../../api/index.ts'
import { at, complaints, duplicate, each, forbidden, invalid, notFound, notSupported, own, required } from './field.ts'

type ResourceList = Record<string, string>

const CONTAINER_RESOURCES = ['cpu', 'memory', 'ephemeral-storage']
/** Resource names without a domain that mean something somewhere in the API. */
const STANDARD_RESOURCES = new Set([
  ...CONTAINER_RESOURCES,
  ...CONTAINER_RESOURCES.flatMap(name => [`requests.${name}`, `limits.${name}`]),
  'storage',
  'requests.storage',
  'pods',
  'services',
  'services.nodeports',
  'services.loadbalancers',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
])

export const isStandardResource = (name: string): boolean => STANDARD_RESOURCES.has(name)

const isHugePages = (name: string) => name.startsWith('hugepages-')
/** A node cannot give away more of these than it has. */
const isOvercommitAllowed = (name: string) => isNative(name) && !isHugePages(name)
const isNative = (name: string) => !name.includes('/') || name.includes('kubernetes.io/')
const isInteger = (name: string) => !isNative(name) || isHugePages(name)

export const validateQuantity = (field: string, amount: string): FieldError[] =>
  quantity.compare(amount, quantity.zero) < 0 ? [invalid(field, amount, 'must be greater than or equal to 0')] : []

export function validateResourceName(name: string, field: string): FieldError[] {
  const problems = complaints(field, name, names.qualifiedNameProblems(name))
  const known =
    name.includes('/') || STANDARD_RESOURCES.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-')
  return problems.length || known
    ? problems
    : [invalid(field, name, 'must be a standard resource type or fully qualified')]
}

export function validateContainerResourceName(name: string, field: string): FieldError[] {
  const problems = validateResourceName(name, field)
  if (name.includes('/') || CONTAINER_RESOURCES.includes(name) || isHugePages(name)) return problems
  return [...problems, invalid(field, name, 'must be a standard resource for containers')]
}

export function validateResourceValue(name: string, amount: string, field: string): FieldError[] {
  const problems = validateQuantity(field, amount)
  const whole = quantity.milliValue(amount) % 1000 === 0
  return isInteger(name) && !whole ? [...problems, invalid(field, amount, 'must be an integer')] : problems
}

type NameCheck = (name: string, field: string) => FieldError[]

/** What a container needs and may use. Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateContainerResourceRequirements */
export const validateResources = (
  resources: core.ResourceRequirements,
  path: string,
  podClaims?: core.PodResourceClaim[],
): FieldError[] => validateRequirements(resources, path, validateContainerResourceName, podClaims)

function validateRequirements(
  { limits, requests, claims }: core.ResourceRequirements,
  path: string,
  checkName: NameCheck,
  podClaims?: core.PodResourceClaim[],
): FieldError[] {
  const [limitsPath, requestsPath] = [`${path}.limits`, `${path}.requests`]
  const problems = validateList(limits, limitsPath, checkName)
  for (const [name, requested] of Object.entries(requests ?? {})) {
    problems.push(
      ...validateList({ [name]: requested }, requestsPath, checkName),
      ...validateAgainstLimit(name, requested, limits, limitsPath, requestsPath),
    )
  }
  const all = Object.keys({ ...limits, ...requests })
  if (all.some(isHugePages) && !all.includes('cpu') && !all.includes('memory')) {
    problems.push(forbidden(path, 'HugePages require cpu or memory'))
  }
  return [...problems, ...validateClaims(claims, `${path}.claims`, podClaims)]
}

/** Resources of the pod as a whole, between those of its containers together and those of each. Source: KEP-2837 */
export function validatePodResources(spec: core.PodSpec, path: string): FieldError[] {
  const { resources, os, containers } = spec
  if (!resources) return []
  if (os?.name === 'windows') return [forbidden(path, 'may not be set for a windows pod')]
  const problems = resources.claims
    ? [forbidden(`${path}.claims`, 'claims may not be set for Resources at pod-level')]
    : []
  problems.push(...validateRequirements(resources, path, validatePodResourceName, spec.resourceClaims))
  for (const [name, amount] of Object.entries(resources.requests ?? {})) {
    const milli = podTotal(spec, container => quantity.milliValue(own(container.resources?.requests, name) ?? '0'))
    if (milli > quantity.milliValue(amount)) {
      const total = canonicalQuantity(`${milli}m`)
      const detail = `must be greater than or equal to aggregate container requests of ${total}`
      problems.push(invalid(at(`${path}.requests`, name), amount, detail))
    }
  }
  return [
    ...problems,
    ...each(containers, `${path}.containers`, (container, containerPath) =>
      Object.entries(container.resources?.limits ?? {}).flatMap(([name, amount]) => {
        const limit = own(resources.limits, name)
        return limit !== undefined && quantity.compare(amount, limit) > 0
          ? [
              invalid(
                `${at(containerPath, name)}.limits`,
                amount,
                `must be less than or equal to pod limits of ${limit}`,
              ),
            ]
          : []
      }),
    ),
  ]
}

const POD_RESOURCES = ['cpu', 'hugepages-', 'memory']

function validatePodResourceName(name: string, field: string): FieldError[] {
  const problems = validateResourceName(name, field)
  if (problems.length || name === 'cpu' || name === 'memory' || isHugePages(name)) return problems
  return [notSupported(field, name, POD_RESOURCES)]
}

/** Claims that a container uses: those of its pod, each of them, or each request of it, once. */
function validateClaims(
  claims: core.ResourceClaim[] | undefined,
  path: string,
  podClaims: core.PodResourceClaim[] = [],
): FieldError[] {
  const known = podClaims.map(({ name }) => name).sort()
  const seen = new Set<string>()
  return each(claims, path, ({ name, request }, itemPath) => {
    if (!name) return [required(itemPath)]
    const problems: FieldError[] = []
    const key = request ? `${name}/${request}` : name
    if (seen.has(name)) problems.push(duplicate(itemPath, name))
    else {
      if (request) problems.push(...complaints(`${itemPath}.request`, request, names.dns1123LabelProblems(request)))
      const partly = !request && [...seen].some(other => other.startsWith(`${name}/`))
      if (seen.has(key) || partly) problems.push(duplicate(itemPath, key))
      seen.add(key)
    }
    if (known.includes(name)) return problems
    const which = known.length ? `: ${known.join(', ')}` : ' which is empty'
    const detail = `must be one of the names in pod.spec.resourceClaims${which}`
    return [...problems, { ...notFound(itemPath, name), detail }]
  })
}

export const validateList = (
  list: ResourceList | undefined,
  path: string,
  checkName: NameCheck = validateContainerResourceName,
): FieldError[] =>
  Object.entries(list ?? {}).flatMap(([name, amount]) => [
    ...checkName(name, at(path, name)),
    ...validateResourceValue(name, amount, at(path, name)),
  ])

function validateAgainstLimit(
  name: string,
  requested: string,
  limits: ResourceList | undefined,
  limitsPath: string,
  requestsPath: string,
): FieldError[] {
  const limit = own(limits, name)
  if (limit === undefined) {
    return isOvercommitAllowed(name) ? [] : [required(limitsPath, 'Limit must be set for non overcommitable resources')]
  }
  const order = quantity.compare(requested, limit)
  if (order !== 0 && !isOvercommitAllowed(name)) {
    return [invalid(requestsPath, requested, `must be equal to ${name} limit of ${limit}`)]
  }
  return order > 0 ? [invalid(requestsPath, requested, `must be less than or equal to ${name} limit of ${limit}`)] : []
}
