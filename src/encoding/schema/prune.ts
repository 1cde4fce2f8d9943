import { codecFor, DecodeError } from '../codec.ts'
import { put } from '../scalars.ts'
import { fieldSchema, isObject, type JsonObject, type JsonSchema } from './schema.ts'

/** Upstream stops counting there. */
const MOST_FINDINGS = 100
const TYPE_META = ['apiVersion', 'kind']

/**
 * Copies a value and leaves out what its schema does not know, and nulls where the schema allows none. What was left out
 * is added to `unknown` by its path. Metadata, of the object and of those embedded in it, is read as every object's is.
 * Throws a DecodeError when metadata has a wrong type.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning and defaulting/prune.go
 */
export function prune(schema: JsonSchema, value: unknown, unknown: string[]): JsonObject {
  return pruneObject({ ...schema, 'x-kubernetes-embedded-resource': true }, value as JsonObject, '', unknown)
}

function pruneValue(schema: JsonSchema | undefined, value: unknown, path: string, unknown: string[]): unknown {
  if (typeof value !== 'object' || value === null) return scalar(value)
  if (Array.isArray(value)) {
    const { items } = schema ?? {}
    return value.map((item, index) =>
      item === null && isForbiddenNull(items) && items?.default !== undefined
        ? structuredClone(items.default)
        : pruneValue(schema && (items ?? {}), item, `${path}[${index}]`, unknown),
    )
  }
  return schema ? pruneObject(schema, value as JsonObject, path, unknown) : copy(value as JsonObject)
}

/** Nothing but a number can be out of range: `1e400`. */
function scalar(value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value
  throw new DecodeError('json: cannot unmarshal number into Go value of type float64')
}

function pruneObject(schema: JsonSchema, value: JsonObject, path: string, unknown: string[]): JsonObject {
  const pruned: JsonObject = {}
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const keeps = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
  for (const key in value) {
    const item = value[key]
    const itemPath = path ? `${path}.${key}` : key
    const known = fieldSchema(schema, key)
    if (embedded && key === 'metadata') {
      if (item !== null && item !== undefined) pruned.metadata = metadataOf(item, itemPath, unknown)
    } else if (known) {
      if (item !== null || !isForbiddenNull(known)) put(pruned, key, pruneValue(known, item, itemPath, unknown))
    } else if (keeps || (embedded && TYPE_META.includes(key)))
      put(pruned, key, pruneValue(undefined, item, itemPath, unknown))
    else if (unknown.length < MOST_FINDINGS) unknown.push(`unknown field "${itemPath}"`)
  }
  return pruned
}

function copy(value: JsonObject): JsonObject {
  const copied: JsonObject = {}
  for (const key in value) put(copied, key, pruneValue(undefined, value[key], '', []))
  return copied
}

const isForbiddenNull = (schema: JsonSchema | undefined) => schema !== undefined && schema.nullable !== true

const OBJECT = 'meta/v1.PartialObjectMetadata'

function metadataOf(metadata: unknown, path: string, unknown: string[]): unknown {
  const { object, strict } = codecFor(OBJECT).decode({ metadata })
  const around = path.slice(0, -'metadata'.length)
  for (const problem of strict) unknown.push(around ? problem.replace('"', `"${around}`) : problem)
  // What the server fills in by itself is never null in what Go encodes of a map.
  if (isObject(metadata) && object.metadata.creationTimestamp === null)
    delete (object.metadata as Partial<typeof object.metadata>).creationTimestamp
  return object.metadata
}
