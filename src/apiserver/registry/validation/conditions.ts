import { type FieldError, type meta, names } from '../../../api/index.ts'
import { complaints, duplicate, each, invalid, notSupported, required, tooLong } from './field.ts'

const STATUSES = ['False', 'True', 'Unknown']
const LONGEST_REASON = 1024
const LONGEST_MESSAGE = 32 * 1024
const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?'
const BAD_REASON = `a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '${REASON}')`

/** Of type meta/v1.Condition. Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation ValidateConditions */
export const validateMetaConditions = (conditions: meta.Condition[] | undefined, path: string): FieldError[] =>
  each(conditions, path, (condition, field, index) => [
    ...(conditions!.findIndex(({ type }) => type === condition.type) < index
      ? [duplicate(`${field}.type`, condition.type)]
      : []),
    ...validateCondition(condition, field),
  ])

function validateCondition(condition: meta.Condition, path: string): FieldError[] {
  const { type = '', status = '', observedGeneration = 0, lastTransitionTime, reason, message = '' } = condition
  const problems = complaints(`${path}.type`, type, names.qualifiedNameProblems(type))
  if (!STATUSES.includes(status)) problems.push(notSupported(`${path}.status`, status, STATUSES))
  if (observedGeneration < 0)
    problems.push(invalid(`${path}.observedGeneration`, observedGeneration, 'must be greater than or equal to zero'))
  if (!lastTransitionTime) problems.push(required(`${path}.lastTransitionTime`))
  if (!reason) problems.push(required(`${path}.reason`))
  else if (!new RegExp(`^${REASON}$`).test(reason)) problems.push(invalid(`${path}.reason`, reason, BAD_REASON))
  if (Buffer.byteLength(reason ?? '') > LONGEST_REASON) problems.push(tooLong(`${path}.reason`, '', LONGEST_REASON))
  if (Buffer.byteLength(message) > LONGEST_MESSAGE) problems.push(tooLong(`${path}.message`, '', LONGEST_MESSAGE))
  return problems
}
