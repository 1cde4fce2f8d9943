import { errors, type StatusError } from '../../api/index.ts'
import type { RequestInfo, User } from '../pipeline/context.ts'

/** What somebody wants to do. */
export type Attributes = Pick<
  RequestInfo,
  'isResourceRequest' | 'verb' | 'path' | 'group' | 'version' | 'resource' | 'subresource' | 'namespace' | 'name'
> & { user: User }

export interface Decision {
  allowed: boolean
  /** Why; may be empty. It follows the message of a refusal. */
  reason: string
}

/** Judges every request that is authenticated, and answers the SubjectAccessReview kinds. */
export interface Authorizer {
  authorize(attributes: Attributes): Decision | Promise<Decision>
}

/** The first that allows decides; the reasons of the others are joined. */
export const anyOf = (authorizers: Authorizer[]): Authorizer => ({
  async authorize(attributes) {
    const reasons: string[] = []
    for (const authorizer of authorizers) {
      const decision = await authorizer.authorize(attributes)
      if (decision.allowed) return decision
      if (decision.reason) reasons.push(decision.reason)
    }
    return { allowed: false, reason: reasons.join('\n') }
  },
})

/** The 403 for a refusal. Source: k8s.io/apiserver/pkg/endpoints/handlers/responsewriters errors.go */
export function refusal(attributes: Attributes, reason: string): StatusError {
  const { user, verb, path, group, resource, subresource, namespace, name } = attributes
  const because = reason ? `: ${reason}` : ''
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`
  if (!attributes.isResourceRequest) return errors.forbiddenPath(`${who} path ${JSON.stringify(path)}${because}`)
  const what = JSON.stringify(subresource ? `${resource}/${subresource}` : resource)
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope'
  return errors.forbidden(
    { group, resource },
    name,
    `${who} resource ${what} in API group ${JSON.stringify(group)} ${where}${because}`,
  )
}
