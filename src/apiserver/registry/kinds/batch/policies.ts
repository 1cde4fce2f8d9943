import { type batch, type FieldError, names, OMITTED } from '../../../../api/index.ts'
import {
  at,
  complaints,
  duplicate,
  each,
  invalid,
  nonNegative,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../validation/field.ts'

/** When a job has failed or succeeded before its counts say so. Source: k8s.io/kubernetes/pkg/apis/batch/validation */

const MOST_FAILURE_RULES = 20
const MOST_CONDITIONS = 20
const MOST_EXIT_CODES = 255
const MOST_SUCCESS_RULES = 20
const LONGEST_INDEXES = 64 * 1024
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const OPERATORS = ['In', 'NotIn']
const STATUSES = ['False', 'True', 'Unknown']

/** Required when empty; what is valid is written as Go prints a list. */
function choice(value: string | undefined, field: string, valid: string[]): FieldError[] {
  if (!value) return [required(field, `valid values: [${valid.map(each => JSON.stringify(each)).join(' ')}]`)]
  return valid.includes(value) ? [] : [notSupported(field, value, valid)]
}

export function validateFailurePolicy(
  { podFailurePolicy: policy, ...spec }: batch.JobSpec,
  path: string,
): FieldError[] {
  if (!policy) return []
  const { containers, initContainers = [] } = spec.template.spec
  const containerNames = new Set([...containers, ...initContainers].map(({ name }) => name))
  const list = `${path}.rules`
  const { rules = [] } = policy
  return [
    ...(rules.length > MOST_FAILURE_RULES ? [tooMany(list, rules.length, MOST_FAILURE_RULES)] : []),
    ...each(rules, list, ({ action, onExitCodes, onPodConditions: conditions }, field) => {
      const problems = choice(action, `${field}.action`, ACTIONS)
      if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
        problems.push(invalid(`${field}.action`, action, 'requires the backoffLimitPerIndex to be set'))
      }
      if (onExitCodes) problems.push(...validateExitCodes(onExitCodes, `${field}.onExitCodes`, containerNames))
      problems.push(...validateConditions(conditions, `${field}.onPodConditions`))
      if (!!onExitCodes === !!conditions?.length) {
        const detail = onExitCodes
          ? 'specifying both OnExitCodes and OnPodConditions is not supported'
          : 'specifying one of OnExitCodes and OnPodConditions is required'
        problems.push(invalid(field, OMITTED, detail))
      }
      return problems
    }),
  ]
}

const validateConditions = (
  conditions: batch.PodFailurePolicyOnPodConditionsPattern[] = [],
  path: string,
): FieldError[] => [
  ...(conditions.length > MOST_CONDITIONS ? [tooMany(path, conditions.length, MOST_CONDITIONS)] : []),
  ...each(conditions, path, ({ type, status }, field) => [
    ...complaints(`${field}.type`, type, names.qualifiedNameProblems(type)),
    ...choice(status, `${field}.status`, STATUSES),
  ]),
]

function validateExitCodes(
  { operator, containerName, values }: batch.PodFailurePolicyOnExitCodesRequirement,
  path: string,
  containerNames: Set<string>,
): FieldError[] {
  const problems = choice(operator, `${path}.operator`, OPERATORS)
  if (containerName !== undefined && !containerNames.has(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template'
    problems.push(invalid(`${path}.containerName`, containerName, detail))
  }
  const field = `${path}.values`
  if (!values?.length) return [...problems, invalid(field, null, 'at least one value is required')]
  if (values.length > MOST_EXIT_CODES) problems.push(tooMany(field, values.length, MOST_EXIT_CODES))
  for (const [index, value] of values.entries()) {
    if (operator === 'In' && value === 0) {
      problems.push(invalid(at(field, index), value, 'must not be 0 for the In operator'))
    }
    if (values.indexOf(value) < index) problems.push(duplicate(at(field, index), value))
  }
  const ordered = values.every((value, index) => index === 0 || values[index - 1]! <= value)
  return ordered ? problems : [...problems, invalid(field, values, 'must be ordered')]
}

export function validateSuccessPolicy(spec: batch.JobSpec, path: string): FieldError[] {
  const { successPolicy: policy, completionMode, completions = 0 } = spec
  if (!policy) return []
  if (completionMode !== 'Indexed') {
    const rules = policy.rules?.map(rule => ({
      SucceededIndexes: rule.succeededIndexes ?? null,
      SucceededCount: rule.succeededCount ?? null,
    }))
    return [invalid(path, { Rules: rules ?? null }, 'requires indexed completion mode')]
  }
  const { rules = [] } = policy
  const field = `${path}.rules`
  const none = 'at least one rules must be specified when the successPolicy is specified'
  return [
    ...(rules.length === 0 ? [required(field, none)] : []),
    ...(rules.length > MOST_SUCCESS_RULES ? [tooMany(field, rules.length, MOST_SUCCESS_RULES)] : []),
    ...each(rules, field, (rule, at) => validateSuccessRule(rule, completions, at)),
  ]
}

function validateSuccessRule(rule: batch.SuccessPolicyRule, completions: number, path: string): FieldError[] {
  const { succeededCount: count, succeededIndexes: indexes } = rule
  const problems: FieldError[] = []
  if (count === undefined && indexes === undefined) {
    problems.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'))
  }
  let total = 0
  if (indexes !== undefined) {
    const field = `${path}.succeededIndexes`
    if (indexes.length > LONGEST_INDEXES) problems.push(tooLong(field, '', LONGEST_INDEXES))
    const parsed = countIndexes(indexes, completions)
    if (typeof parsed === 'number') total = parsed
    else problems.push(invalid(field, indexes, `error parsing succeededIndexes: ${parsed}`))
  }
  if (count === undefined) return problems
  const field = `${path}.succeededCount`
  problems.push(...nonNegative(field, count))
  const most = (limit: number, what: string) =>
    count > limit ? [invalid(field, count, `must be less than or equal to ${limit} (the number of ${what})`)] : []
  problems.push(...most(completions, 'specified completions'))
  return indexes === undefined
    ? problems
    : [...problems, ...most(total, 'indexes in the specified succeededIndexes field')]
}

/** How many indexes `0,2-4` names, or what is wrong with it. */
function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0
  let total = 0
  let last = -1
  for (const interval of text.split(',')) {
    const limits = interval.split('-')
    if (limits.length > 2)
      return `the fragment ${JSON.stringify(interval)} violates the requirement that an index interval can have at most two parts separated by '-'`
    const numbers: number[] = []
    for (const limit of limits) {
      if (!/^[+-]?\d+$/.test(limit)) {
        return `cannot convert string to integer for index: ${JSON.stringify(limit)}`
      }
      const index = Number(limit)
      if (index >= completions) return `too large index: ${JSON.stringify(limit)}`
      numbers.push(index)
    }
    const [first = 0, end = first] = numbers
    if (last >= 0 && first <= last) return `non-increasing order, previous: ${last}, current: ${first}`
    if (limits.length === 2 && end <= first) return `non-increasing order, previous: ${first}, current: ${end}`
    total += end - first + 1
    last = end
  }
  return total
}
