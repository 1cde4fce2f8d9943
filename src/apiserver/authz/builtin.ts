import type { Authorizer } from './authorizer.ts'

/** Identities and groups that may do everything: the administrators and the cluster's own components. */
const TRUSTED_GROUPS = ['system:masters', 'system:nodes']
const TRUSTED_USERS = new Set([
  'system:kube-controller-manager',
  'system:kube-scheduler',
  'system:kube-proxy',
  'system:k8ts-network',
  'system:k8ts-dns',
])

const ALLOWED = { allowed: true, reason: '' }
const REFUSED = { allowed: false, reason: '' }

const HEALTH = /^\/(healthz|livez|readyz|version)(\/|$)/
const DISCOVERY = /^\/(api|apis|openapi|healthz|livez|readyz|version|\.well-known|openid)(\/|$)/
const SELF_REVIEWS = new Set(['selfsubjectreviews', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'])

/** Lets the cluster's own parts in; everybody else may find out what is served and who they are. */
export const builtinAuthorizer: Authorizer = {
  authorize({ user, isResourceRequest, verb, path, resource }) {
    if (TRUSTED_USERS.has(user.name) || TRUSTED_GROUPS.some(group => user.groups.includes(group))) return ALLOWED
    if (!isResourceRequest) {
      if (verb !== 'get' && verb !== 'head') return REFUSED
      const open = user.groups.includes('system:authenticated') ? DISCOVERY : HEALTH
      return open.test(path) ? ALLOWED : REFUSED
    }
    const review = verb === 'create' && SELF_REVIEWS.has(resource) && user.groups.includes('system:authenticated')
    return review ? ALLOWED : REFUSED
  },
}

/** Source: --authorization-mode=AlwaysAllow */
export const alwaysAllow: Authorizer = { authorize: () => ALLOWED }
