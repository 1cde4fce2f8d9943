import { type core, type FieldError, names, quantity } from '../../../api/index.ts'
import { at, complaints, forbidden, invalid, own, required } from './field.ts'

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

function validateContainerResourceName(name: string, field: string): FieldError[] {
  const problems = validateResourceName(name, field)
  if (name.includes('/') || CONTAINER_RESOURCES.includes(name) || isHugePages(name)) return problems
  return [...problems, invalid(field, name, 'must be a standard resource for containers')]
}

export function validateResourceValue(name: string, amount: string, field: string): FieldError[] {
  const problems = validateQuantity(field, amount)
  const whole = quantity.milliValue(amount) % 1000 === 0
  return isInteger(name) && !whole ? [...problems, invalid(field, amount, 'must be an integer')] : problems
}

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateResourceRequirements */
export function validateResources({ limits, requests }: core.ResourceRequirements, path: string): FieldError[] {
  const [limitsPath, requestsPath] = [`${path}.limits`, `${path}.requests`]
  const problems = [...validateList(limits, limitsPath), ...validateList(requests, requestsPath)]
  for (const [name, requested] of Object.entries(requests ?? {})) {
    problems.push(...validateAgainstLimit(name, requested, limits, limitsPath, requestsPath))
  }
  const names = Object.keys({ ...limits, ...requests })
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory')) {
    problems.push(forbidden(path, 'HugePages require cpu or memory'))
  }
  return problems
}

const validateList = (list: ResourceList | undefined, path: string): FieldError[] =>
  Object.entries(list ?? {}).flatMap(([name, amount]) => [
    ...validateContainerResourceName(name, at(path, name)),
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
