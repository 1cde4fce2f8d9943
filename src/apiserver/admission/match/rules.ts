import type { admissionregistration, Resource } from '../../../api/index.ts'
import type { Attributes } from '../admission.ts'

/** Which requests a webhook or a policy is for. Source: k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules */

type Rule = admissionregistration.RuleWithOperations

/** The versions of a resource of which one is asked for when any is; the first is the one stored. */
export type Equivalents = (stored: Resource) => Resource[]

export function ruleMatches(
  rule: Rule,
  resource: Resource,
  subresource: string,
  operation: Attributes['operation'],
): boolean {
  return (
    includes(rule.operations, operation) &&
    includes(rule.apiGroups, resource.group) &&
    includes(rule.apiVersions, resource.version) &&
    inScope(rule.scope, resource) &&
    (rule.resources ?? []).some(pattern => resourceMatches(pattern, resource.resource, subresource))
  )
}

const includes = (list: string[] | undefined, wanted: string): boolean =>
  !!list && (list.includes('*') || list.includes(wanted))

const inScope = (scope: string | undefined, { namespaced }: Resource): boolean =>
  !scope || scope === '*' || namespaced === (scope === 'Namespaced')

/** `pods`, `pods/log`, `pods/*`, `*` (no subresource), `*` + `/scale`, `*` + `/*` */
function resourceMatches(pattern: string, resource: string, subresource: string): boolean {
  const [wanted, sub = ''] = pattern.split('/', 2)
  return (wanted === '*' || wanted === resource) && (sub === '*' || sub === subresource)
}

/**
 * The version of the resource that the rules ask for: the one of the request, else under `Equivalent` any other that they
 * name. Undefined when the rules are not about it.
 */
export function matchedVersion(
  rules: Rule[] | undefined,
  matchPolicy: string | undefined,
  {
    requested,
    resource,
    subresource,
    operation,
  }: Pick<Attributes, 'requested' | 'resource' | 'subresource' | 'operation'>,
  equivalents: Equivalents,
): Resource | undefined {
  const asks = (rule: Rule, one: Resource) => ruleMatches(rule, one, subresource, operation)
  if (rules?.some(rule => asks(rule, requested))) return requested
  if (matchPolicy === 'Exact') return undefined
  for (const rule of rules ?? []) {
    const found = equivalents(resource).find(one => asks(rule, one))
    if (found) return found
  }
  return undefined
}

const CONFIGURATIONS = new Set([
  'validatingwebhookconfigurations',
  'mutatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
])

/** What decides about admission is never decided about by it, or nobody could repair it. */
export const isExempt = ({ group, resource }: Resource): boolean =>
  group === 'admissionregistration.k8s.io' && CONFIGURATIONS.has(resource)
