import type { FieldError } from '../../api/index.ts'
import { canonicalJson } from './canonical.ts'
import { formats } from './formats.ts'
import { child, fieldSchema, isObject, itemKey, type JsonSchema } from './schema.ts'

/** A regular expression of Go, compiled. */
export interface Pattern {
  test(text: string): boolean
}

export type CompilePattern = (pattern: string) => Pattern

/**
 * Adds what is wrong with a value, which is never absent. Given the value that it replaces, whatever stayed as it was is
 * let through, wherever the two can be told to be the same part of the object.
 * Source: k8s.io/kube-openapi/pkg/validation/validate, k8s.io/apiextensions-apiserver/pkg/apiserver/validation
 */
export type Check = (value: unknown, path: string, problems: FieldError[], old?: unknown) => void

/** Compiles a schema's checks, in the order in which upstream makes them. */
export function checkOf(schema: JsonSchema, pattern: CompilePattern): Check {
  const ofType = typeCheck(schema)
  const ofEnum = enumCheck(schema)
  const checks = [
    ofType,
    ...combinedChecks(schema, pattern),
    ...stringChecks(schema, pattern),
    ...numberChecks(schema),
    ...listChecks(schema, pattern),
    ofEnum,
    ...objectChecks(schema, pattern),
  ].filter(check => check !== undefined)
  return (value, path, problems, old) => {
    if (old !== undefined && canonicalJson(value) === canonicalJson(old)) return
    if (value === null) {
      ofType?.(value, path, problems)
      ofEnum?.(value, path, problems)
      return
    }
    for (const check of checks) check(value, path, problems, old)
  }
}

const inBody = (path: string) => `${path} in body`
const quote = (text: string) => JSON.stringify(text)

const invalid = (field: string, value: unknown, detail: string): FieldError => ({
  type: 'Invalid',
  field,
  value,
  detail,
})

const wrongType = (path: string, wanted: string, got: string): FieldError => ({
  type: 'TypeInvalid',
  field: path,
  value: got,
  detail: `${inBody(path)} must be of type ${wanted}: ${quote(got)}`,
})

/** What upstream calls a value's type, and the format that Go's type of it has. */
function typeOf(value: unknown): [type: string, format: string] {
  if (value === null) return ['null', '']
  if (Array.isArray(value)) return ['array', '']
  if (typeof value === 'number') return isInt64(value) ? ['integer', 'int64'] : ['number', 'float64']
  return [typeof value, '']
}

/** Go reads as a fraction what its integers cannot hold. */
const isInt64 = (value: number) => Number.isInteger(value) && Math.abs(value) <= 2 ** 63

function typeCheck({ type, format, nullable, 'x-kubernetes-int-or-string': either }: JsonSchema): Check | undefined {
  const types = either ? ['integer', 'string'] : type ? [type] : []
  if (types.length === 0) return undefined
  return (value, path, problems) => {
    if (value === null && nullable) return
    const [got, gotFormat] = typeOf(value)
    const fits = types.includes(got) || (got === 'integer' && types.includes('number'))
    if (fits) return
    const scalar = got !== 'string' && got !== 'array' && got !== 'null'
    if (format && scalar) problems.push(wrongType(path, format, gotFormat))
    else problems.push(wrongType(path, types.join(), got))
  }
}

function enumCheck({ enum: allowed }: JsonSchema): Check | undefined {
  if (!allowed) return undefined
  const texts = new Set(allowed.map(canonicalJson))
  const shown = allowed.map(each => quote(typeof each === 'string' ? each : canonicalJson(each)))
  return (value, path, problems) => {
    if (texts.has(canonicalJson(value))) return
    const detail = `supported values: ${shown.join(', ')}`
    problems.push({ type: 'NotSupported', field: path, value, detail })
  }
}

/** Upstream gives what it says of combined schemas no field. */
const ofNoField = (detail: string): FieldError => invalid('<nil>', '', detail)

function combinedChecks({ allOf, anyOf, oneOf, not }: JsonSchema, pattern: CompilePattern): Check[] {
  const checks: Check[] = []
  const alternatives = (schemas: JsonSchema[]) =>
    schemas.map((schema): Alternative => ({ check: checkOf(schema, pattern), depth: value => depthOf(schema, value) }))
  if (anyOf) checks.push(anyCheck(alternatives(anyOf)))
  if (oneOf) checks.push(oneCheck(alternatives(oneOf)))
  if (allOf) checks.push(allCheck(allOf.map(each => checkOf(each, pattern))))
  if (not) checks.push(notCheck(checkOf(not, pattern)))
  return checks
}

interface Alternative {
  check: Check
  /** How much there is to look at. */
  depth(value: unknown): number
}

function problemsOf(check: Check, value: unknown, path: string): FieldError[] {
  const problems: FieldError[] = []
  check(value, path, problems)
  return problems
}

/** Of several ways to fail, the one that has looked at most tells the most: upstream counts what it looks at. */
function best(alternatives: Alternative[], attempts: FieldError[][], value: unknown): FieldError[] {
  let found = attempts[0]!
  let most = alternatives[0]!.depth(value)
  for (const [index, { depth }] of alternatives.entries()) {
    const looked = depth(value)
    if (looked <= most) continue
    found = attempts[index]!
    most = looked
  }
  return found
}

/** What every schema has upstream look at, and what one with a type has it look at besides. */
const LOOKS = 7
const LOOKS_AT_TYPE = 2

function depthOf(schema: JsonSchema, value: unknown): number {
  const own = LOOKS + (schema.type || schema.format ? LOOKS_AT_TYPE : 0)
  if (Array.isArray(value)) {
    const { items } = schema
    return items ? value.reduce((sum: number, item) => sum + depthOf(items, item), own) : own
  }
  if (!isObject(value)) return own
  return Object.keys(value).reduce((sum, key) => {
    const field = fieldSchema(schema, key)
    return field ? sum + depthOf(field, value[key]) : sum
  }, own)
}

const anyCheck =
  (alternatives: Alternative[]): Check =>
  (value, path, problems) => {
    const attempts: FieldError[][] = []
    for (const { check } of alternatives) {
      const found = problemsOf(check, value, path)
      if (found.length === 0) return
      attempts.push(found)
    }
    const detail = `${quote(path)} must validate at least one schema (anyOf)`
    problems.push(ofNoField(detail), ...best(alternatives, attempts, value))
  }

const oneCheck =
  (alternatives: Alternative[]): Check =>
  (value, path, problems) => {
    const attempts = alternatives.map(({ check }) => problemsOf(check, value, path))
    const valid = attempts.filter(({ length }) => length === 0).length
    if (valid === 1) return
    const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
    problems.push(ofNoField(`${quote(path)} must validate one and only one schema (oneOf). ${found}`))
    if (valid === 0) problems.push(...best(alternatives, attempts, value))
  }

const allCheck =
  (parts: Check[]): Check =>
  (value, path, problems) => {
    const attempts = parts.map(part => problemsOf(part, value, path))
    const failed = attempts.filter(({ length }) => length > 0)
    if (failed.length === 0) return
    problems.push(...failed.flat())
    const none = failed.length === parts.length ? '. None validated' : ''
    problems.push(ofNoField(`${quote(path)} must validate all the schemas (allOf)${none}`))
  }

const notCheck =
  (refused: Check): Check =>
  (value, path, problems) => {
    if (problemsOf(refused, value, path).length === 0)
      problems.push(ofNoField(`${quote(path)} must not validate the schema (not)`))
  }

/** Characters, as people count them. */
const lengthOf = (text: string) => {
  let length = 0
  for (const _ of text) length++
  return length
}

function stringChecks({ minLength, maxLength, pattern, format }: JsonSchema, compile: CompilePattern): Check[] {
  const rules: [fails: (text: string) => boolean, problem: (path: string, text: string) => FieldError][] = []
  if (maxLength !== undefined)
    rules.push([
      text => text.length > maxLength && lengthOf(text) > maxLength,
      (field, value) => ({ type: 'TooLong', field, value, detail: `may not be more than ${maxLength} bytes` }),
    ])
  if (minLength !== undefined)
    rules.push([
      text => lengthOf(text) < minLength,
      (path, text) => invalid(path, text, `${inBody(path)} should be at least ${minLength} chars long`),
    ])
  if (pattern) {
    const compiled = compile(pattern)
    rules.push([
      text => !compiled.test(text),
      (path, text) => invalid(path, text, `${inBody(path)} should match '${pattern}'`),
    ])
  }
  const hasForm = format === undefined || !Object.hasOwn(formats, format) ? undefined : formats[format]
  if (hasForm) rules.push([text => !hasForm(text), (path, text) => wrongType(path, format!, text)])
  return rules.map(
    ([fails, problem]): Check =>
      (value, path, problems) => {
        if (typeof value === 'string' && fails(value)) problems.push(problem(path, value))
      },
  )
}

const LARGEST_FLOAT = 3.4028234663852886e38

/** What a number has to be, by its type and format. */
function rangeCheck({ type, format }: JsonSchema): { fits(value: number): boolean; form: string } | undefined {
  if (type === 'integer') {
    const most = format === 'int32' ? 2 ** 31 - 1 : 2 ** 63
    const fits = (value: number) => isInt64(value) && value <= most && value >= -most - 1
    return { fits, form: format === 'int32' || format === 'int64' ? `with format ${format}` : '(default format)' }
  }
  if (type !== 'number' || format !== 'float') return undefined
  return { fits: value => Math.abs(value) <= LARGEST_FLOAT, form: 'with format float' }
}

function numberChecks(schema: JsonSchema): Check[] {
  const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  const rules: [fails: (value: number) => boolean, detail: (path: string) => string][] = []
  const range = rangeCheck(schema)
  if (maximum !== undefined)
    rules.push(
      exclusiveMaximum
        ? [value => value >= maximum, path => `${inBody(path)} should be less than ${maximum}`]
        : [value => value > maximum, path => `${inBody(path)} should be less than or equal to ${maximum}`],
    )
  if (minimum !== undefined)
    rules.push(
      exclusiveMinimum
        ? [value => value <= minimum, path => `${inBody(path)} should be greater than ${minimum}`]
        : [value => value < minimum, path => `${inBody(path)} should be greater than or equal to ${minimum}`],
    )
  return [
    ...(range ? [ofRange(type!, range)] : []),
    ...(multipleOf === undefined ? [] : [ofMultiple(multipleOf)]),
    ...rules.map(
      ([fails, detail]): Check =>
        (value, path, problems) => {
          if (typeof value === 'number' && fails(value)) problems.push(invalid(path, value, detail(path)))
        },
    ),
  ]
}

const ofRange =
  (type: string, { fits, form }: NonNullable<ReturnType<typeof rangeCheck>>): Check =>
  (value, path, problems) => {
    if (typeof value === 'number' && !fits(value))
      problems.push(ofNoField(`Checked value must be of type ${type} ${form} in ${path}`))
  }

const ofMultiple =
  (factor: number): Check =>
  (value, path, problems) => {
    if (typeof value !== 'number') return
    // Upstream cuts a factor off for a whole number.
    const whole = Number.isInteger(value) ? Math.trunc(factor) : factor
    if (whole <= 0)
      problems.push(invalid(path, whole, `factor MultipleOf declared for ${path} must be positive: ${whole}`))
    else if (!isMultiple(value, whole))
      problems.push(invalid(path, value, `${inBody(path)} should be a multiple of ${factor}`))
  }

/** Of fractions, as far as floating point can tell. */
const isMultiple = (value: number, of: number) => Number.isInteger(of < 1 ? (1 / of) * value : value / of)

const tooMany = (field: string, value: number, most: number): FieldError => ({
  type: 'TooMany',
  field,
  value,
  detail: `must have at most ${most} ${most === 1 ? 'item' : 'items'}`,
})

function listChecks(schema: JsonSchema, pattern: CompilePattern): Check[] {
  const { items, minItems, maxItems, 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys } = schema
  const ofItem = items && checkOf(items, pattern)
  if (!ofItem && minItems === undefined && maxItems === undefined) return []
  const correlate = listType === 'map' && keys ? byKeys(keys) : () => () => undefined
  return [
    (value, path, problems, old) => {
      if (!Array.isArray(value)) return
      if (ofItem) {
        const oldOf = Array.isArray(old) ? correlate(old) : () => undefined
        for (const [index, item] of value.entries()) ofItem(item, `${path}[${index}]`, problems, oldOf(item))
      }
      if (minItems !== undefined && value.length < minItems)
        problems.push(invalid(path, value.length, `${inBody(path)} should have at least ${minItems} items`))
      if (maxItems !== undefined && value.length > maxItems) problems.push(tooMany(path, value.length, maxItems))
    },
  ]
}

/** Finds the item of an old list that has the same keys. */
export function byKeys(keys: string[]): (old: unknown[]) => (item: unknown) => unknown {
  const textOf = (item: unknown) => canonicalJson(itemKey(item, keys))
  return old => {
    const byText = new Map(old.map(item => [textOf(item), item]))
    return item => byText.get(textOf(item))
  }
}

function objectChecks(schema: JsonSchema, pattern: CompilePattern): Check[] {
  const { properties = {}, additionalProperties, required = [], minProperties, maxProperties } = schema
  const fields = new Map(Object.entries(properties).map(([name, field]) => [name, checkOf(field, pattern)]))
  const ofOthers = typeof additionalProperties === 'object' ? checkOf(additionalProperties, pattern) : undefined
  const counts = minProperties !== undefined || maxProperties !== undefined
  const closed = additionalProperties === false
  if (fields.size === 0 && !ofOthers && required.length === 0 && !counts && !closed) return []
  return [
    (value, path, problems, old) => {
      if (!isObject(value)) return
      const before = isObject(old) ? old : undefined
      const count = counts ? Object.keys(value).length : 0
      if (minProperties !== undefined && count < minProperties)
        problems.push(invalid(path, count, `${inBody(path)} should have at least ${minProperties} properties`))
      if (maxProperties !== undefined && count > maxProperties) problems.push(tooMany(path, count, maxProperties))
      for (const key in value) {
        const check = fields.get(key) ?? ofOthers
        if (check) check(value[key], child(path, key), problems, own(before, key))
        else if (closed) problems.push(invalid(path, key, `${inBody(child(path, key))} is a forbidden property`))
      }
      for (const name of required)
        if (!Object.hasOwn(value, name)) problems.push({ type: 'Required', field: child(path, name), detail: '' })
    },
  ]
}

const own = (object: Record<string, unknown> | undefined, key: string): unknown =>
  object && Object.hasOwn(object, key) ? object[key] : undefined
