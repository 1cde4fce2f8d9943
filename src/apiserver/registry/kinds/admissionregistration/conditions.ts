import { type admissionregistration, type FieldError, names } from '../../../../api/index.ts'
import { type ExpressionScope, expressionProblem } from '../../../admission/scope.ts'
import { loadCel } from '../../../cel/index.ts'
import { complaints, duplicate, each, invalid, required, tooMany } from '../../validation/field.ts'

const MAX_CONDITIONS = 64

/** Source: k8s.io/kubernetes/pkg/apis/admissionregistration/validation validateMatchConditions */
export function validateConditions(
  conditions: admissionregistration.MatchCondition[] | undefined,
  path: string,
  scope: ExpressionScope,
): FieldError[] {
  const count = conditions?.length ?? 0
  const seen = new Set<string>()
  return [
    ...(count > MAX_CONDITIONS ? [tooMany(path, count, MAX_CONDITIONS)] : []),
    ...each(conditions, path, ({ name, expression }, field) => {
      const repeated = name && seen.has(name) ? [duplicate(`${field}.name`, name)] : []
      seen.add(name)
      return [
        ...validateExpression(expression?.trim(), `${field}.expression`, scope, ['bool']),
        ...(name ? complaints(`${field}.name`, name, names.qualifiedNameProblems(name)) : [required(`${field}.name`)]),
        ...repeated,
      ]
    }),
  ]
}

/** `wanted`: what it may evaluate to; none: anything. */
export function validateExpression(
  expression: string | undefined,
  field: string,
  scope: ExpressionScope,
  wanted: string[],
  missing = '',
): FieldError[] {
  if (!expression?.trim()) return [required(field, missing)]
  const problem = expressionProblem(expression, scope, wanted)
  return problem ? [invalid(field, expression, problem)] : []
}

/** What validation needs to have loaded, since it is asked for an answer at once. */
export const beforeValidation = { prepareCreate: () => loadCel(), prepareUpdate: () => loadCel() }
