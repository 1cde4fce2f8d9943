import { type authorization, errors, type FieldError } from '../../api/index.ts'
import type { Attributes, Authorizer } from '../authz/authorizer.ts'
import type { User } from '../pipeline/context.ts'

/** Questions about what somebody may do. Source: k8s.io/kubernetes/pkg/registry/authorization */

type Spec = Pick<authorization.SubjectAccessReviewSpec, 'resourceAttributes' | 'nonResourceAttributes'>

/** What the review asks, as the authorizer is asked it about a request. */
export function attributesOf({ resourceAttributes, nonResourceAttributes }: Spec, user: User): Attributes {
  const none = { version: '', group: '', resource: '', subresource: '', namespace: '', name: '', path: '', verb: '' }
  if (resourceAttributes) return { ...none, ...resourceAttributes, isResourceRequest: true, user }
  return { ...none, ...nonResourceAttributes, isResourceRequest: false, user }
}

export async function decide(
  authorizer: Authorizer,
  attributes: Attributes,
): Promise<authorization.SubjectAccessReviewStatus> {
  const { allowed, reason } = await authorizer.authorize(attributes)
  return { allowed, ...(reason ? { reason } : {}) }
}

/** One of the two kinds of attributes has to be there, and only one. */
export function checkSpec(kind: string, spec: Spec, problems: FieldError[] = []): void {
  const both = spec.resourceAttributes && spec.nonResourceAttributes
  const found = [...problems]
  if (both)
    found.push({
      type: 'Invalid',
      field: 'spec.nonResourceAttributes',
      value: spec.nonResourceAttributes,
      detail: 'cannot be specified in combination with resourceAttributes',
    })
  if (!spec.resourceAttributes && !spec.nonResourceAttributes)
    found.push({
      type: 'Invalid',
      field: 'spec.resourceAttributes',
      value: null,
      detail: 'exactly one of nonResourceAttributes or resourceAttributes must be specified',
    })
  if (found.length) throw errors.invalid({ group: 'authorization.k8s.io', kind }, '', found)
}
