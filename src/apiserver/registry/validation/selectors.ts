import { type core, type FieldError, type meta, names } from '../../../api/index.ts'
import { complaints, each, forbidden, invalid, required, tooLong } from './field.ts'

/** Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation ValidateLabelSelector */
export function validateLabelSelector(selector: meta.LabelSelector | undefined, path: string): FieldError[] {
  if (!selector) return []
  return [
    ...validateLabels(selector.matchLabels, `${path}.matchLabels`),
    ...each(selector.matchExpressions, `${path}.matchExpressions`, validateRequirement),
  ]
}

const validateRequirement = ({ key, operator, values }: meta.LabelSelectorRequirement, path: string): FieldError[] => [
  ...(validateSetOperator(operator, values, path) ?? [unknownOperator(operator, path)]),
  ...complaints(`${path}.key`, key, names.qualifiedNameProblems(key)),
  ...each(values, `${path}.values`, (value, field) => complaints(field, value, names.labelValueProblems(value))),
]

/** What label and node selectors have in common; undefined for any other operator. */
function validateSetOperator(operator: string, values: string[] = [], path: string): FieldError[] | undefined {
  const field = `${path}.values`
  if (operator === 'In' || operator === 'NotIn')
    return values.length ? [] : [required(field, "must be specified when `operator` is 'In' or 'NotIn'")]
  if (operator === 'Exists' || operator === 'DoesNotExist')
    return values.length ? [forbidden(field, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")] : []
  return undefined
}

const unknownOperator = (operator: string, path: string): FieldError =>
  invalid(`${path}.operator`, operator, 'not a valid selector operator')

/** Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation ValidateLabels */
export const validateLabels = (labels: Record<string, string> | undefined, path: string): FieldError[] =>
  Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...complaints(path, key, names.qualifiedNameProblems(key)),
    ...complaints(path, value, names.labelValueProblems(value)),
  ])

export const isEmptySelector = (selector: meta.LabelSelector | undefined): boolean =>
  !selector?.matchExpressions?.length && Object.keys(selector?.matchLabels ?? {}).length === 0

const LARGEST_ANNOTATIONS = 256 * 1024

/** Source: k8s.io/apimachinery/pkg/api/validation ValidateAnnotations */
export function validateAnnotations(annotations: Record<string, string> = {}, path: string): FieldError[] {
  const entries = Object.entries(annotations)
  const problems = entries.flatMap(([key]) => complaints(path, key, names.qualifiedNameProblems(key.toLowerCase())))
  const size = entries.reduce((total, [key, value]) => total + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  return size > LARGEST_ANNOTATIONS ? [...problems, tooLong(path, '', LARGEST_ANNOTATIONS)] : problems
}

export function validateNodeSelector(selector: core.NodeSelector, path: string): FieldError[] {
  const field = `${path}.nodeSelectorTerms`
  if (!selector.nodeSelectorTerms?.length) return [required(field, 'must have at least one node selector term')]
  return each(selector.nodeSelectorTerms, field, validateNodeSelectorTerm)
}

export const validateNodeSelectorTerm = (term: core.NodeSelectorTerm, path: string): FieldError[] => [
  ...each(term.matchExpressions, `${path}.matchExpressions`, validateNodeRequirement),
  ...each(term.matchFields, `${path}.matchFields`, validateNodeField),
]

function validateNodeRequirement({ key, operator, values }: core.NodeSelectorRequirement, path: string): FieldError[] {
  const bound = operator === 'Gt' || operator === 'Lt'
  const problems = bound ? validateBound(values, path) : validateSetOperator(operator, values, path)
  return [
    ...(problems ?? [unknownOperator(operator, path)]),
    ...complaints(`${path}.key`, key, names.qualifiedNameProblems(key)),
  ]
}

const validateBound = (values: string[] = [], path: string): FieldError[] =>
  values.length === 1
    ? []
    : [required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'")]

function validateNodeField({ key, operator, values }: core.NodeSelectorRequirement, path: string): FieldError[] {
  const problems: FieldError[] = []
  if (operator === 'In' || operator === 'NotIn') {
    if (values?.length !== 1) {
      problems.push(
        required(`${path}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
      )
    }
  } else problems.push(unknownOperator(operator, path))
  return key === 'metadata.name'
    ? problems
    : [...problems, invalid(`${path}.key`, key, 'not a valid field selector key')]
}
