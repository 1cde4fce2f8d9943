import { type Draft, type KubeObject, type Resource, type rbac, resources } from '../../../api/index.ts'
import { ensure } from '../../bootstrap.ts'
import type { Registry } from '../../registry/registry.ts'
import { same } from '../../registry/validation/field.ts'
import type { Binding } from '../rbac/grants.ts'
import { missingRules } from '../rbac/rules.ts'
import { policy } from './objects.ts'

const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate'

/**
 * Makes the roles and bindings that every cluster has, and puts back what of them has been taken away; what was added stays.
 * All are written at once, so that they share one flush of the store.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation
 */
export async function ensurePolicy(registry: Registry): Promise<void> {
  const { clusterRoles, clusterRoleBindings, roles, roleBindings } = policy()
  await Promise.all([
    ensureAll(registry, resources.clusterRoles, clusterRoles, completeRole),
    ensureAll(registry, resources.roles, roles, completeRole),
    ensureAll(registry, resources.clusterRoleBindings, clusterRoleBindings, completeBinding),
    ensureAll(registry, resources.roleBindings, roleBindings, completeBinding),
  ])
}

/** Adds to what is there whatever it lacks; `false` when it lacks nothing. */
type Complete<T> = (present: T, wanted: Draft<T>) => boolean

async function ensureAll<T extends KubeObject>(
  registry: Registry,
  resource: Resource<T>,
  wanted: Draft<T>[],
  complete: Complete<T>,
): Promise<void> {
  const present = new Map((await registry.reader.list(resource)).map(object => [pathOf(object.metadata), object]))
  await Promise.all(
    wanted.map(async draft => {
      const old = present.get(pathOf(draft.metadata!))
      if (old && (old.metadata.annotations?.[AUTOUPDATE] !== 'true' || !completed(structuredClone(old), draft))) return
      await ensure(registry, resource, draft, object => void completed(object, draft))
    }),
  )

  function completed(object: T, draft: Draft<T>): boolean {
    const { metadata } = object
    const labels = { ...draft.metadata!.labels, ...metadata.labels }
    const annotations = { ...draft.metadata!.annotations, ...metadata.annotations }
    const changed = !same(labels, metadata.labels ?? {}) || !same(annotations, metadata.annotations ?? {})
    Object.assign(metadata, { labels, annotations })
    return complete(object, draft) || changed
  }
}

const pathOf = ({ namespace = '', name = '' }: { namespace?: string; name?: string }) => `${namespace}/${name}`

function completeRole(present: rbac.Role | rbac.ClusterRole, wanted: Draft<rbac.Role | rbac.ClusterRole>): boolean {
  if ('aggregationRule' in wanted) {
    const selectors = (wanted as rbac.ClusterRole).aggregationRule!.clusterRoleSelectors!
    const role = present as rbac.ClusterRole
    const known = role.aggregationRule?.clusterRoleSelectors ?? []
    const missing = selectors.filter(selector => !known.some(each => same(each, selector)))
    if (missing.length) role.aggregationRule = { clusterRoleSelectors: [...known, ...missing] }
    return missing.length > 0
  }
  const missing = missingRules(present.rules ?? [], (wanted.rules ?? []) as rbac.PolicyRule[])
  if (missing.length) present.rules = [...(present.rules ?? []), ...missing]
  return missing.length > 0
}

function completeBinding(present: Binding, wanted: Draft<Binding>): boolean {
  const known = present.subjects ?? []
  const missing = ((wanted.subjects ?? []) as rbac.Subject[]).filter(each => !known.some(other => same(other, each)))
  if (missing.length) present.subjects = [...known, ...missing]
  return missing.length > 0
}
