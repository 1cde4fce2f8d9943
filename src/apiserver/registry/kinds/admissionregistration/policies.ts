import { type admissionregistration, type FieldError, names } from '../../../../api/index.ts'
import type { ExpressionScope } from '../../../admission/scope.ts'
import type { Strategy } from '../../strategy.ts'
import { validateMetaConditions } from '../../validation/conditions.ts'
import { complaints, duplicate, each, invalid, oneOf, required, same } from '../../validation/field.ts'
import { beforeValidation, validateConditions, validateExpression } from './conditions.ts'
import {
  defaultMatch,
  FAILURE_POLICIES,
  REINVOCATION_POLICIES,
  supported,
  validateMatch,
  validateMutable,
} from './rules.ts'

/** Source: k8s.io/kubernetes/pkg/apis/admissionregistration/v1/defaults.go, pkg/apis/admissionregistration/validation */

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const MOST_ANNOTATIONS = 20
const LONGEST_VALUE_EXPRESSION = 5 * 1024
const UNSPECIFIED = 'expression is not specified'

type PolicySpec = Pick<
  admissionregistration.ValidatingAdmissionPolicySpec,
  'failurePolicy' | 'matchConditions' | 'matchConstraints' | 'variables' | 'paramKind'
>

export const validatingPolicyStrategy: Strategy<admissionregistration.ValidatingAdmissionPolicy> = {
  ...beforeValidation,
  allowUnconditionalUpdate: false,
  defaults({ spec }) {
    spec.failurePolicy ??= 'Fail'
    defaultMatch(spec.matchConstraints)
  },
  validate({ metadata, spec }, old) {
    const { validations, auditAnnotations: annotations } = spec
    const scope = scopeOf(spec)
    const problems = validatePolicy(spec, old?.spec)
    if (!validations?.length && !annotations?.length) {
      const detail = 'validations or auditAnnotations must contain at least one item'
      return [...problems, required('spec.validations', detail), required('spec.auditAnnotations', detail)]
    }
    const keys = annotations?.map(({ key }) => key) ?? []
    return [
      ...problems,
      ...each(validations, 'spec.validations', (validation, path) => validateValidation(validation, path, scope)),
      ...(keys.length > MOST_ANNOTATIONS
        ? [
            invalid(
              'spec.auditAnnotations',
              annotations!.map(({ key = '', valueExpression = '' }) => ({
                Key: key,
                ValueExpression: valueExpression,
              })),
              `must not have more than ${MOST_ANNOTATIONS} auditAnnotations`,
            ),
          ]
        : []),
      ...each(annotations, 'spec.auditAnnotations', (annotation, path, index) => [
        ...validateAnnotation(annotation, path, metadata.name, scope),
        ...(keys.indexOf(annotation.key) < index ? [duplicate(`${path}.key`, annotation.key)] : []),
      ]),
    ]
  },
  validateStatusUpdate: ({ status }) => [
    ...each(
      status.typeChecking?.expressionWarnings,
      'status.typeChecking.expressionWarnings',
      ({ fieldRef, warning }, path) => [
        ...(warning ? [] : [required(`${path}.warning`)]),
        ...(fieldRef?.trim() ? [] : [required(`${path}.fieldRef`)]),
      ],
    ),
    ...validateMetaConditions(status.conditions, 'status.conditions'),
  ],
}

function validateValidation(
  validation: admissionregistration.Validation,
  path: string,
  scope: ExpressionScope,
): FieldError[] {
  const { expression, messageExpression = '', message = '', reason } = validation
  const problems = validateExpression(expression, `${path}.expression`, scope, ['bool'], UNSPECIFIED)
  const empty = (field: string, text: string) =>
    text && !text.trim() && problems.push(invalid(field, text, 'must be non-empty if specified'))
  if (!empty(`${path}.messageExpression`, messageExpression) && messageExpression)
    problems.push(
      ...validateExpression(messageExpression, `${path}.messageExpression`, { ...scope, authorizer: false }, [
        'string',
      ]),
    )
  if (!empty(`${path}.message`, message) && /[\n\r]/.test(message.trim()))
    problems.push(invalid(`${path}.message`, message, 'must not contain line breaks'))
  return [...problems, ...supported(`${path}.reason`, reason, REASONS)]
}

function validateAnnotation(
  { key = '', valueExpression = '' }: admissionregistration.AuditAnnotation,
  path: string,
  name: string | undefined,
  scope: ExpressionScope,
): FieldError[] {
  const field = `${path}.valueExpression`
  const full = `${name}/${key}`
  const problems = name
    ? complaints(`${path}.key`, full, names.qualifiedNameProblems(full))
    : [invalid(`${path}.key`, key, 'requires metadata.name be non-empty')]
  if (Buffer.byteLength(valueExpression.trim()) > LONGEST_VALUE_EXPRESSION)
    return [...problems, required(field, `must not exceed ${LONGEST_VALUE_EXPRESSION} bytes in length`)]
  return [
    ...problems,
    ...validateExpression(
      valueExpression.trim(),
      field,
      scope,
      ['string', 'null_type'],
      'valueExpression is not specified',
    ).map(problem => (problem.type === 'Invalid' ? { ...problem, value: valueExpression } : problem)),
  ]
}

export const mutatingPolicyStrategy: Strategy<admissionregistration.MutatingAdmissionPolicy> = {
  ...beforeValidation,
  allowUnconditionalUpdate: false,
  defaults({ spec }) {
    spec.failurePolicy ??= 'Fail'
    defaultMatch(spec.matchConstraints)
  },
  validate({ spec }, old) {
    const scope = { variables: [], ...scopeOf(spec), patches: true }
    return [
      ...validatePolicy(spec, old?.spec, true),
      ...(spec.mutations?.length
        ? each(spec.mutations, 'spec.mutations', (mutation, path) => validateMutation(mutation, path, scope))
        : [required('spec.mutations', 'mutations must contain at least one item')]),
      ...oneOf('spec.reinvocationPolicy', spec.reinvocationPolicy, REINVOCATION_POLICIES),
    ]
  },
}

const RESULTS = { applyConfiguration: 'Object', jsonPatch: 'list(JSONPatch)' }
const PATCHES = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const

function validateMutation(
  mutation: admissionregistration.Mutation,
  path: string,
  scope: ExpressionScope,
): FieldError[] {
  const { patchType } = mutation
  if (!patchType || !Object.hasOwn(PATCHES, patchType))
    return oneOf(`${path}.patchType`, patchType, Object.keys(PATCHES))
  const field = PATCHES[patchType as keyof typeof PATCHES]
  const other = field === 'jsonPatch' ? 'applyConfiguration' : 'jsonPatch'
  const patch = mutation[field]
  return [
    ...(patch
      ? validateExpression(patch.expression?.trim(), `${path}.${field}.expression`, scope, [RESULTS[field]])
      : [required(`${path}.${field}`, `must be specified when patchType is ${patchType}`)]),
    ...(mutation[other]
      ? [invalid(`${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${patchType}`)]
      : []),
  ]
}

/** What a policy's expressions may name. */
const scopeOf = ({ paramKind, variables }: PolicySpec): ExpressionScope => ({
  of: 'policy',
  params: paramKind !== undefined,
  ...(variables ? { variables } : {}),
})

/** What both kinds of policies have in common. */
function validatePolicy(spec: PolicySpec, old: PolicySpec | undefined, mutating = false): FieldError[] {
  const { paramKind, matchConstraints, matchConditions, variables } = spec
  const { variables: _, ...scope } = scopeOf(spec)
  const unchanged = old && same(paramKind, old.paramKind) && same(matchConditions, old.matchConditions)
  const rules = 'spec.matchConstraints.resourceRules'
  return [
    ...supported('spec.failurePolicy', spec.failurePolicy, FAILURE_POLICIES),
    ...(paramKind ? validateParamKind(paramKind) : []),
    ...(matchConstraints
      ? [
          ...validateMatch(matchConstraints, 'spec.matchConstraints'),
          ...(matchConstraints.resourceRules?.length ? [] : [required(rules)]),
          ...(mutating ? validateMutable(matchConstraints, 'spec.matchConstraints') : []),
        ]
      : [required('spec.matchConstraints')]),
    ...(unchanged ? [] : validateConditions(matchConditions, 'spec.matchConditions', scope)),
    ...each(variables, 'spec.variables', ({ name, expression }, path, index) => [
      ...validateVariableName(name, `${path}.name`),
      ...validateExpression(
        expression,
        `${path}.expression`,
        { ...scope, variables: variables!.slice(0, index) },
        [],
        UNSPECIFIED,
      ),
    ]),
  ]
}

const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

function validateVariableName(name: string | undefined, field: string): FieldError[] {
  if (!name?.trim()) return [required(field, 'name is not specified')]
  return /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !RESERVED.has(name)
    ? []
    : [invalid(field, name, 'must be a valid CEL identifier')]
}

function validateParamKind({ apiVersion = '', kind }: admissionregistration.ParamKind): FieldError[] {
  const path = 'spec.paramKind.kind'
  if (!kind) return [...validateVersion(apiVersion), required(path)]
  const problems = names.dns1035LabelProblems(kind.toLowerCase())
  return [
    ...validateVersion(apiVersion),
    ...(problems.length
      ? [invalid(path, kind, `may have mixed case, but should otherwise match: ${problems.join(',')}`)]
      : []),
  ]
}

function validateVersion(apiVersion: string): FieldError[] {
  const field = 'spec.paramKind.apiVersion'
  if (!apiVersion) return [required(field)]
  const parts = apiVersion === '/' ? ['', ''] : apiVersion.split('/')
  if (parts.length > 2) return [invalid(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
  const version = parts.at(-1)!
  const group = parts.length === 2 ? parts[0]! : ''
  const joined = (value: string, problems: string[]) =>
    problems.length ? [invalid(field, value, problems.join(','))] : []
  return [
    ...(group ? joined(group, names.dns1123SubdomainProblems(group)) : []),
    ...(version
      ? joined(version, names.dns1035LabelProblems(version))
      : [invalid(field, apiVersion, 'version must be specified')]),
  ]
}
