import {
  type core,
  evaluatorOf,
  inScopes,
  isTerminating,
  type KubeObject,
  type ResourceList,
  resourceList,
} from '../../../api/index.ts'
import { type Attributes, forbidden } from '../admission.ts'

/** What one request takes of quotas. Source: k8s.io/apiserver/pkg/admission/plugin/resourcequota controller.go */

/** A quota as it is stored, and what is used of it with all that was let through since. */
export interface Account {
  quota: core.ResourceQuota
  used: ResourceList
}

type Pod = core.Pod | undefined

/** Whether such a request can change what is used at all. */
export function mayCharge({ resource: { group, resource }, operation, subresource, object, old }: Attributes): boolean {
  const writes = operation === 'CREATE' || operation === 'UPDATE'
  switch (group ? `${resource}.${group}` : resource) {
    case 'pods':
      if (operation === 'UPDATE')
        return subresource === 'resize' || (!subresource && differsInScope(object as Pod, old as Pod))
      return operation === 'CREATE' && !subresource
    case 'services':
    case 'resourceclaims.resource.k8s.io':
      return writes && !subresource
    case 'persistentvolumeclaims':
      return writes && (!subresource || subresource === 'status')
    case 'events':
    case 'events.events.k8s.io':
    case 'bindings':
    case 'localsubjectaccessreviews.authorization.k8s.io':
      return false
    default:
      return operation === 'CREATE' && !subresource
  }
}

const differsInScope = (pod: Pod, old: Pod): boolean => !!pod && !!old && isTerminating(pod) !== isTerminating(old)

/**
 * What is used of each quota once the request is done: the very list of before where it takes nothing. Throws the refusal
 * when it takes more than there is, or when that cannot be said.
 */
export function charge(accounts: Account[], attributes: Attributes, now: number): ResourceList[] {
  const { resource, object, old, subresource } = attributes
  const evaluator = evaluatorOf(resource)
  const measured = ({ status }: core.ResourceQuota) => Object.keys(status.hard ?? {}).filter(evaluator.measures)
  const isFor = (quota: core.ResourceQuota, one: KubeObject) =>
    measured(quota).length > 0 && inScopes(evaluator, quota, one)

  const concerned = accounts.filter(({ quota }) => isFor(quota, object!))
  for (const { quota, used } of concerned) {
    const names = measured(quota).sort()
    const lacking = evaluator.lacks?.(object!, names)
    if (lacking) throw forbidden(attributes, `failed quota: ${quota.metadata.name}: ${lacking}`)
    if (names.some(name => used[name] === undefined))
      throw forbidden(attributes, `status unknown for quota: ${quota.metadata.name}, resources: ${names.join(',')}`)
  }
  if (!concerned.length) return accounts.map(({ used }) => used)

  const usage = evaluator.usage(object!, now)
  const growth = old && resourceList.growth(usage, evaluator.usage(old, now))
  return accounts.map(account => {
    const { quota, used } = account
    if (!concerned.includes(account)) return used
    const hard = quota.status.hard ?? {}
    // What has come into the quota's scopes only now counts as a whole.
    const added = growth && isFor(quota, old) ? growth : usage
    const requested = resourceList.withoutZeros(resourceList.pick(added, Object.keys(hard)))
    const names = Object.keys(requested)
    if (!names.length) return used
    const total = resourceList.add(used, requested)
    const exceeded = resourceList.exceeding(resourceList.pick(total, names), hard)
    if (exceeded.length && subresource !== 'status') {
      const of = (list: ResourceList) => shown(list, exceeded)
      throw forbidden(
        attributes,
        `exceeded quota: ${quota.metadata.name}, requested: ${of(requested)}, used: ${of(used)}, limited: ${of(hard)}`,
      )
    }
    return total
  })
}

/** `cpu=2,memory=1Gi` */
const shown = (list: ResourceList, names: string[]): string =>
  names
    .toSorted()
    .map(name => `${name}=${list[name]}`)
    .join()
