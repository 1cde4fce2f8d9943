import type { FieldError } from '../../../api/index.ts'
import type { JsonSchema, ValidationRule } from '../../../encoding/index.ts'
import { CompileError, compile } from '../../cel/index.ts'
import { at, invalid, notSupported, required } from '../../registry/validation/field.ts'
import { check, mentions } from '../rules/check.ts'
import { VARIABLES } from '../rules/rules.ts'
import { DYN, declaredType, isDyn, type Type, typeName } from '../rules/types.ts'
import { fieldAt } from './field-path.ts'

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

/**
 * What is wrong with the rules of a schema, which is structural. `fixed`: where the first list or object is whose items
 * cannot be told to be those of before.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go
 */
export function ruleProblems(schema: JsonSchema, path: string, root = true, fixed?: string): FieldError[] {
  const { items, properties = {}, additionalProperties, 'x-kubernetes-validations': rules = [] } = schema
  const type = rules.length ? declaredType(schema, root) : DYN
  const problems = rules.flatMap((rule, index) =>
    oneRule(schema, rule, type, at(`${path}.x-kubernetes-validations`, index), fixed),
  )
  if (items) {
    const correlated = schema['x-kubernetes-list-type'] === 'map'
    problems.push(...ruleProblems(items, `${path}.items`, false, fixed ?? (correlated ? undefined : path)))
  }
  const within = fixed ?? (schema['x-kubernetes-map-type'] === 'atomic' ? path : undefined)
  for (const [name, field] of Object.entries(properties))
    problems.push(...ruleProblems(field, at(`${path}.properties`, name), false, within))
  if (typeof additionalProperties === 'object')
    problems.push(...ruleProblems(additionalProperties, `${path}.additionalProperties`, false, within))
  return problems
}

function oneRule(schema: JsonSchema, rule: ValidationRule, self: Type, path: string, fixed?: string): FieldError[] {
  const problems = formProblems(schema, rule, path)
  if (problems.length) return problems
  const oldSelf: Type = rule.optionalOldSelf ? { is: 'optional', of: self } : self
  const wrong = expressionProblem(rule.rule, { self, oldSelf }, 'bool')
  if (wrong) problems.push(invalid(`${path}.rule`, rule, wrong))
  if (rule.messageExpression) {
    const wrongMessage = expressionProblem(rule.messageExpression, { self, oldSelf }, 'string')
    if (wrongMessage) problems.push(invalid(`${path}.messageExpression`, rule, `messageExpression ${wrongMessage}`))
  }
  if (wrong) return problems
  if (!mentions(rule.rule, 'oldSelf')) {
    if (rule.optionalOldSelf !== undefined)
      problems.push(
        invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'),
      )
  } else if (fixed !== undefined) {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${fixed}`
    problems.push(invalid(`${path}.rule`, rule.rule, detail))
  }
  return problems
}

const hasBreak = (text: string) => /[\n\r]/.test(text)

function formProblems(schema: JsonSchema, rule: ValidationRule, path: string): FieldError[] {
  const { message, messageExpression, reason, fieldPath } = rule
  const text = rule.rule?.trim() ?? ''
  const problems: FieldError[] = []
  if (!text) problems.push(required(`${path}.rule`, 'rule is not specified'))
  else if (message && !message.trim())
    problems.push(invalid(`${path}.message`, message, 'message must be non-empty if specified'))
  else if (message && hasBreak(message.trim()))
    problems.push(invalid(`${path}.message`, message, 'message must not contain line breaks'))
  else if (hasBreak(text) && !message?.trim())
    problems.push(required(`${path}.message`, 'message must be specified if rule contains line breaks'))
  if (messageExpression && !messageExpression.trim())
    problems.push(required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'))
  if (reason !== undefined && !REASONS.includes(reason)) problems.push(notSupported(`${path}.reason`, reason, REASONS))
  if (!fieldPath) return problems
  if (!fieldPath.trim())
    problems.push(invalid(`${path}.fieldPath`, fieldPath, 'fieldPath must be non-empty if specified'))
  if (hasBreak(fieldPath))
    problems.push(invalid(`${path}.fieldPath`, fieldPath, 'fieldPath must not contain line breaks'))
  if ('problem' in fieldAt(schema, fieldPath, true))
    problems.push(invalid(`${path}.fieldPath`, fieldPath, 'fieldPath must be a valid path'))
  return problems
}

/** Why an expression cannot be used; undefined when it can. */
function expressionProblem(text: string, variables: Record<string, Type>, wanted: string): string | undefined {
  try {
    compile(text, { variables: VARIABLES })
    const type = check(text, variables)
    if (isDyn(type) || typeName(type) === wanted) return undefined
    return wanted === 'bool' ? 'cel expression must evaluate to a bool' : `must evaluate to a ${wanted}`
  } catch (error) {
    if (error instanceof CompileError) return `compilation failed: ${error.message}`
    throw error
  }
}
