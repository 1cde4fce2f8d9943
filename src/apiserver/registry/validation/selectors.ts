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

function validateRequirement({ key, operator, values }: meta.LabelSelectorRequirement, path: string): FieldError[] {
  const problems: FieldError[] = []
  if (operator === 'In' || operator === 'NotIn') {
    if (!values?.length)
      problems.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values?.length) {
      problems.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    }
  } else problems.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'))
  problems.push(...complaints(`${path}.key`, key, names.qualifiedNameProblems(key)))
  return [
    ...problems,
    ...each(values, `${path}.values`, (value, field) => complaints(field, value, names.labelValueProblems(value))),
  ]
}

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

const NODE_OPERATORS = ['DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn']

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
  const problems: FieldError[] = []
  if (operator === 'In' || operator === 'NotIn') {
    if (!values?.length)
      problems.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values?.length) {
      problems.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    }
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values?.length !== 1) {
      problems.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
    }
  } else if (!NODE_OPERATORS.includes(operator)) {
    problems.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'))
  }
  return [...problems, ...complaints(`${path}.key`, key, names.qualifiedNameProblems(key))]
}

function validateNodeField({ key, operator, values }: core.NodeSelectorRequirement, path: string): FieldError[] {
  const problems: FieldError[] = []
  if (operator === 'In' || operator === 'NotIn') {
    if (values?.length !== 1) {
      problems.push(
        required(`${path}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
      )
    }
  } else problems.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'))
  return key === 'metadata.name'
    ? problems
    : [...problems, invalid(`${path}.key`, key, 'not a valid field selector key')]
}
