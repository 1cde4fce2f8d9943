import type { User } from '../../pipeline/context.ts'
import { type Authorizer, NO_RULES, REFUSED, type Rules } from '../authorizer.ts'
import { type Binding, type Grants, subjectOf } from './grants.ts'

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
export const rbacAuthorizer = (grants: Grants): Authorizer => ({
  authorize(attributes) {
    const { user, namespace } = attributes
    const missing = new Set<string>()
    for (const binding of grants.bindingsOf(user, namespace)) {
      const role = grants.role(binding.roleRef, namespace)
      if (role?.allows(attributes)) return { allowed: true, reason: `RBAC: allowed by ${describe(binding, user)}` }
      if (!role) missing.add(notFound(binding.roleRef))
    }
    return missing.size ? { allowed: false, reason: `RBAC: ${joined([...missing])}` } : REFUSED
  },

  rulesFor(user, namespace) {
    const { rules, missing } = rulesOf(grants, user, namespace)
    const found: Rules = { ...NO_RULES, resource: [], nonResource: [], errors: missing.length ? [joined(missing)] : [] }
    for (const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } of rules) {
      if (resources?.length)
        found.resource.push({ verbs, apiGroups, resources, ...(resourceNames ? { resourceNames } : {}) })
      if (nonResourceURLs?.length) found.nonResource.push({ verbs, nonResourceURLs })
    }
    return found
  },
})

/**
 * Every rule of the user's, and what there is to say about roles that are not there; `as`: what these are called, where that
 * is not what they are.
 */
export function rulesOf(grants: Grants, user: User, namespace: string, as?: string) {
  const missing = new Set<string>()
  const rules = [...grants.bindingsOf(user, namespace)].flatMap(({ roleRef }) => {
    const role = grants.role(roleRef, namespace)
    if (!role) missing.add(notFound(roleRef, as))
    return role?.rules ?? []
  })
  return { rules, missing: [...missing] }
}

const notFound = ({ kind, name }: Binding['roleRef'], as = kind.toLowerCase()) =>
  `${as}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`

/** Several errors as one. Source: k8s.io/apimachinery/pkg/util/errors Aggregate */
export const joined = (errors: string[]): string => (errors.length === 1 ? errors[0]! : `[${errors.join(', ')}]`)

function describe(binding: Binding, user: User): string {
  const { metadata, roleRef } = binding
  const { namespace } = metadata
  const { kind, name, namespace: ofAccount } = subjectOf(binding, user)
  const own = namespace
    ? `RoleBinding ${JSON.stringify(`${metadata.name}/${namespace}`)}`
    : `ClusterRoleBinding ${JSON.stringify(metadata.name)}`
  const who = kind === 'ServiceAccount' ? `${name}/${ofAccount || namespace || ''}` : name
  return `${own} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${kind} ${JSON.stringify(who)}`
}
