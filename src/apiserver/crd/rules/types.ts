import type { JsonSchema } from '../../../encoding/index.ts'

/** What an expression evaluates to, as far as it can be told before it does. */
export type Type =
  | { is: 'scalar'; name: string }
  | { is: 'list'; of: Type }
  | { is: 'map'; key: Type; of: Type }
  | { is: 'object'; fields: Map<string, Type> }
  | { is: 'optional'; of: Type }

const scalar = (name: string): Type => ({ is: 'scalar', name })

/** Nobody can tell: anything may be done with it, and it shows when it is done. */
export const DYN = scalar('dyn')
export const BOOL = scalar('bool')
export const INT = scalar('int')
export const UINT = scalar('uint')
export const DOUBLE = scalar('double')
export const STRING = scalar('string')
export const BYTES = scalar('bytes')
export const NULL = scalar('null')
const TIMESTAMP = scalar('timestamp')
const DURATION = scalar('duration')

/** `list(string)`, `map(string, int)`, `int`. */
export function typeName(type: Type): string {
  switch (type.is) {
    case 'scalar':
      return type.name
    case 'list':
      return `list(${typeName(type.of)})`
    case 'map':
      return `map(${typeName(type.key)}, ${typeName(type.of)})`
    case 'optional':
      return `optional_type(${typeName(type.of)})`
    case 'object':
      return 'object'
  }
}

/** By its name: `list(string)`. */
export function typeOf(name: string): Type {
  const list = /^list\((.*)\)$/.exec(name)?.[1]
  if (list) return { is: 'list', of: typeOf(list) }
  const [, key, value] = /^map\((\w+), (.*)\)$/.exec(name) ?? []
  return key && value ? { is: 'map', key: typeOf(key), of: typeOf(value) } : scalar(name)
}

export const isDyn = (type: Type) => type.is === 'scalar' && type.name === 'dyn'

/** What expressions may know of metadata. */
const METADATA: JsonSchema = {
  type: 'object',
  properties: { name: { type: 'string' }, generateName: { type: 'string' } },
}

const OBJECT = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: METADATA }

/**
 * The type of what a schema describes; of an object of the API, its kind and its name are known besides.
 * Source: k8s.io/apiserver/pkg/cel/common SchemaDeclType
 */
export function declaredType(schema: JsonSchema, isObject = false): Type {
  if (schema['x-kubernetes-int-or-string']) return DYN
  switch (schema.type) {
    case 'array':
      return { is: 'list', of: schema.items ? declaredType(schema.items) : DYN }
    case 'object':
      return objectType(schema, isObject || schema['x-kubernetes-embedded-resource'] === true)
    case 'string':
      return FORMATS[schema.format ?? ''] ?? STRING
    case 'integer':
      return INT
    case 'number':
      return DOUBLE
    case 'boolean':
      return BOOL
    default:
      return DYN
  }
}

const FORMATS: Record<string, Type> = { byte: BYTES, duration: DURATION, date: TIMESTAMP, 'date-time': TIMESTAMP }

function objectType(schema: JsonSchema, isObject: boolean): Type {
  const { properties, additionalProperties } = schema
  if (!isObject && !properties && additionalProperties !== undefined)
    return {
      is: 'map',
      key: STRING,
      of: typeof additionalProperties === 'object' ? declaredType(additionalProperties) : DYN,
    }
  const declared = { ...properties, ...(isObject ? OBJECT : {}) }
  const fields = new Map<string, Type>()
  for (const [name, field] of Object.entries(declared)) {
    const escaped = escapedField(name)
    if (escaped) fields.set(escaped, declaredType(field))
  }
  return { is: 'object', fields }
}

/** Words that cannot be fields in CEL. */
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

/** A field as expressions name it; undefined when there is no such name. Source: k8s.io/apiserver/pkg/cel/escaping.go */
export function escapedField(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`
  const escaped = name.replace(/__|[.\-/]/g, found => `__${ESCAPES[found]}__`)
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(escaped) ? escaped : undefined
}

const ESCAPES: Record<string, string> = { __: 'underscores', '.': 'dot', '-': 'dash', '/': 'slash' }
