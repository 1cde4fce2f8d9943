import { type FieldError, OMITTED } from '../../../api/index.ts'
import {
  byKeys,
  canonicalJson,
  child,
  isObject,
  type JsonSchema,
  type ValidationRule,
} from '../../../encoding/index.ts'
import {
  type Budget,
  CelError,
  compile,
  createBudget,
  mentions,
  type Program,
  toCel,
  type Value,
} from '../../cel/index.ts'
import { Optional } from '../../cel/values.ts'
import { fieldAt } from '../validation/field-path.ts'

/** What all rules of one object may cost together. Source: k8s.io/apiserver/pkg/apis/cel RuntimeCELCostBudget */
const BUDGET = 10_000_000
const MOST_MESSAGE_BYTES = 5 * 1024

const SPENT = 'validation failed due to running out of cost budget, no further validation rules will be run'
/** Of what is left, when nothing more is to be evaluated and that has been said. */
const STOPPED = Number.NEGATIVE_INFINITY

interface Rule {
  rule: ValidationRule
  program: Program
  message?: Program
  usesOld: boolean
  /** Where the complaint goes, from the value on. */
  fieldPath: string
}

/** The rules of one schema and of those below it that have any. */
interface Level {
  schema: JsonSchema
  rules: Rule[]
  items?: Level
  fields: Map<string, Level>
  others?: Level
}

/** What the rules of a schema say of an object, or of a value that lies at a path. */
export type Rules = (value: unknown, old: unknown, path?: string) => FieldError[]

/**
 * Compiles the rules of a schema; undefined when it has none. They have been found good when the definition was written.
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
 */
export function rulesOf(schema: JsonSchema): Rules | undefined {
  const root = levelOf(schema)
  if (!root) return undefined
  return (value, old, path = '') => {
    const run = new Run()
    run.visit(root, value, old, path)
    return run.problems
  }
}

export const VARIABLES = ['self', 'oldSelf']

function levelOf(schema: JsonSchema): Level | undefined {
  const { items, properties = {}, additionalProperties, 'x-kubernetes-validations': given = [] } = schema
  const level: Level = { schema, rules: given.map(rule => compileRule(schema, rule)), fields: new Map() }
  const below = items && levelOf(items)
  if (below) level.items = below
  for (const [name, field] of Object.entries(properties)) {
    const found = levelOf(field)
    if (found) level.fields.set(name, found)
  }
  const others = typeof additionalProperties === 'object' ? levelOf(additionalProperties) : undefined
  if (others) level.others = others
  return level.rules.length || level.items || level.fields.size || level.others ? level : undefined
}

function compileRule(schema: JsonSchema, rule: ValidationRule): Rule {
  const found = rule.fieldPath ? fieldAt(schema, rule.fieldPath.trim(), true) : undefined
  return {
    rule,
    program: compile(rule.rule, { variables: VARIABLES }),
    ...(rule.messageExpression ? { message: compile(rule.messageExpression, { variables: VARIABLES }) } : {}),
    usesOld: mentions(rule.rule, 'oldSelf'),
    fieldPath: found && 'path' in found ? found.path : '',
  }
}

/** One evaluation of all rules on one object. */
class Run {
  readonly problems: FieldError[] = []
  #left = BUDGET

  visit(level: Level, value: unknown, old: unknown, path: string): void {
    if (value === null || value === undefined || this.#left < 0) return
    if (level.rules.length) this.#evaluate(level, value, old ?? undefined, path)
    if (Array.isArray(value)) this.#visitItems(level, value, old, path)
    else if (isObject(value)) this.#visitFields(level, value, old, path)
  }

  #visitItems({ items, schema }: Level, value: unknown[], old: unknown, path: string): void {
    if (!items) return
    const { 'x-kubernetes-list-type': type, 'x-kubernetes-list-map-keys': keys } = schema
    const oldOf = type === 'map' && keys && Array.isArray(old) ? byKeys(keys)(old) : () => undefined
    for (const [index, item] of value.entries()) this.visit(items, item, oldOf(item), `${path}[${index}]`)
  }

  #visitFields({ fields, others, schema }: Level, value: Record<string, unknown>, old: unknown, path: string): void {
    const before = schema['x-kubernetes-map-type'] !== 'atomic' && isObject(old) ? old : undefined
    for (const key in value) {
      const level = fields.get(key) ?? (Object.hasOwn(schema.properties ?? {}, key) ? undefined : others)
      if (level) this.visit(level, value[key], before?.[key], fields.has(key) ? child(path, key) : `${path}[${key}]`)
    }
  }

  #evaluate({ schema, rules }: Level, value: unknown, old: unknown, path: string): void {
    const self = toCel(value, schema)
    const before = old === undefined ? undefined : toCel(old, schema)
    const unchanged = old !== undefined && canonicalJson(value) === canonicalJson(old)
    for (const each of rules) {
      if (this.#left < 0) return
      const { rule, usesOld, fieldPath } = each
      // A rule about a change has nothing to say where there is nothing to change from.
      if (usesOld && before === undefined && !rule.optionalOldSelf) continue
      const oldSelf = rule.optionalOldSelf ? new Optional(before) : (before ?? null)
      const variables = { self, oldSelf }
      const verdict = this.#run(each.program, variables, error => complaint(error, rule))
      if (this.#isSpent()) this.#report(path, schema.type ?? '', SPENT)
      else if (typeof verdict === 'string') this.#report(path, schema.type ?? '', verdict)
      else if (verdict !== true && (usesOld || !unchanged)) {
        const place = fieldPath ? (path ? `${path}.${fieldPath}` : fieldPath) : path
        this.#report(place, typeof value === 'object' ? OMITTED : value, this.#messageOf(each, variables), rule.reason)
      }
    }
  }

  /** What a program gives, or what is to be said when it fails; its cost is taken from what is left for all. */
  #run(program: Program, variables: Record<string, Value>, failed: (error: CelError) => string): Value {
    const budget: Budget = createBudget()
    const whole = budget.left
    try {
      const value = program.evaluate(variables, budget)
      return value === true || value === false ? value : failed(new CelError('no such overload'))
    } catch (error) {
      if (error instanceof CelError) return failed(error)
      throw error
    } finally {
      // What a single rule may cost is told of by itself.
      this.#left = budget.left < 0 ? STOPPED : Math.max(this.#left - (whole - budget.left), -1)
    }
  }

  /** All rules together have cost too much. */
  #isSpent = (): boolean => this.#left < 0 && this.#left !== STOPPED

  #messageOf({ rule, message }: Rule, variables: Record<string, Value>): string {
    const fixed = rule.message ? rule.message.trim() : `failed rule: ${rule.rule.trim()}`
    if (!message) return fixed
    const budget = createBudget()
    const whole = budget.left
    try {
      const text = message.evaluate(variables, budget)
      this.#left -= whole - budget.left
      const trimmed = typeof text === 'string' ? text.trim() : ''
      const usable = trimmed !== '' && !trimmed.includes('\n') && Buffer.byteLength(trimmed) <= MOST_MESSAGE_BYTES
      return usable ? trimmed : fixed
    } catch (error) {
      if (error instanceof CelError) return fixed
      throw error
    }
  }

  #report(path: string, value: unknown, detail: string, reason = 'FieldValueInvalid'): void {
    const type = reason.slice('FieldValue'.length) as FieldError['type']
    this.problems.push({ type, field: path || '<nil>', value, detail: type === 'Duplicate' ? '' : detail })
  }
}

const shown = ({ rule, message }: ValidationRule) => (message ?? rule).trim()

function complaint({ message }: CelError, rule: ValidationRule): string {
  if (message.startsWith('no such overload'))
    return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${shown(rule)}`
  if (message.startsWith('operation cancelled'))
    return `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: ${shown(rule)}`
  return `${message} evaluating rule: ${shown(rule)}`
}
