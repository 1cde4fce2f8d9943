import type { FieldError } from '../../api/index.ts'
import { canonicalJson } from './canonical.ts'
import { child, fieldSchema, isObject, itemKey, type JsonSchema } from './schema.ts'

/**
 * What belongs to lists whose items are unique, by value or by key, and to objects within objects, which have a kind of
 * their own. Both are beyond what OpenAPI can say.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype and schema/objectmeta
 */
export function structureProblems(schema: JsonSchema, value: unknown): FieldError[] {
  const problems: FieldError[] = []
  if (isConcerned(schema)) visit(schema, value, '', problems)
  return problems
}

const concerned = new WeakMap<JsonSchema, boolean>()

/** Whether there is anything to look for at or below a schema. */
function isConcerned(schema: JsonSchema): boolean {
  let known = concerned.get(schema)
  if (known === undefined) {
    const listType = schema['x-kubernetes-list-type']
    known =
      listType === 'set' ||
      listType === 'map' ||
      schema['x-kubernetes-embedded-resource'] === true ||
      childrenOf(schema).some(isConcerned)
    concerned.set(schema, known)
  }
  return known
}

const childrenOf = ({ items, properties, additionalProperties }: JsonSchema): JsonSchema[] => [
  ...(items ? [items] : []),
  ...Object.values(properties ?? {}),
  ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
]

function visit(schema: JsonSchema, value: unknown, path: string, problems: FieldError[]): void {
  if (Array.isArray(value)) {
    problems.push(...duplicates(schema, value, path))
    if (schema.items && isConcerned(schema.items))
      for (const [index, item] of value.entries()) visit(schema.items, item, `${path}[${index}]`, problems)
  } else if (isObject(value)) {
    if (schema['x-kubernetes-embedded-resource']) problems.push(...embeddedProblems(value, path))
    for (const key in value) {
      const field = fieldSchema(schema, key)
      if (field && isConcerned(field)) visit(field, value[key], child(path, key), problems)
    }
  }
}

function duplicates(schema: JsonSchema, list: unknown[], path: string): FieldError[] {
  const { 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [] } = schema
  if (listType !== 'set' && listType !== 'map') return []
  const seen = new Set<string>()
  return list.flatMap((item, index): FieldError[] => {
    const identity = listType === 'map' ? itemKey(item, keys) : item
    const text = canonicalJson(identity)
    if (!seen.has(text)) {
      seen.add(text)
      return []
    }
    return [{ type: 'Duplicate', field: `${path}[${index}]`, value: identity, detail: '' }]
  })
}

function embeddedProblems({ apiVersion, kind }: Record<string, unknown>, path: string): FieldError[] {
  return Object.entries({ apiVersion, kind }).flatMap(([name, text]): FieldError[] =>
    text === undefined || text === ''
      ? [{ type: 'Required', field: `${path}.${name}`, detail: 'must not be empty' }]
      : [],
  )
}
