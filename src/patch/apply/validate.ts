import { goString, goType, isObject } from '../json.ts'
import { elementOf, showElement, UnnamedItem } from './elements.ts'
import { formOf, type ListSchema, type MapSchema, memberSchema, type Schema } from './schema.ts'

/**
 * What is wrong with an applied configuration, each as `PATH: PROBLEM` in the words of upstream; empty when it fits.
 * Source: sigs.k8s.io/structured-merge-diff typed validate.go
 */
export function misfits(schema: Schema, value: unknown, path = ''): string[] {
  const say = (problem: string) => [path ? `${path}: ${problem}` : problem]
  const form = formOf(schema, value)
  if (value === null) return []
  if (form === 'scalar') return scalarProblem(schema.scalar!, value).flatMap(say)
  if (form === 'list')
    return Array.isArray(value) ? badItems(schema.list!, value, path) : say(`expected list, ${got(value)}`)
  return isObject(value) ? badMembers(schema.map!, value, path) : say(`expected map, ${got(value)}`)
}

const got = (value: unknown) => `got &{${goString(value)}}`

function scalarProblem(scalar: NonNullable<Schema['scalar']>, value: unknown): string[] {
  const type = typeof value
  switch (scalar) {
    case 'numeric':
      return type === 'number' ? [] : [`expected numeric (int or float), got ${goType(value)}`]
    case 'string':
      return type === 'string' ? [] : [`expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`]
    case 'boolean':
      return type === 'boolean' ? [] : [`expected boolean, ${got(value)}`]
    case 'untyped':
      return type === 'object' ? [`expected any scalar, ${got(value)}`] : []
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

function badMembers(map: MapSchema, object: Record<string, unknown>, path: string): string[] {
  return Object.keys(object).flatMap(name => {
    const schema = memberSchema(map, name)
    return schema ? misfits(schema, object[name], `${path}.${name}`) : [`${path}.${name}: field not declared in schema`]
  })
}

function badItems(list: ListSchema, items: unknown[], path: string): string[] {
  if (list.type === 'atomic') return items.flatMap((item, index) => misfits(list.items, item, `${path}[${index}]`))
  const problems: string[] = []
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    let element: string
    try {
      element = elementOf(list, item)
    } catch (error) {
      if (!(error instanceof UnnamedItem)) throw error
      return [...problems, `${path}: element ${index}: ${error.message}`]
    }
    const shown = showElement(element)
    if (seen.has(element)) problems.push(`${path}: duplicate entries for key ${shown}`)
    seen.add(element)
    problems.push(...misfits(list.items, item, path + shown))
  }
  return problems
}
