import type { FieldError } from '../../api/index.ts'
import { canonicalJson } from './canonical.ts'
import { formats } from './formats.ts'
import { child, isObject, itemKey, type JsonSchema } from './schema.ts'

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
  if (typeof value === 'number') return Number.isInteger(value) ? ['integer', 'int64'] : ['number', 'double']
  return [typeof value, '']
}

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
    problems.push({ type: 'NotSupported', field: path, value: value ?? 'null', detail })
  }
}

/** Upstream gives what it says of combined schemas no field. */
const ofNoField = (detail: string): FieldError => invalid('<nil>', '', detail)

function combinedChecks({ allOf, anyOf, oneOf, not }: JsonSchema, pattern: CompilePattern): Check[] {
  const checks: Check[] = []
  if (anyOf) checks.push(anyCheck(anyOf.map(each => checkOf(each, pattern))))
  if (oneOf) checks.push(oneCheck(oneOf.map(each => checkOf(each, pattern))))
  if (allOf) checks.push(allCheck(allOf.map(each => checkOf(each, pattern))))
  if (not) checks.push(notCheck(checkOf(not, pattern)))
  return checks
}

function problemsOf(check: Check, value: unknown, path: string): FieldError[] {
  const problems: FieldError[] = []
  check(value, path, problems)
  return problems
}

/** Of several ways to fail, the one with the fewest faults tells the most. */
const fewest = (attempts: FieldError[][]): FieldError[] =>
  attempts.reduce((best, attempt) => (attempt.length < best.length ? attempt : best))

const anyCheck =
  (alternatives: Check[]): Check =>
  (value, path, problems) => {
    const attempts: FieldError[][] = []
    for (const alternative of alternatives) {
      const found = problemsOf(alternative, value, path)
      if (found.length === 0) return
      attempts.push(found)
    }
    problems.push(ofNoField(`${quote(path)} must validate at least one schema (anyOf)`), ...fewest(attempts))
  }

const oneCheck =
  (alternatives: Check[]): Check =>
  (value, path, problems) => {
    const attempts = alternatives.map(alternative => problemsOf(alternative, value, path))
    const valid = attempts.filter(({ length }) => length === 0).length
    if (valid === 1) return
    const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
    problems.push(ofNoField(`${quote(path)} must validate one and only one schema (oneOf). ${found}`))
    if (valid === 0) problems.push(...fewest(attempts))
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

const RANGES: Record<string, [least: number, most: number]> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 63), 2 ** 63],
}

function numberChecks(schema: JsonSchema): Check[] {
  const { type, format, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  const rules: [fails: (value: number) => boolean, detail: (path: string) => string][] = []
  const range = format ? RANGES[format] : undefined
  if (range && type === 'integer')
    rules.push([
      value => value < range[0] || value > range[1],
      path => `Checked value must be of type ${type} with format ${format} in ${path}`,
    ])
  if (multipleOf !== undefined)
    rules.push([
      value => !isMultiple(value, multipleOf),
      path => `${inBody(path)} should be a multiple of ${multipleOf}`,
    ])
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
  return rules.map(
    ([fails, detail]): Check =>
      (value, path, problems) => {
        if (typeof value === 'number' && fails(value)) problems.push(invalid(path, value, detail(path)))
      },
  )
}

/** Of fractions, as far as floating point can tell. */
const isMultiple = (value: number, of: number) =>
  Number.isInteger(value) && Number.isInteger(of) ? value % of === 0 : Number.isInteger(value / of)

const tooMany = (field: string, value: number, most: number): FieldError => ({
  type: 'TooMany',
  field,
  value,
  detail: `must have at most ${most} items`,
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
  if (fields.size === 0 && !ofOthers && required.length === 0 && !counts) return []
  return [
    (value, path, problems, old) => {
      if (!isObject(value)) return
      const before = isObject(old) ? old : undefined
      const count = counts ? Object.keys(value).length : 0
      if (minProperties !== undefined && count < minProperties)
        problems.push(invalid(path, count, `${inBody(path)} should have at least ${minProperties} properties`))
      if (maxProperties !== undefined && count > maxProperties) problems.push(tooMany(path, count, maxProperties))
      for (const key in value) (fields.get(key) ?? ofOthers)?.(value[key], child(path, key), problems, own(before, key))
      for (const name of required)
        if (!Object.hasOwn(value, name)) problems.push({ type: 'Required', field: child(path, name), detail: '' })
    },
  ]
}

const own = (object: Record<string, unknown> | undefined, key: string): unknown =>
  object && Object.hasOwn(object, key) ? object[key] : undefined
