import { CONTROLLER_ROLES } from './controllers.ts'
import { READ, type Rule, rule } from './notation.ts'
import type { BINDINGS } from './roles.ts'

/**
 * What k8ts' own components may do beyond what upstream gives to those of the same name. They are no ServiceAccounts but
 * users of a client certificate.
 */
export const K8TS_CLUSTER_ROLES: Record<string, Rule[]> = {
  // Its controllers all run as one user, as upstream's do without --use-service-account-credentials.
  'system:k8ts:controllers': distinct(Object.values(CONTROLLER_ROLES).flat()),
  // Proxy, network and DNS share a process and what they watch, which they do as the proxy.
  'system:k8ts:node-services': [rule('list watch', 'core', 'namespaces')],
  'system:k8ts:network': [rule(READ, 'core', 'nodes')],
  'system:k8ts:dns': [rule(READ, 'core', 'namespaces services'), rule(READ, 'discovery.k8s.io', 'endpointslices')],
}

export const K8TS_CLUSTER_BINDINGS: Record<string, string[]> = {
  'system:k8ts:controllers': ['User system:kube-controller-manager'],
  'system:k8ts:node-services': ['User system:kube-proxy'],
  'system:k8ts:network': ['User system:k8ts-network'],
  'system:k8ts:dns': ['User system:k8ts-dns'],
}

/** DNS keeps the Service by which pods find it, and that Service's EndpointSlice. */
export const K8TS_ROLES: Record<string, Rule[]> = {
  'kube-system/system:k8ts:dns': [
    rule('create', 'core', 'services'),
    rule('update', 'core', 'services', 'kube-dns'),
    rule('create delete update', 'discovery.k8s.io', 'endpointslices'),
  ],
}

export const K8TS_BINDINGS: typeof BINDINGS = {
  'kube-system/system:k8ts:dns': { subjects: ['User system:k8ts-dns'] },
}

function distinct(rules: Rule[]): Rule[] {
  return [...new Map(rules.map(each => [JSON.stringify(each), each])).values()]
}
