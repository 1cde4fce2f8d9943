import {
  type authorization,
  errors,
  type FieldError,
  FieldSelector,
  LabelSelector,
  type meta,
  names,
} from '../../api/index.ts'
import type { Attributes, Authorizer } from '../authz/authorizer.ts'
import type { User } from '../pipeline/context.ts'
import { complaints, each, forbidden, invalid, required } from '../registry/validation/field.ts'

/** Questions about what somebody may do. Source: k8s.io/kubernetes/pkg/registry/authorization */

type Spec = Pick<authorization.SubjectAccessReviewSpec, 'resourceAttributes' | 'nonResourceAttributes'>
type Selector = authorization.FieldSelectorAttributes | authorization.LabelSelectorAttributes

const NONE = { version: '', group: '', resource: '', subresource: '', namespace: '', name: '', path: '', verb: '' }

/** What the review asks, as the authorizer is asked it about a request. */
export function attributesOf({ resourceAttributes, nonResourceAttributes }: Spec, user: User): Attributes {
  if (!resourceAttributes) return { ...NONE, ...nonResourceAttributes, isResourceRequest: false, user }
  const { fieldSelector, labelSelector, version, ...rest } = resourceAttributes
  return {
    ...NONE,
    ...rest,
    version: version || '*',
    ...(fieldSelector ? { fieldSelector: textOf(fieldSelector) } : {}),
    ...(labelSelector ? { labelSelector: textOf(labelSelector) } : {}),
    isResourceRequest: true,
    user,
  }
}

/** As in a query. What cannot be said so is left out: the question becomes wider by it, which does no harm. */
const textOf = ({ rawSelector, requirements = [] }: Selector): string =>
  rawSelector || requirements.flatMap(requirement => requirementText(requirement) ?? []).join(',')

function requirementText({ key, operator, values = [] }: meta.FieldSelectorRequirement): string | undefined {
  const [only] = values
  if (operator === 'Exists') return key
  if (operator === 'DoesNotExist') return `!${key}`
  const known = operator === 'In' || operator === 'NotIn'
  if (!known || only === undefined) return undefined
  if (values.length === 1) return `${key}${operator === 'In' ? '=' : '!='}${only}`
  return `${key} ${operator.toLowerCase()} (${values.join()})`
}

export async function decide(
  authorizer: Authorizer,
  attributes: Attributes,
): Promise<authorization.SubjectAccessReviewStatus> {
  const { allowed, denied, reason, error } = await authorizer.authorize(attributes)
  const problems = [error, ...unreadable(attributes)].filter(Boolean).join('; ')
  return {
    allowed,
    ...(denied ? { denied } : {}),
    ...(reason ? { reason } : {}),
    ...(problems ? { evaluationError: problems } : {}),
  }
}

/** What the answer did not look at. */
function unreadable({ fieldSelector = '', labelSelector = '' }: Attributes): string[] {
  const ignored = (name: string, parse: () => void) => {
    try {
      parse()
      return []
    } catch {
      return [`spec.resourceAttributes.${name} ignored due to parse error`]
    }
  }
  return [
    ...ignored('fieldSelector', () => FieldSelector.parse(fieldSelector)),
    ...ignored('labelSelector', () => LabelSelector.parse(labelSelector)),
  ]
}

/** One of the two kinds of attributes has to be there, and only one. Throws a 422. */
export function checkSpec(
  { resourceAttributes, nonResourceAttributes }: Spec,
  subject: FieldError[] = [],
  more: FieldError[] = [],
): void {
  const problems: FieldError[] = []
  if (resourceAttributes && nonResourceAttributes) {
    const detail = 'cannot be specified in combination with resourceAttributes'
    problems.push(invalid('spec.nonResourceAttributes', asUpstream(nonResourceAttributes), detail))
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
    problems.push(invalid('spec.resourceAttributes', null, detail))
  }
  problems.push(...subject)
  const path = 'spec.resourceAttributes'
  const isKey = (key: string, at: string) => (key ? [] : [required(at, 'must be specified')])
  const isLabel = (key: string, at: string) => complaints(at, key, names.labelKeyProblems(key))
  problems.push(...selectorProblems(resourceAttributes?.fieldSelector, `${path}.fieldSelector`, isKey))
  problems.push(...selectorProblems(resourceAttributes?.labelSelector, `${path}.labelSelector`, isLabel))
  problems.push(...more)
  // Upstream has forgotten the kind by then.
  if (problems.length) throw errors.invalid({ group: 'authorization.k8s.io', kind: '' }, '', problems)
}

/** Messages show the value as upstream holds it, where fields have no JSON names. */
export const asUpstream = ({ path = '', verb = '' }: authorization.NonResourceAttributes) => ({
  Path: path,
  Verb: verb,
})

type CheckKey = (key: string, path: string) => FieldError[]

function selectorProblems(selector: Selector | undefined, path: string, checkKey: CheckKey): FieldError[] {
  if (!selector) return []
  const { rawSelector, requirements } = selector
  const problems: FieldError[] = []
  if (rawSelector && requirements?.length)
    problems.push(invalid(`${path}.rawSelector`, rawSelector, 'may not specified at the same time as requirements'))
  if (!rawSelector && !requirements?.length)
    problems.push(
      required(`${path}.requirements`, `when ${path} is specified, requirements or rawSelector is required`),
    )
  const check = (requirement: meta.FieldSelectorRequirement, at: string) => [
    ...valuesProblems(requirement, `${at}.values`),
    ...checkKey(requirement.key, `${at}.key`),
  ]
  return [...problems, ...each(requirements, `${path}.requirements`, check)]
}

/** Operators that are not known here may be so to those who come. */
function valuesProblems({ operator, values }: meta.FieldSelectorRequirement, path: string): FieldError[] {
  if ((operator === 'In' || operator === 'NotIn') && !values?.length)
    return [required(path, "must be specified when `operator` is 'In' or 'NotIn'")]
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values?.length)
    return [forbidden(path, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
  return []
}
