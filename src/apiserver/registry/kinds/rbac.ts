import { type FieldError, type KubeObject, names, type rbac } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { each, invalid, notSupported, required, same } from '../validation/field.ts'
import { validateLabelSelector } from '../validation/selectors.ts'

/** Source: k8s.io/kubernetes/pkg/apis/rbac/v1/defaults.go, pkg/apis/rbac/validation */

const GROUP = 'rbac.authorization.k8s.io'

const role = <T extends rbac.Role | rbac.ClusterRole>(namespaced: boolean): Strategy<T> => ({
  validate: object => [
    ...each(object.rules, 'rules', (rule, path) => validateRule(rule, namespaced, path)),
    ...('aggregationRule' in object ? validateAggregation(object.aggregationRule) : []),
  ],
  nameProblems: names.pathSegmentProblems,
  allowCreateOnUpdate: true,
})

export const roleStrategy = role<rbac.Role>(true)
export const clusterRoleStrategy = role<rbac.ClusterRole>(false)

function validateRule(rule: rbac.PolicyRule, namespaced: boolean, path: string): FieldError[] {
  const problems = rule.verbs?.length ? [] : [required(`${path}.verbs`, 'verbs must contain at least one value')]
  const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
  const field = `${path}.nonResourceURLs`
  if (nonResourceURLs.length) {
    if (namespaced) problems.push(invalid(field, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
    if (apiGroups.length || resources.length || resourceNames.length) {
      problems.push(
        invalid(field, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'),
      )
    }
    return problems
  }
  if (apiGroups.length === 0)
    problems.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'))
  if (resources.length === 0)
    problems.push(required(`${path}.resources`, 'resource rules must supply at least one resource'))
  return problems
}

function validateAggregation(rule: rbac.AggregationRule | undefined): FieldError[] {
  if (!rule) return []
  const path = 'aggregationRule.clusterRoleSelectors'
  return rule.clusterRoleSelectors?.length
    ? each(rule.clusterRoleSelectors, path, (selector, field) => {
        const problems = validateLabelSelector(selector, field)
        return problems.length ? [...problems, invalid(field, null, 'invalid label selector.')] : []
      })
    : [required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil')]
}

type Binding = KubeObject & Pick<rbac.RoleBinding, 'roleRef' | 'subjects'>

const binding = (kinds: string[], namespaced: boolean): Strategy<Binding> => ({
  defaults({ roleRef, subjects }) {
    roleRef.apiGroup ||= GROUP
    for (const subject of subjects ?? []) {
      if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= GROUP
    }
  },
  validate: ({ roleRef, subjects }) => [
    ...(roleRef.apiGroup === GROUP ? [] : [notSupported('roleRef.apiGroup', roleRef.apiGroup, [GROUP])]),
    ...(kinds.includes(roleRef.kind) ? [] : [notSupported('roleRef.kind', roleRef.kind, kinds)]),
    ...(roleRef.name
      ? names.pathSegmentProblems(roleRef.name).map(detail => invalid('roleRef.name', roleRef.name, detail))
      : [required('roleRef.name')]),
    ...each(subjects, 'subjects', (subject, path) => validateSubject(subject, namespaced, path)),
  ],
  validateUpdate: ({ roleRef }, { roleRef: old }) =>
    same(roleRef, old) ? [] : [invalid('roleRef', shown(roleRef), 'cannot change roleRef')],
  nameProblems: names.pathSegmentProblems,
  allowCreateOnUpdate: true,
})

export const roleBindingStrategy = binding(['Role', 'ClusterRole'], true)
export const clusterRoleBindingStrategy = binding(['ClusterRole'], false)

/** Messages show it as upstream holds it, where fields have no JSON names. */
const shown = ({ apiGroup, kind, name }: rbac.RoleRef) => ({ APIGroup: apiGroup, Kind: kind, Name: name })

function validateSubject(subject: rbac.Subject, namespaced: boolean, path: string): FieldError[] {
  const { kind, name, apiGroup = '', namespace } = subject
  const problems = name ? [] : [required(`${path}.name`)]
  if (kind === 'ServiceAccount') {
    if (name)
      problems.push(...names.dns1123SubdomainProblems(name).map(detail => invalid(`${path}.name`, name, detail)))
    if (apiGroup) problems.push(notSupported(`${path}.apiGroup`, apiGroup, ['']))
    if (!namespace && !namespaced) problems.push(required(`${path}.namespace`))
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== GROUP) problems.push(notSupported(`${path}.apiGroup`, apiGroup, [GROUP]))
  } else problems.push(notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']))
  return problems
}
