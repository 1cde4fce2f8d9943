import { errors, type KubeObject, type rbac, StatusError } from '../../api/index.ts'
import { type Authorizer, MASTERS, question } from '../authz/authorizer.ts'
import { joined, rulesOf } from '../authz/rbac/authorizer.ts'
import type { Binding, Grants } from '../authz/rbac/grants.ts'
import { compacted, describeRule, missingRules, quoted } from '../authz/rbac/rules.ts'
import { same } from '../registry/validation/field.ts'
import type { AdmissionPlugin, Attributes } from './admission.ts'

const GROUP = 'rbac.authorization.k8s.io'
const EVERYTHING: rbac.PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/**
 * Nobody gives what they do not have: neither by the rules of a role nor by a binding, unless they may `escalate` roles, or
 * `bind` the one in question. No plugin upstream, but part of how these kinds are kept: so it cannot be turned off. It stands
 * at the end of those that change the object. Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
export const roleEscalation = (grants: Grants, authorizer: Authorizer): AdmissionPlugin => {
  async function judgeRole(attributes: Attributes): Promise<void> {
    const { user, namespace, name, operation, resource, object, old } = attributes
    const about = { group: GROUP, resource: resource.resource, namespace, name: operation === 'CREATE' ? '' : name }
    const escalates = await authorizer.authorize(question({ user, verb: 'escalate', ...about }))
    if (escalates.allowed) return
    const role = object as rbac.ClusterRole
    confirm(attributes, role.rules ?? [])
    const aggregates = [role, old as rbac.ClusterRole | undefined].some(
      each => each?.aggregationRule?.clusterRoleSelectors?.length,
    )
    if (aggregates && complaint(attributes, EVERYTHING))
      throw errors.forbidden(resource, name, 'must have cluster-admin privileges to use the aggregationRule')
  }

  async function judgeBinding(attributes: Attributes): Promise<void> {
    const { user, namespace, resource, object } = attributes
    const { roleRef } = object as Binding
    const about = { group: roleRef.apiGroup, resource: `${roleRef.kind.toLowerCase()}s`, namespace, name: roleRef.name }
    const known = roleRef.kind === 'Role' || roleRef.kind === 'ClusterRole'
    if (known && (await authorizer.authorize(question({ user, verb: 'bind', ...about }))).allowed) return
    if (!known) throw unclassified(`unsupported role reference kind: ${JSON.stringify(roleRef.kind)}`)
    const role = grants.role(roleRef, namespace)
    // Upstream calls the role by what the request is about.
    if (!role) throw errors.notFound(resource, roleRef.name)
    confirm(attributes, role.rules)
  }

  function confirm(attributes: Attributes, rules: readonly rbac.PolicyRule[]): void {
    const found = complaint(attributes, rules)
    if (found) throw errors.forbidden(attributes.resource, attributes.name, found)
  }

  /** What is to be said when the user does not have all of these rights. */
  function complaint(
    { user, namespace, resource }: Attributes,
    wanted: readonly rbac.PolicyRule[],
  ): string | undefined {
    const { rules, missing: unresolved } = rulesOf(grants, user, namespace, resource.resource)
    const missing = missingRules(rules, wanted)
    if (!missing.length) return undefined
    const told = [...new Set(compacted(missing).map(describeRule))].sort()
    const unknown = unresolved.length ? `; resolution errors: [${joined(unresolved)}]` : ''
    return `user ${JSON.stringify(user.name)} (groups=${quoted(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${told.join('\n')}${unknown}`
  }

  return {
    name: '',
    mutate(attributes) {
      const { operation, resource, user, object, old } = attributes
      if (resource.group !== GROUP || operation === 'DELETE' || user.groups.includes(MASTERS)) return
      if (old && same(withoutOwners(object!), withoutOwners(old))) return
      return resource.kind.endsWith('Binding') ? judgeBinding(attributes) : judgeRole(attributes)
    },
  }
}

/** The garbage collector has rights of its own to what it changes. */
function withoutOwners({ metadata, ...rest }: KubeObject): object {
  const { ownerReferences, finalizers, managedFields, selfLink, ...others } = metadata
  return { ...rest, metadata: others }
}

/** Upstream does not say what kind of error this is. */
const unclassified = (message: string) => new StatusError({ status: 'Failure', message, code: 500 })
