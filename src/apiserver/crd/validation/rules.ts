import type { FieldError } from '../../../api/index.ts'
import type { JsonSchema, ValidationRule } from '../../../encoding/index.ts'
import { type Checked, checked } from '../../cel/checker/check.ts'
import { estimateCost } from '../../cel/checker/cost.ts'
import { type Declared, declared, LARGEST_REQUEST } from '../../cel/checker/declared.ts'
import { foldingProblem } from '../../cel/checker/fold.ts'
import { ENDLESS } from '../../cel/checker/ranges.ts'
import { BOOL, STRING, type Type, typeName } from '../../cel/checker/types.ts'
import { CompileError } from '../../cel/index.ts'
import { at, forbidden, invalid, notSupported, required } from '../../registry/validation/field.ts'
import { fieldAt } from './field-path.ts'
import { internalRule } from './internal.ts'

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

/** What one rule may cost at most, and all of a schema. Source: k8s.io/apiextensions-apiserver/.../validation.go StaticEstimatedCostLimit */
const RULE_LIMIT = 10_000_000
const SCHEMA_LIMIT = 100_000_000
/** How many of the rules that make a schema too expensive are named, and from which share on. */
const MOST_NAMED = 4
const NAMED_FROM = SCHEMA_LIMIT / 100

/** Where in a schema rules are. */
export interface RulePlace {
  /** How many values there can be of the schema; undefined when nothing bounds it. */
  cardinality: number | undefined
  total: { cost: number; rules: { path: string; cost: number }[] }
}

export const rootRules = (): RulePlace => ({ cardinality: 1, total: { cost: 0, rules: [] } })

export function rulesBelow(schema: JsonSchema, { cardinality, total }: RulePlace): RulePlace {
  const most = mostWithin(schema)
  return { total, cardinality: cardinality === undefined || most === undefined ? undefined : times(cardinality, most) }
}

/** How many values of its own a value of a schema may hold of each kind. */
function mostWithin({ type, additionalProperties, maxProperties, maxItems }: JsonSchema): number | undefined {
  if (type === 'array') return maxItems === undefined ? undefined : Math.max(maxItems, 0)
  if (type !== 'object' || additionalProperties === undefined) return 1
  return maxProperties === undefined ? undefined : Math.max(maxProperties, 0)
}

const times = (one: number, other: number) => Math.min(one * other, ENDLESS)

const hasBreak = (text: string) => /[\n\r]/.test(text)

/** What is wrong with rules before anybody reads their expressions. */
export function ruleFormProblems(schema: JsonSchema, path: string): FieldError[] {
  return (schema['x-kubernetes-validations'] ?? []).flatMap((rule, index) =>
    formProblems(schema, rule, at(`${path}.x-kubernetes-validations`, index)),
  )
}

function formProblems(schema: JsonSchema, rule: ValidationRule, path: string): FieldError[] {
  const { message, messageExpression, reason, fieldPath } = rule
  const text = rule.rule?.trim() ?? ''
  const said = message?.trim() ?? ''
  const problems: FieldError[] = []
  if (!text) problems.push(required(`${path}.rule`, 'rule is not specified'))
  else if (message && !said) problems.push(invalid(`${path}.message`, message, 'must be non-empty if specified'))
  else if (hasBreak(said)) problems.push(invalid(`${path}.message`, message, 'must not contain line breaks'))
  else if (hasBreak(text) && !said)
    problems.push(required(`${path}.message`, 'message must be specified if rule contains line breaks'))
  if (messageExpression && !messageExpression.trim())
    problems.push(required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'))
  if (reason !== undefined && !REASONS.includes(reason)) problems.push(notSupported(`${path}.reason`, reason, REASONS))
  if (!fieldPath) return problems
  const field = `${path}.fieldPath`
  if (!fieldPath.trim()) problems.push(invalid(field, fieldPath, 'must be non-empty if specified'))
  if (hasBreak(fieldPath)) problems.push(invalid(field, fieldPath, 'must not contain line breaks'))
  if ('problem' in fieldAt(schema, fieldPath, true)) problems.push(invalid(field, fieldPath, 'must be a valid path'))
  return problems
}

/**
 * What is wrong with the expressions of a schema's rules. `fixed`: where the first list or object is whose items cannot
 * be told to be those of before.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go
 */
export function ruleProblems(
  schema: JsonSchema,
  path: string,
  root: boolean,
  place: RulePlace,
  fixed: string | undefined,
): FieldError[] {
  const rules = schema['x-kubernetes-validations'] ?? []
  if (!rules.length) return []
  const field = `${path}.x-kubernetes-validations`
  const self = declared(schema, root || schema['x-kubernetes-embedded-resource'] === true)
  if (!self) {
    const detail =
      'internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations'
    return [{ type: 'Internal', field, detail }]
  }
  return rules.flatMap((rule, index) => oneRule(rule, self, at(field, index), place, fixed))
}

function oneRule(
  rule: ValidationRule,
  self: Declared,
  path: string,
  place: RulePlace,
  fixed: string | undefined,
): FieldError[] {
  const oldSelf: Type = rule.optionalOldSelf ? { is: 'optional', of: self.type } : self.type
  const variables = { self: self.type, oldSelf }
  const read = readExpression(rule.rule, variables, BOOL)
  const problems: FieldError[] = []
  if ('problem' in read) problems.push(invalid(`${path}.rule`, internalRule(rule), read.problem))
  else {
    problems.push(...costProblems(read, self, place, `${path}.rule`, 'estimated rule cost'))
    if (rule.messageExpression)
      problems.push(...messageProblems(rule, rule.messageExpression, variables, self, place, path))
  }
  if ('problem' in read || !read.names.has('oldSelf')) {
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

function messageProblems(
  rule: ValidationRule,
  text: string,
  variables: Record<string, Type>,
  self: Declared,
  place: RulePlace,
  path: string,
): FieldError[] {
  const field = `${path}.messageExpression`
  const read = readExpression(text, variables, STRING)
  if ('problem' in read) return [invalid(field, internalRule(rule), `messageExpression ${read.problem}`)]
  // A message is made once, however many values there are.
  return costProblems(read, self, { ...place, cardinality: 1 }, field, 'estimated messageExpression cost')
}

const WANTED: Record<string, string> = { bool: 'cel expression must evaluate to a bool' }

/** The expression, found good; or why it cannot be used. */
function readExpression(text: string, variables: Record<string, Type>, wanted: Type): Checked | { problem: string } {
  try {
    const found = checked(text, variables)
    const name = typeName(wanted)
    if (typeName(found.type) !== name) return { problem: WANTED[name] ?? `must evaluate to a ${name}` }
    const fault = foldingProblem(found.root)
    return fault ? { problem: `${name === 'bool' ? 'program ' : ''}instantiation failed: ${fault}` } : found
  } catch (error) {
    if (error instanceof CompileError) return { problem: `compilation failed: ${error.message}` }
    throw error
  }
}

function costProblems(
  read: Checked,
  self: Declared,
  { cardinality, total }: RulePlace,
  path: string,
  what: string,
): FieldError[] {
  const each = estimateCost(read, steps => sizeAt(self, steps)).max
  const cost = times(each, cardinality ?? Math.floor(LARGEST_REQUEST / (self.least + 1)))
  total.cost = Math.min(total.cost + cost, ENDLESS)
  if (cost >= NAMED_FROM)
    total.rules = [...total.rules, { path, cost }].sort((a, b) => b.cost - a.cost).slice(0, MOST_NAMED)
  return cost > RULE_LIMIT ? [forbidden(path, exceeds(what, cost, RULE_LIMIT))] : []
}

/** How large the value may be that a path leads to. */
function sizeAt(self: Declared, [, ...steps]: string[]): number | undefined {
  let found: Declared | undefined = self
  for (const step of steps) {
    if (step === '@items' || step === '@values') found = found.of
    else found = step === '@keys' ? found.key : found.fields?.get(step)
    if (!found) return undefined
  }
  return found.most
}

/** When all rules of a schema together may cost too much. */
export function totalProblems({ total }: RulePlace, path: string): FieldError[] {
  if (total.cost <= SCHEMA_LIMIT) return []
  const detail = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'
  const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema'
  return [
    ...total.rules.map(rule => forbidden(rule.path, detail)),
    forbidden(path, exceeds(what, total.cost, SCHEMA_LIMIT)),
  ]
}

function exceeds(what: string, cost: number, limit: number): string {
  const factor = cost / limit
  const shown = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
  return `${what} exceeds budget by factor of ${shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
}
