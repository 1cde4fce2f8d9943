import { type Draft, type rbac, resources } from '../../../api/index.ts'
import { CONTROLLER_ROLES } from './controllers.ts'
import { K8TS_BINDINGS, K8TS_CLUSTER_BINDINGS, K8TS_CLUSTER_ROLES, K8TS_ROLES } from './k8ts.ts'
import type { Rule } from './notation.ts'
import { AGGREGATED_ROLES, BINDINGS, CLUSTER_BINDINGS, CLUSTER_ROLES, ROLES } from './roles.ts'

/** The policy that a cluster begins with, as objects. */

const GROUP = 'rbac.authorization.k8s.io'
const AGGREGATE = 'rbac.authorization.k8s.io/aggregate-to-'
const CONTROLLER = 'system:controller:'
/** Roles whose rules become part of an aggregated one say so in their name. */
const AGGREGATED = 'system:aggregate-to-'

export interface Policy {
  clusterRoles: Draft<rbac.ClusterRole>[]
  clusterRoleBindings: Draft<rbac.ClusterRoleBinding>[]
  roles: Draft<rbac.Role>[]
  roleBindings: Draft<rbac.RoleBinding>[]
}

export const policy = (): Policy => ({
  clusterRoles: [
    ...Object.entries({ ...CLUSTER_ROLES, ...K8TS_CLUSTER_ROLES }).map(([name, rules]) => clusterRole(name, rules)),
    ...Object.entries(CONTROLLER_ROLES).map(([name, rules]) => clusterRole(CONTROLLER + name, rules)),
    ...Object.entries(AGGREGATED_ROLES).map(([name, { into }]) => aggregatedRole(name, into)),
  ],
  clusterRoleBindings: [
    ...Object.entries({ ...CLUSTER_BINDINGS, ...K8TS_CLUSTER_BINDINGS }).map(([name, subjects]) =>
      clusterBinding(name, subjects),
    ),
    ...Object.keys(CONTROLLER_ROLES).map(name => clusterBinding(CONTROLLER + name, [`ServiceAccount ${name}`])),
  ],
  roles: Object.entries({ ...ROLES, ...K8TS_ROLES }).map(([path, rules]) => ({ metadata: metadataOf(path), rules })),
  roleBindings: Object.entries({ ...BINDINGS, ...K8TS_BINDINGS }).map(([path, { role, subjects }]) => {
    const metadata = metadataOf(path)
    const roleRef = { apiGroup: GROUP, kind: resources.roles.kind, name: role ?? metadata.name }
    return { metadata, subjects: subjects.map(subject), roleRef }
  }),
})

/** `NAMESPACE/NAME`, or a name alone. */
function metadataOf(path: string, labels: Record<string, string> = {}) {
  const slash = path.indexOf('/')
  return {
    name: path.slice(slash + 1),
    ...(slash === -1 ? {} : { namespace: path.slice(0, slash) }),
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
    annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  }
}

function clusterRole(name: string, rules: Rule[]): Draft<rbac.ClusterRole> {
  const into = name.startsWith(AGGREGATED) ? name.slice(AGGREGATED.length) : undefined
  return { metadata: metadataOf(name, labelOf(into)), rules }
}

const aggregatedRole = (name: string, into?: string): Draft<rbac.ClusterRole> => ({
  metadata: metadataOf(name, labelOf(into)),
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [AGGREGATE + name]: 'true' } }] },
})

const labelOf = (into: string | undefined): Record<string, string> => (into ? { [AGGREGATE + into]: 'true' } : {})

const clusterBinding = (name: string, subjects: string[]): Draft<rbac.ClusterRoleBinding> => ({
  metadata: metadataOf(name),
  ...(subjects.length ? { subjects: subjects.map(subject) } : {}),
  roleRef: { apiGroup: GROUP, kind: resources.clusterRoles.kind, name },
})

function subject(text: string): rbac.Subject {
  const [kind = '', name = ''] = text.split(' ')
  return kind === 'ServiceAccount' ? { kind, name, namespace: 'kube-system' } : { kind, apiGroup: GROUP, name }
}
