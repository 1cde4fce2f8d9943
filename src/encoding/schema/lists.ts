import { type FieldError, names } from '../../api/index.ts'
import { canonicalJson } from './canonical.ts'
import { child, fieldSchema, isObject, itemKey, type JsonObject, type JsonSchema } from './schema.ts'

/**
 * What belongs to lists whose items are unique, by value or by key, and to objects within objects, which have a kind of
 * their own. Both are beyond what OpenAPI can say.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype and schema/objectmeta
 */
export function structureProblems(schema: JsonSchema, value: unknown, options: StructureOptions = {}): FieldError[] {
  const problems: FieldError[] = []
  if (isConcerned(schema)) visit(schema, value, '', problems, options)
  return problems
}

/** What is wrong with metadata that lies at a path. */
export type CheckMetadata = (metadata: JsonObject, path: string) => FieldError[]

interface StructureOptions {
  metadata?: CheckMetadata | undefined
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

function visit(
  schema: JsonSchema,
  value: unknown,
  path: string,
  problems: FieldError[],
  options: StructureOptions,
): void {
  if (Array.isArray(value)) {
    problems.push(...duplicates(schema, value, path))
    if (schema.items && isConcerned(schema.items))
      for (const [index, item] of value.entries()) visit(schema.items, item, `${path}[${index}]`, problems, options)
  } else if (isObject(value)) {
    if (schema['x-kubernetes-embedded-resource']) problems.push(...embeddedProblems(value, path, options))
    for (const key in value) {
      const field = fieldSchema(schema, key)
      if (field && isConcerned(field)) visit(field, value[key], child(path, key), problems, options)
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

/** Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta/validation.go */
function embeddedProblems(value: JsonObject, path: string, { metadata: check }: StructureOptions): FieldError[] {
  const { apiVersion, kind, metadata } = value
  return [
    ...textProblems(apiVersion, child(path, 'apiVersion'), versionProblem),
    ...textProblems(kind, child(path, 'kind'), kindProblem),
    ...(check && isObject(metadata) ? check(metadata, child(path, 'metadata')) : []),
  ]
}

function textProblems(text: unknown, field: string, problemOf: (text: string) => string | undefined): FieldError[] {
  if (text === undefined) return [{ type: 'Required', field, detail: '' }]
  const detail = typeof text !== 'string' ? 'must be a string' : text === '' ? 'must not be empty' : problemOf(text)
  return detail ? [{ type: 'Invalid', field, value: text, detail }] : []
}

const versionProblem = (text: string) =>
  text.split('/').length > 2 ? `unexpected GroupVersion string: ${text}` : undefined

function kindProblem(text: string): string | undefined {
  const wrong = names.dns1035LabelProblems(text.toLowerCase())
  return wrong.length ? `may have mixed case, but should otherwise match: ${wrong.join()}` : undefined
}
