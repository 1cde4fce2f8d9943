import type { KubeObject, Resource } from '../resource.ts'
import type { core } from '../types/index.ts'
import { claimEvaluator, deviceClaimEvaluator } from './claims.ts'
import { countName, type QuotaEvaluator, type Scope } from './evaluator.ts'
import { podEvaluator } from './pods.ts'
import { serviceEvaluator } from './services.ts'

export type { QuotaEvaluator } from './evaluator.ts'
export { isTerminating } from './pods.ts'

/** What is measured by more than its number, by group and resource. */
const EVALUATORS: Record<string, QuotaEvaluator<never>> = {
  pods: podEvaluator,
  services: serviceEvaluator,
  persistentvolumeclaims: claimEvaluator,
  'resourceclaims.resource.k8s.io': deviceClaimEvaluator,
}

/** Resources whose plain name counts them too, in a quota. */
const PLAIN = ['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets']

/** What objects of the resource use of a quota, built-in or custom. Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/ */
export function evaluatorOf({ group, resource }: Pick<Resource, 'group' | 'resource'>): QuotaEvaluator {
  const known = EVALUATORS[group ? `${resource}.${group}` : resource]
  if (known) return known as QuotaEvaluator
  const names = [countName({ group, resource })]
  if (!group && PLAIN.includes(resource)) names.push(resource)
  const usage = Object.fromEntries(names.map(name => [name, '1']))
  return { measures: name => names.includes(name), usage: () => usage }
}

/** Whether the object is in all scopes that the quota is for. */
export const inScopes = (evaluator: QuotaEvaluator, { spec }: core.ResourceQuota, object: KubeObject): boolean =>
  scopesOf(spec).every(scope => evaluator.inScope?.(object, scope) ?? false)

const scopesOf = ({ scopes = [], scopeSelector }: core.ResourceQuotaSpec): Scope[] => [
  ...scopes.map((scopeName): Scope => ({ scopeName, operator: 'Exists' })),
  ...(scopeSelector?.matchExpressions ?? []),
]
