import { goString, goType, isObject } from '../json.ts'
import { elementOf, showElement, UnnamedItem } from './elements.ts'
import { formOf, type ListSchema, type MapSchema, memberSchema, type Schema } from './schema.ts'

/** What is wrong with a value, and where. */
interface Misfit {
  path: string
  problem: string
}

/**
 * What is wrong with an applied configuration, each as `PATH: PROBLEM` in the words of upstream; empty when it fits.
 * Source: sigs.k8s.io/structured-merge-diff typed validate.go
 */
export const misfits = (schema: Schema, value: unknown): string[] =>
  misfitsOf(schema, value).map(({ path, problem }) => (path ? `${path}: ${problem}` : problem))

/** All of them as one text; undefined when the value fits. */
export function misfitText(schema: Schema, value: unknown): string | undefined {
  const problems = misfits(schema, value)
  if (problems.length < 2) return problems[0]
  return ['errors:', ...problems.map(problem => `  ${problem}`)].join('\n')
}

/**
 * Where a value sets a list or an object that has one owner as a whole: what it does not say of that would be lost.
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch smd.go
 */
export function atomics(schema: Schema, value: unknown, path = ''): string[] {
  const { map, list } = schema
  if (Array.isArray(value) && list) {
    const below = value.flatMap((item, index) => atomics(list.items, item, `${path}[${index}]`))
    return list.type === 'atomic' ? [path, ...below] : below
  }
  if (!isObject(value) || !map) return []
  const below = Object.keys(value).flatMap(name => {
    const field = map.field(name)
    return field ? atomics(field, value[name], `${path}.${name}`) : []
  })
  return map.atomic ? [path, ...below] : below
}

const NONE: Misfit[] = []

function misfitsOf(schema: Schema, value: unknown): Misfit[] {
  if (value === null) return NONE
  const form = formOf(schema, value)
  if (form === 'map') return isObject(value) ? badMembers(schema.map!, value) : misfit(`expected map, ${got(value)}`)
  if (form === 'list')
    return Array.isArray(value) ? badItems(schema.list!, value) : misfit(`expected list, ${got(value)}`)
  const problem = scalarProblem(schema.scalar!, value)
  return problem ? misfit(problem) : NONE
}

const misfit = (problem: string): Misfit[] => [{ path: '', problem }]

const got = (value: unknown) => `got &{${goString(value)}}`

function scalarProblem(scalar: NonNullable<Schema['scalar']>, value: unknown): string | undefined {
  const type = typeof value
  switch (scalar) {
    case 'numeric':
      return type === 'number' ? undefined : `expected numeric (int or float), got ${goType(value)}`
    case 'string':
      return type === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`
    case 'boolean':
      return type === 'boolean' ? undefined : `expected boolean, ${got(value)}`
    case 'untyped':
      return type === 'object' ? `expected any scalar, ${got(value)}` : undefined
  }
}

/** As Go's `%#v` shows it. */
function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return 'interface {}(nil)'
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (!isObject(value)) return JSON.stringify(value)
  const members = Object.keys(value).sort()
  return `map[string]interface {}{${members.map(key => `${JSON.stringify(key)}:${goSyntax(value[key])}`).join(', ')}}`
}

function badMembers(map: MapSchema, object: Record<string, unknown>): Misfit[] {
  const found: Misfit[] = []
  for (const name of Object.keys(object)) {
    const schema = memberSchema(map, name)
    const below = schema ? misfitsOf(schema, object[name]) : misfit('field not declared in schema')
    for (const { path, problem } of below) found.push({ path: `.${name}${path}`, problem })
  }
  return found
}

function badItems(list: ListSchema, items: unknown[]): Misfit[] {
  const found: Misfit[] = []
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    const element = list.type === 'atomic' ? `i:${index}` : namedElement(list, item)
    if (element instanceof UnnamedItem) return [...found, ...misfit(`element ${index}: ${element.message}`)]
    if (seen.has(element)) found.push(...misfit(`duplicate entries for key ${showElement(element)}`))
    seen.add(element)
    for (const { path, problem } of misfitsOf(list.items, item))
      found.push({ path: showElement(element) + path, problem })
  }
  return found
}

function namedElement(list: ListSchema, item: unknown): string | UnnamedItem {
  try {
    return elementOf(list, item)
  } catch (error) {
    if (error instanceof UnnamedItem) return error
    throw error
  }
}
