import { type authorization, errors, type StatusError } from '../../api/index.ts'
import type { RequestInfo, User } from '../pipeline/context.ts'

/** What somebody wants to do. */
export type Attributes = Pick<
  RequestInfo,
  'isResourceRequest' | 'verb' | 'path' | 'group' | 'version' | 'resource' | 'subresource' | 'namespace' | 'name'
> & {
  user: User
  /** What a list, a watch or a deletecollection is narrowed to, as in a query. */
  fieldSelector?: string
  labelSelector?: string
}

/** A question about a resource; what it does not say is empty. */
export const question = (what: Partial<Attributes> & Pick<Attributes, 'user' | 'verb'>): Attributes => ({
  isResourceRequest: true,
  path: '',
  group: '',
  version: '*',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  ...what,
})

export interface Decision {
  allowed: boolean
  /** Set when nobody else is to be asked; else a refusal means no more than that this authorizer has no opinion. */
  denied?: true
  /** Why; may be empty. It follows the message of a refusal. */
  reason: string
  /** Why it could not be found out; then a refusal is no answer to whether somebody may. */
  error?: string
}

/** What somebody may do, as far as it can be told. */
export interface Rules {
  resource: authorization.ResourceRule[]
  nonResource: authorization.NonResourceRule[]
  /** There may be more. */
  incomplete: boolean
  /** What could not be found out. */
  errors: string[]
}

/** Judges every request that is authenticated, and answers the SubjectAccessReview kinds. */
export interface Authorizer {
  /** Rejects when it cannot tell; that is a refusal. */
  authorize(attributes: Attributes): Decision | Promise<Decision>
  /** Of one namespace and of what has none. Absent: this authorizer adds nothing. */
  rulesFor?(user: User, namespace: string): Rules
}

export const NO_RULES: Rules = { resource: [], nonResource: [], incomplete: false, errors: [] }

/** The group whose members may do everything, however else access is judged. */
export const MASTERS = 'system:masters'

/**
 * Members of `system:masters` may do everything; for others the first authorizer with an opinion decides, and the reasons
 * of those without one are joined. Source: k8s.io/apiserver/pkg/authorization/union
 */
export const inOrder = (authorizers: Authorizer[]): Authorizer => ({
  authorize(attributes) {
    return attributes.user.groups.includes(MASTERS) ? ALLOWED : firstOpinion(authorizers, attributes)
  },
  rulesFor(user, namespace) {
    const all = authorizers.map(authorizer => authorizer.rulesFor?.(user, namespace) ?? NO_RULES)
    return {
      resource: all.flatMap(({ resource }) => resource),
      nonResource: all.flatMap(({ nonResource }) => nonResource),
      incomplete: all.some(({ incomplete }) => incomplete),
      errors: all.flatMap(each => each.errors),
    }
  },
})

/** Most answer at once, and then nothing is waited for. */
function firstOpinion(
  authorizers: Authorizer[],
  attributes: Attributes,
  before: Decision = REFUSED,
): Decision | Promise<Decision> {
  let without = before
  for (const [index, authorizer] of authorizers.entries()) {
    const decision = authorizer.authorize(attributes)
    if (decision instanceof Promise)
      return decision.then(later =>
        isOpinion(later) ? later : firstOpinion(authorizers.slice(index + 1), attributes, both(without, later)),
      )
    if (isOpinion(decision)) return decision
    without = both(without, decision)
  }
  return without
}

const isOpinion = ({ allowed, denied }: Decision): boolean => allowed || denied === true

/** Two that have no opinion. */
function both(first: Decision, second: Decision): Decision {
  if (first === REFUSED) return second
  if (second === REFUSED) return first
  const error = [first.error, second.error].filter(Boolean).join(', ')
  return {
    allowed: false,
    reason: [first.reason, second.reason].filter(Boolean).join('\n'),
    ...(error ? { error } : {}),
  }
}

export const ALLOWED: Decision = { allowed: true, reason: '' }
export const REFUSED: Decision = { allowed: false, reason: '' }

/** Source: --authorization-mode=AlwaysAllow */
export const alwaysAllow: Authorizer = {
  authorize: () => ALLOWED,
  rulesFor: () => ({
    ...NO_RULES,
    resource: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResource: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  }),
}

/** Source: --authorization-mode=AlwaysDeny */
export const alwaysDeny: Authorizer = {
  authorize: () => ({ allowed: false, reason: 'Everything is forbidden.' }),
}

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
