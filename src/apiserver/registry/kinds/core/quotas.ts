import { type core, type FieldError, quantity } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { at, duplicate, each, forbidden, immutable, invalid, own, required } from '../../validation/field.ts'
import { validateResourceName, validateResourceValue } from '../../validation/resources.ts'

/** Limits on what a namespace may use. Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateResourceQuota, ValidateLimitRange */

type ResourceList = Record<string, string>

const validateAmounts = (list: ResourceList | undefined, path: string): FieldError[] =>
  Object.entries(list ?? {}).flatMap(([name, amount]) => [
    ...validateResourceName(name, at(path, name)),
    ...validateResourceValue(name, amount, at(path, name)),
  ])

/** `count/deployments.apps` counts objects and is no resource of a node. */
const withoutCounts = (list: ResourceList | undefined) =>
  Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => !name.startsWith('count/')))

export const resourceQuotaStrategy: Strategy<core.ResourceQuota> = {
  validate: ({ spec }) => validateAmounts(withoutCounts(spec.hard), 'spec.hard'),
  validateUpdate: ({ spec }, { spec: old }) => immutable('spec.scopes', spec.scopes, old.scopes),
  generation: false,
}

export const limitRangeStrategy: Strategy<core.LimitRange> = {
  defaults({ spec }) {
    for (const item of spec.limits ?? []) if (item.type === 'Container') defaultItem(item)
  },
  validate({ spec }) {
    const types = new Set<string>()
    return each(spec.limits, 'spec.limits', (item, path) => {
      const problems = item.type ? [] : [required(`${path}.type`)]
      if (types.has(item.type)) problems.push(duplicate(`${path}.type`, item.type))
      types.add(item.type)
      return [...problems, ...validateItem(item, path)]
    })
  },
  generation: false,
  allowCreateOnUpdate: true,
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
