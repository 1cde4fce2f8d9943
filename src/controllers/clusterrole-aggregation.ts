import { LabelSelector, type rbac, resources } from '../api/index.ts'
import type { Component } from '../base/index.ts'
import { from, startController } from '../client/index.ts'
import type { Context } from './context.ts'

const MANAGER = 'clusterrole-aggregation-controller'

/**
 * Gives a ClusterRole that says whose rules are to be its own, by label, those rules.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
 */
export function startClusterRoleAggregationController({ client, informers, clock, log }: Context): Component {
  const roles = informers.get(resources.clusterRoles)
  const aggregated = () => roles.lister.list().filter(({ aggregationRule }) => aggregationRule)

  return startController({
    name: MANAGER,
    // Whichever role has changed, it may be part of any other.
    sources: [from(roles, () => aggregated().map(({ metadata }) => metadata.name))],
    clock,
    log,
    async reconcile(name) {
      const role = roles.lister.getByKey(name)
      if (!role?.aggregationRule) return
      const rules = gather(role, roles.lister.list())
      if (JSON.stringify(rules) === JSON.stringify(role.rules ?? [])) return
      const body = { apiVersion: role.apiVersion, kind: role.kind, metadata: { name }, rules }
      await client.patch(
        resources.clusterRoles,
        { name },
        { type: 'apply', body },
        { fieldManager: MANAGER, force: true },
      )
    },
  })
}

/** The rules of all that are selected, in the order of their names, each once. */
function gather({ metadata, aggregationRule }: rbac.ClusterRole, all: rbac.ClusterRole[]): rbac.PolicyRule[] {
  const sorted = [...all].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const found = new Map<string, rbac.PolicyRule>()
  for (const labels of aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = LabelSelector.of(labels)
    for (const role of sorted) {
      if (role.metadata.name === metadata.name || !selector.matches(role.metadata.labels)) continue
      for (const rule of role.rules ?? []) found.set(JSON.stringify(rule), found.get(JSON.stringify(rule)) ?? rule)
    }
  }
  return [...found.values()]
}
