import { type core, type FieldError, names } from '../../../api/index.ts'
import { complaints, duplicate, each, invalid, notSupported, oneOf, required } from './field.ts'
import { validateLabelSelector, validateNodeSelector, validateNodeSelectorTerm } from './selectors.ts'

/** Where a pod may run: affinity, tolerations, spreading. */

const EFFECTS = ['NoExecute', 'NoSchedule', 'PreferNoSchedule']

export const validateTolerations = (tolerations: core.Toleration[] | undefined, path: string): FieldError[] =>
  each(tolerations, path, validateToleration)

function validateToleration(toleration: core.Toleration, path: string): FieldError[] {
  const { key, operator = '', value = '', effect, tolerationSeconds } = toleration
  const problems = key ? complaints(`${path}.key`, key, names.qualifiedNameProblems(key)) : []
  if (!key && operator !== 'Exists') {
    problems.push(
      invalid(
        `${path}.operator`,
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    )
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    problems.push(invalid(`${path}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"))
  }
  if (operator === '' || operator === 'Equal') {
    const bad = names.labelValueProblems(value)
    if (bad.length) problems.push(invalid(`${path}.operator`, value, bad.join(';')))
  } else if (operator === 'Exists') {
    if (value) problems.push(invalid(`${path}.operator`, toleration, "value must be empty when `operator` is 'Exists'"))
  } else problems.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']))
  return effect && !EFFECTS.includes(effect) ? [...problems, notSupported(`${path}.effect`, effect, EFFECTS)] : problems
}

export function validateTaints(taints: core.Taint[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>()
  return each(taints, path, (taint, at) => {
    const { key, value = '', effect } = taint
    const problems = [
      ...(key ? complaints(`${at}.key`, key, names.qualifiedNameProblems(key)) : [required(`${at}.key`)]),
      ...complaints(`${at}.value`, value, names.labelValueProblems(value)),
      ...(effect ? [] : [required(`${at}.effect`)]),
      ...(effect && !EFFECTS.includes(effect) ? [notSupported(`${at}.effect`, effect, EFFECTS)] : []),
    ]
    const identity = `${key}:${effect}`
    if (seen.has(identity))
      problems.push({ ...duplicate(at, taint), detail: 'taints must be unique by key and effect pair' })
    seen.add(identity)
    return problems
  })
}

export function validateAffinity(affinity: core.Affinity | undefined, path: string): FieldError[] {
  if (!affinity) return []
  return [
    ...validateNodeAffinity(affinity.nodeAffinity, `${path}.nodeAffinity`),
    ...validatePodAffinity(affinity.podAffinity, `${path}.podAffinity`),
    ...validatePodAffinity(affinity.podAntiAffinity, `${path}.podAntiAffinity`),
  ]
}

const validateWeight = (weight: number, path: string) =>
  weight < 1 || weight > 100 ? [invalid(`${path}.weight`, weight, 'must be in the range 1-100')] : []

function validateNodeAffinity(affinity: core.NodeAffinity | undefined, path: string): FieldError[] {
  if (!affinity) return []
  const required = affinity.requiredDuringSchedulingIgnoredDuringExecution
  return [
    ...(required ? validateNodeSelector(required, `${path}.requiredDuringSchedulingIgnoredDuringExecution`) : []),
    ...each(
      affinity.preferredDuringSchedulingIgnoredDuringExecution,
      `${path}.preferredDuringSchedulingIgnoredDuringExecution`,
      ({ weight, preference }, at) => [
        ...validateWeight(weight, at),
        ...validateNodeSelectorTerm(preference, `${at}.preference`),
      ],
    ),
  ]
}

function validatePodAffinity(affinity: core.PodAffinity | undefined, path: string): FieldError[] {
  if (!affinity) return []
  return [
    ...each(
      affinity.requiredDuringSchedulingIgnoredDuringExecution,
      `${path}.requiredDuringSchedulingIgnoredDuringExecution`,
      validateAffinityTerm,
    ),
    ...each(
      affinity.preferredDuringSchedulingIgnoredDuringExecution,
      `${path}.preferredDuringSchedulingIgnoredDuringExecution`,
      ({ weight, podAffinityTerm }, at) => [
        ...validateWeight(weight, at),
        ...validateAffinityTerm(podAffinityTerm, `${at}.podAffinityTerm`),
      ],
    ),
  ]
}

function validateAffinityTerm(term: core.PodAffinityTerm, path: string): FieldError[] {
  const { topologyKey } = term
  return [
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
    ...(term.namespaces ?? []).flatMap(namespace =>
      complaints(`${path}.namespace`, namespace, names.dns1123LabelProblems(namespace)),
    ),
    ...(topologyKey
      ? complaints(`${path}.topologyKey`, topologyKey, names.qualifiedNameProblems(topologyKey))
      : [
          required(`${path}.topologyKey`, 'can not be empty'),
          ...complaints(`${path}.topologyKey`, '', names.qualifiedNameProblems('')),
        ]),
  ]
}

const WHEN_UNSATISFIABLE = ['DoNotSchedule', 'ScheduleAnyway']

export function validateTopologySpread(
  constraints: core.TopologySpreadConstraint[] | undefined,
  path: string,
): FieldError[] {
  const seen = new Set<string>()
  return each(constraints, path, (constraint, at) => {
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint
    const problems: FieldError[] = []
    if (maxSkew <= 0) problems.push(invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero'))
    if (!topologyKey) problems.push(required(`${at}.topologyKey`, 'can not be empty'))
    problems.push(...oneOf(`${at}.whenUnsatisfiable`, whenUnsatisfiable, WHEN_UNSATISFIABLE))
    if (minDomains !== undefined)
      problems.push(...validateMinDomains(minDomains, whenUnsatisfiable, `${at}.minDomains`))
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`
    if (seen.has(pair)) problems.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair))
    seen.add(pair)
    return [...problems, ...validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`)]
  })
}

function validateMinDomains(minDomains: number, when: string, field: string): FieldError[] {
  if (minDomains <= 0) return [invalid(field, minDomains, 'must be greater than zero')]
  return when === 'DoNotSchedule'
    ? []
    : [invalid(field, minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${when}`)]
}
