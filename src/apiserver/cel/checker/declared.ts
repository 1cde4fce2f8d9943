import type { JsonSchema } from '../../../encoding/index.ts'
import { escapedField } from '../fields.ts'
import { BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, type Type } from './types.ts'

/** What a schema tells of its values: their type, and how large they may be. */
export interface Declared {
  type: Type
  /** Characters, items or entries; of what has no size, 0. */
  most: number
  /** Bytes of JSON that a value takes at least. */
  least: number
  key?: Declared
  of?: Declared
  fields?: Map<string, Declared>
}

/** Bytes of the largest request. Source: k8s.io/apiserver/pkg/apis/cel MaxRequestSizeBytes */
export const LARGEST_REQUEST = 3 * 1024 * 1024

/** Without its quotes. */
const LONGEST_STRING = LARGEST_REQUEST - 2

const scalar = (type: Type, least: number, most = 0): Declared => ({ type, least, most })

const KEY = scalar(STRING, 2, 0)
const BOOLEAN = scalar(BOOL, 4)
const INTEGER = scalar(INT, 1)
const NUMBER = scalar(DOUBLE, 1)

/** The schema of what is known of every object. */
const NAME: JsonSchema = { type: 'string' }
const OBJECT: Record<string, JsonSchema> = {
  kind: NAME,
  apiVersion: NAME,
  metadata: { type: 'object', properties: { name: NAME, generateName: NAME } },
}

/** The type of what a schema describes; of an object of the API, its kind and its name are known besides. */
export const declaredType = (schema: JsonSchema, isObject = false): Type => declared(schema, isObject)?.type ?? DYN

/**
 * What a schema tells; undefined when expressions are to know nothing of such values.
 * Source: k8s.io/apiserver/pkg/cel/common SchemaDeclType
 */
export function declared(schema: JsonSchema, isObject = false, name = 'selfType'): Declared | undefined {
  const { type, maxLength } = schema
  if (schema['x-kubernetes-int-or-string'])
    return scalar(DYN, 1, maxLength === undefined ? LONGEST_STRING : bytesOf(maxLength))
  switch (type) {
    case 'array':
      return list(schema, name)
    case 'object':
      return isObject ? object({ ...schema, properties: withObject(schema) }, name) : objectOrMap(schema, name)
    case 'string':
      return string(schema)
    case 'boolean':
      return BOOLEAN
    case 'number':
      return NUMBER
    case 'integer':
      return INTEGER
    default:
      return undefined
  }
}

const inner = (schema: JsonSchema, name: string) =>
  declared(schema, schema['x-kubernetes-embedded-resource'] === true, name)

/** A character may take four bytes. */
const bytesOf = (characters: number) => Math.max(characters, 0) * 4

function withObject({ properties = {} }: JsonSchema): Record<string, JsonSchema> {
  const { kind, apiVersion, metadata } = properties
  const named = metadata?.properties
  const isWhole =
    kind?.type === 'string' &&
    apiVersion?.type === 'string' &&
    metadata?.type === 'object' &&
    named?.name?.type === 'string' &&
    named.generateName?.type === 'string'
  return isWhole ? properties : { ...properties, ...OBJECT }
}

function list({ items, maxItems }: JsonSchema, name: string): Declared | undefined {
  const of = items && inner(items, `${name}.@idx`)
  if (!of) return undefined
  const most = maxItems === undefined ? Math.floor((LARGEST_REQUEST - 2) / (of.least + 1)) : Math.max(maxItems, 0)
  return { type: { is: 'list', of: of.type }, least: 2, most, of }
}

function objectOrMap(schema: JsonSchema, name: string): Declared | undefined {
  const { additionalProperties, maxProperties } = schema
  if (typeof additionalProperties !== 'object') return object(schema, name)
  const of = inner(additionalProperties, `${name}.@elem`)
  if (!of) return undefined
  const most =
    maxProperties === undefined ? Math.floor((LARGEST_REQUEST - 2) / (of.least + 6)) : Math.max(maxProperties, 0)
  return { type: { is: 'map', key: STRING, of: of.type }, least: 2, most, key: KEY, of }
}

function object({ properties = {}, required = [] }: JsonSchema, name: string): Declared {
  const fields = new Map<string, Declared>()
  const types = new Map<string, Type>()
  let least = 2
  for (const [field, schema] of Object.entries(properties)) {
    const escaped = escapedField(field)
    const found = inner(schema, `${name}.${escaped}`)
    if (!found) continue
    if (escaped) {
      fields.set(escaped, found)
      types.set(escaped, found.type)
    }
    // What is defaulted may be left out.
    if (required.includes(field) && schema.default === undefined) least += Buffer.byteLength(field) + found.least + 4
  }
  return { type: { is: 'object', name, fields: types }, least, most: 0, fields }
}

/** Bytes of the longest and the shortest text of each form, with its quotes. Source: k8s.io/apiserver/pkg/cel/limits.go */
const FORMS: Record<string, Declared> = {
  duration: scalar(DURATION, 3, 32),
  date: scalar(TIMESTAMP, 12, 12),
  'date-time': scalar(TIMESTAMP, 21, 32),
}

function string({ format = '', maxLength, enum: values }: JsonSchema): Declared {
  const form = Object.hasOwn(FORMS, format) ? FORMS[format] : undefined
  if (form) return form
  if (format === 'byte') return scalar(BYTES, 2, maxLength === undefined ? LONGEST_STRING : Math.max(maxLength, 0))
  if (maxLength !== undefined) return scalar(STRING, 2, bytesOf(maxLength))
  if (!values?.length) return scalar(STRING, 2, LONGEST_STRING)
  return scalar(
    STRING,
    2,
    Math.max(0, ...values.map(value => (typeof value === 'string' ? Buffer.byteLength(value) : 0))),
  )
}
