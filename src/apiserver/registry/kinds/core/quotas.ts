import { type core, type FieldError, names, quantity } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { at, complaints, duplicate, each, forbidden, invalid, own, required, same } from '../../validation/field.ts'
import { isStandardResource, validateResourceName, validateResourceValue } from '../../validation/resources.ts'

/** Limits on what a namespace may use. Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateResourceQuota, ValidateLimitRange */

type ResourceList = Record<string, string>

const validateAmounts = (list: ResourceList | undefined, path: string): FieldError[] =>
  Object.entries(list ?? {}).flatMap(([name, amount]) => [
    ...validateResourceName(name, at(path, name)),
    ...validateResourceValue(name, amount, at(path, name)),
  ])

const FROM_HERE = 'must be a standard resource for quota'

/** `count/deployments.apps` counts objects; other names without a domain have to be known. */
const validateHard = (list: ResourceList | undefined): FieldError[] =>
  Object.entries(list ?? {}).flatMap(([name, amount]) => {
    const field = at('spec.hard', name)
    const unknown = !name.includes('/') && validateResourceName(name, field).length > 0
    return [
      ...validateResourceName(name, field),
      ...(unknown ? [invalid(field, name, FROM_HERE)] : []),
      ...validateResourceValue(name, amount, field),
    ]
  })

export const resourceQuotaStrategy: Strategy<core.ResourceQuota> = {
  validate: ({ spec }) => [...validateHard(spec.hard), ...validateScopes(spec), ...validateScopeSelector(spec)],
  validateUpdate: ({ spec }, { spec: old }) => {
    const sorted = (scopes: string[] | undefined) => [...(scopes ?? [])].sort()
    return same(sorted(spec.scopes), sorted(old.scopes))
      ? []
      : [invalid('spec.scopes', spec.scopes ?? null, 'field is immutable')]
  },
  generation: false,
}

const COMPUTE = ['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']
const STORAGE = ['persistentvolumeclaims', 'requests.storage']

/** What each scope can be applied to. */
const SCOPES: Record<string, string[]> = {
  Terminating: ['pods', ...COMPUTE],
  NotTerminating: ['pods', ...COMPUTE],
  BestEffort: ['pods'],
  NotBestEffort: ['pods', ...COMPUTE],
  PriorityClass: ['pods', ...COMPUTE],
  CrossNamespacePodAffinity: ['pods', ...COMPUTE],
  VolumeAttributesClass: STORAGE,
}
const OPPOSITES = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
]
/** Scopes that a pod is in or is not, whatever a value says. */
const BARE = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']
const ONLY_EXISTS =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"

/** Resources of the quota that the scope says nothing of; upstream knows of those without a domain only. */
const foreign = (scope: string, hard: ResourceList | undefined): string[] =>
  Object.keys(hard ?? {}).filter(name => isStandardResource(name) && !(own(SCOPES, scope) ?? [name]).includes(name))

const conflicts = (scopes: string[]): number =>
  OPPOSITES.filter(pair => pair.every(scope => scopes.includes(scope))).length

function validateScopes({ hard, scopes = [] }: core.ResourceQuotaSpec): FieldError[] {
  const problem = (detail: string) => invalid('spec.scopes', scopes, detail)
  return [
    ...scopes.flatMap(scope => [
      ...(own(SCOPES, scope) ? [] : [problem('unsupported scope')]),
      ...foreign(scope, hard).map(() => problem('unsupported scope applied to resource')),
    ]),
    ...Array.from({ length: conflicts(scopes) }, () => problem('conflicting scopes')),
  ]
}

function validateScopeSelector({ hard, scopes, scopeSelector }: core.ResourceQuotaSpec): FieldError[] {
  const path = 'spec.scopeSelector.matchExpressions'
  const given = scopeSelector?.matchExpressions ?? []
  const problems = given.flatMap(({ scopeName, operator, values = [] }) => {
    const field = `${path}.operator`
    const found: FieldError[] = []
    if (!own(SCOPES, scopeName)) found.push(invalid(`${path}.scopeName`, scopeName, 'unsupported scope'))
    for (const _ of foreign(scopeName, hard)) {
      found.push(invalid(path, scopeSelector, 'unsupported scope applied to resource'))
    }
    if (BARE.includes(scopeName) && operator !== 'Exists') found.push(invalid(field, operator, ONLY_EXISTS))
    if (operator === 'In' || operator === 'NotIn') {
      const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
      if (values.length === 0) found.push(required(`${path}.values`, detail))
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
      if (values.length) found.push(invalid(`${path}.values`, values, detail))
    } else found.push(invalid(field, operator, 'not a valid selector operator'))
    return found
  })
  const clash = invalid(path, scopes ?? null, 'conflicting scopes')
  return [...problems, ...Array.from({ length: conflicts(given.map(({ scopeName }) => scopeName)) }, () => clash)]
}

export const limitRangeStrategy: Strategy<core.LimitRange> = {
  defaults({ spec }) {
    for (const item of spec.limits ?? []) if (item.type === 'Container') defaultItem(item)
  },
  validate({ spec }) {
    const types = new Set<string>()
    return each(spec.limits, 'spec.limits', (item, path) => {
      const problems = validateLimitType(item.type, `${path}.type`)
      if (types.has(item.type)) problems.push(duplicate(`${path}.type`, item.type))
      types.add(item.type)
      return [...problems, ...validateItem(item, path)]
    })
  },
  generation: false,
  allowCreateOnUpdate: true,
}

const LIMIT_TYPES = ['Pod', 'Container', 'PersistentVolumeClaim']

function validateLimitType(type: string, field: string): FieldError[] {
  const problems = complaints(field, type, names.qualifiedNameProblems(type))
  return problems.length || type.includes('/') || LIMIT_TYPES.includes(type)
    ? problems
    : [invalid(field, type, 'must be a standard limit type or fully qualified')]
}

/** A default follows from the greatest amount, a default request from the default and else from the least. */
function defaultItem(item: core.LimitRangeItem): void {
  const limits = asList({ ...item.max, ...item.default })
  if (limits) item.default = limits
  const requests = asList({ ...item.min, ...limits, ...item.defaultRequest })
  if (requests) item.defaultRequest = requests
}

const asList = (list: ResourceList) => (Object.keys(list).length ? list : undefined)

type Bound = 'min' | 'defaultRequest' | 'default' | 'max'

/** Which of two amounts may not be the greater one, and what a message calls them. */
const ORDER: [lower: Bound, upper: Bound, lowerText: string, upperText: string][] = [
  ['min', 'max', 'min', 'max'],
  ['defaultRequest', 'max', 'default request', 'max'],
  ['default', 'max', 'default', 'max'],
  ['defaultRequest', 'default', 'default request', 'default limit'],
]

function validateItem(item: core.LimitRangeItem, path: string): FieldError[] {
  const lists = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const
  const problems = lists.flatMap(list => validateAmounts(item[list], `${path}.${list}`))
  if (item.type === 'Pod') {
    for (const list of ['default', 'defaultRequest'] as const) {
      if (item[list]) problems.push(forbidden(`${path}.${list}`, "may not be specified when `type` is 'Pod'"))
    }
  }
  for (const [lower, upper, lowerText, upperText] of ORDER) {
    for (const [name, amount] of Object.entries(item[lower] ?? {})) {
      const limit = own(item[upper], name)
      if (limit === undefined || quantity.compare(amount, limit) <= 0) continue
      const detail = `${lowerText} value ${amount} is greater than ${upperText} value ${limit}`
      problems.push(invalid(at(`${path}.${lower}`, name), amount, detail))
    }
  }
  return problems
}
