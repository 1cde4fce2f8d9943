import { type core, type FieldError, type meta, names } from '../../../api/index.ts'
import { complaints, duplicate, each, forbidden, invalid, notSupported, oneOf, required } from './field.ts'
import { validateLabelSelector, validateNodeSelector, validateNodeSelectorTerm } from './selectors.ts'

/** Where a pod may run: affinity, tolerations, spreading. */

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

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
    if (value) problems.push(invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"))
  } else problems.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']))
  return effect && !EFFECTS.includes(effect) ? [...problems, notSupported(`${path}.effect`, effect, EFFECTS)] : problems
}

/** As upstream's own struct names its fields. */
const shownTaint = ({ key, value = '', effect, timeAdded }: core.Taint) => ({
  Key: key,
  Value: value,
  Effect: effect,
  TimeAdded: timeAdded ?? null,
})

export function validateTaints(taints: core.Taint[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>()
  return each(taints, path, (taint, at) => {
    const { key, value = '', effect } = taint
    const ofValue = names.labelValueProblems(value)
    const problems = [
      ...complaints(`${at}.key`, key, names.qualifiedNameProblems(key)),
      ...(ofValue.length ? [invalid(`${at}.value`, value, ofValue.join(';'))] : []),
      ...oneOf(`${at}.effect`, effect, EFFECTS),
    ]
    const identity = `${key}:${effect}`
    if (seen.has(identity))
      problems.push({ ...duplicate(at, shownTaint(taint)), detail: 'taints must be unique by key and effect pair' })
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
    ...validateLabelKeys(term, path),
    ...(topologyKey ? [] : [required(`${path}.topologyKey`, 'can not be empty')]),
    ...complaints(`${path}.topologyKey`, topologyKey, names.qualifiedNameProblems(topologyKey)),
  ]
}

interface KeyedSelector {
  labelSelector?: meta.LabelSelector
  matchLabelKeys?: string[]
  mismatchLabelKeys?: string[]
}

/** Labels of the pod itself, whose values join the selector. Source: KEP-3633 */
function validateLabelKeys({ labelSelector, ...keys }: KeyedSelector, path: string): FieldError[] {
  const { matchLabelKeys: match, mismatchLabelKeys: mismatch } = keys
  const problems = (['matchLabelKeys', 'mismatchLabelKeys'] as const).flatMap(field => {
    if (!keys[field]?.length) return []
    if (!labelSelector) return [forbidden(`${path}.${field}`, 'must not be specified when labelSelector is not set')]
    return each(keys[field], `${path}.${field}`, (key, at) => complaints(at, key, names.qualifiedNameProblems(key)))
  })
  const selected = new Set(Object.keys(labelSelector?.matchLabels ?? {}))
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const index = match?.lastIndexOf(key) ?? -1
    if (index >= 0 && selected.has(key)) {
      problems.push(invalid(`${path}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'))
    }
    selected.add(key)
  }
  const both = each(match, `${path}.matchLabelKeys`, (key, at) =>
    mismatch?.includes(key) ? [invalid(at, key, 'exists in both matchLabelKeys and mismatchLabelKeys')] : [],
  )
  return [...problems, ...both]
}

const WHEN_UNSATISFIABLE = ['DoNotSchedule', 'ScheduleAnyway']
const INCLUSION_POLICIES = ['Honor', 'Ignore']

const validateAboveZero = (field: string, value: number): FieldError[] =>
  value > 0 ? [] : [invalid(field, value, 'must be greater than zero')]

export const validateTopologySpread = (
  constraints: core.TopologySpreadConstraint[] | undefined,
  path: string,
): FieldError[] =>
  each(constraints, path, (constraint, at, index) => {
    const { maxSkew, topologyKey, whenUnsatisfiable: when, minDomains } = constraint
    const problems = validateAboveZero(`${at}.maxSkew`, maxSkew)
    if (!topologyKey) problems.push(required(`${at}.topologyKey`, 'can not be empty'))
    if (!WHEN_UNSATISFIABLE.includes(when)) {
      problems.push(notSupported(`${at}.whenUnsatisfiable`, when, WHEN_UNSATISFIABLE))
    }
    const later = constraints!.slice(index + 1)
    if (later.some(other => other.topologyKey === topologyKey && other.whenUnsatisfiable === when)) {
      problems.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${when}}`))
    }
    if (minDomains !== undefined) problems.push(...validateMinDomains(minDomains, when, `${at}.minDomains`))
    for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      const policy = constraint[field]
      if (policy !== undefined && !INCLUSION_POLICIES.includes(policy)) {
        problems.push(notSupported(`${at}.${field}`, policy, INCLUSION_POLICIES))
      }
    }
    return [
      ...problems,
      ...validateLabelKeys(constraint, at),
      ...validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`),
    ]
  })

function validateMinDomains(minDomains: number, when: string, field: string): FieldError[] {
  const problems = validateAboveZero(field, minDomains)
  return when === 'DoNotSchedule'
    ? problems
    : [
        ...problems,
        invalid(field, minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${when}`),
      ]
}
