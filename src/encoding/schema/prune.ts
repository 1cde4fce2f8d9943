import { codecFor, DecodeError } from '../codec.ts'
import { put } from '../scalars.ts'
import { canonicalJson } from './canonical.ts'
import { fieldSchema, isObject, type JsonObject, type JsonSchema } from './schema.ts'

/** Upstream stops counting there. */
const MOST_FINDINGS = 100
const TYPE_META = ['apiVersion', 'kind']

/** The fields that nobody knows, told of as upstream does: of metadata, of the object in the order of names, of what lies within. */
export class Findings {
  readonly #metadata: string[] = []
  readonly #fields: string[] = []
  readonly #embedded: string[] = []

  field(path: string): void {
    if (this.#fields.length < MOST_FINDINGS) this.#fields.push(path)
  }

  /** `around`: the path of the object, with a dot; of the outermost, nothing. */
  metadata(problems: string[], around: string): void {
    if (!around) this.#metadata.push(...problems)
    else this.#embedded.push(...problems.map(problem => problem.replace('"', `"${around}`)))
  }

  all = (): string[] => [
    ...this.#metadata,
    ...this.#fields.sort().map(path => `unknown field "${path}"`),
    ...this.#embedded.sort(),
  ]
}

/**
 * Copies a value and leaves out what its schema does not know, and nulls where the schema allows none. What was left out
 * is told of in `findings`. Metadata, of the object and of those embedded in it, is read as every object's is.
 * Throws a DecodeError when metadata has a wrong type.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning and defaulting/prune.go
 */
export function prune(schema: JsonSchema, value: unknown, findings: Findings): JsonObject {
  return pruneObject({ ...schema, 'x-kubernetes-embedded-resource': true }, value as JsonObject, '', findings)
}

function pruneValue(schema: JsonSchema | undefined, value: unknown, path: string, findings: Findings): unknown {
  if (typeof value !== 'object' || value === null) return scalar(value)
  if (Array.isArray(value)) {
    const { items } = schema ?? {}
    return value.map((item, index) =>
      item === null && isForbiddenNull(items) && items?.default !== undefined
        ? structuredClone(items.default)
        : pruneValue(schema && (items ?? {}), item, `${path}[${index}]`, findings),
    )
  }
  return schema ? pruneObject(schema, value as JsonObject, path, findings) : copy(value as JsonObject)
}

/** Nothing but a number can be out of range: `1e400`. */
function scalar(value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value
  throw new DecodeError('json: cannot unmarshal number into Go value of type float64')
}

function pruneObject(schema: JsonSchema, value: JsonObject, path: string, findings: Findings): JsonObject {
  const pruned: JsonObject = {}
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const keeps = schema['x-kubernetes-preserve-unknown-fields'] === true
  // Of any other properties there may be or not be, the schema tells nothing of what they hold.
  const others = typeof schema.additionalProperties === 'boolean' ? {} : undefined
  for (const key in value) {
    const item = value[key]
    const itemPath = path ? `${path}.${key}` : key
    const known = fieldSchema(schema, key)
    if (embedded && key === 'metadata') {
      if (item !== undefined && (item !== null || path)) pruned.metadata = metadataOf(item, itemPath, findings)
    } else if (known) {
      if (item !== null || !isForbiddenNull(known)) put(pruned, key, pruneValue(known, item, itemPath, findings))
    } else if (embedded && TYPE_META.includes(key)) {
      if (path && typeof item !== 'string') throw notString(itemPath, item)
      put(pruned, key, item)
    } else if (keeps) put(pruned, key, copyOf(item))
    else if (others) put(pruned, key, pruneValue(others, item, itemPath, findings))
    else findings.field(itemPath)
  }
  return pruned
}

const notString = (path: string, value: unknown) =>
  new DecodeError(`${path}: Invalid value: ${JSON.stringify(value)}: must be a string`)

const copyOf = (value: unknown): unknown => pruneValue(undefined, value, '', NOWHERE)

const NOWHERE = new Findings()

function copy(value: JsonObject): JsonObject {
  const copied: JsonObject = {}
  for (const key in value) put(copied, key, copyOf(value[key]))
  return copied
}

const isForbiddenNull = (schema: JsonSchema | undefined) => schema !== undefined && schema.nullable !== true

const OBJECT = 'meta/v1.PartialObjectMetadata'

function metadataOf(metadata: unknown, path: string, findings: Findings): unknown {
  const around = path.slice(0, -'metadata'.length)
  const { object, strict } = readMetadata(metadata ?? {}, around, path)
  findings.metadata(strict, around)
  // What the server fills in by itself is never null in what Go encodes of a map.
  if (isObject(metadata) && object.metadata.creationTimestamp === null)
    delete (object.metadata as Partial<typeof object.metadata>).creationTimestamp
  return object.metadata
}

/** Complaints are about metadata by itself, and within another object say where that is. */
function readMetadata(metadata: unknown, around: string, path: string) {
  try {
    return codecFor(OBJECT).decode({ metadata })
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    const message = error.message
      .replace('Go struct field PartialObjectMetadata.metadata of type v1.ObjectMeta', 'Go value of type v1.ObjectMeta')
      .replace('Go struct field ObjectMeta.metadata.', 'Go struct field ObjectMeta.')
    throw new DecodeError(around ? `${path}: Invalid value: ${canonicalJson(metadata)}: ${message}` : message)
  }
}

/** As `prune`, of what stands in a schema itself: nulls and metadata stay as they are. */
export function pruneDefault(schema: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    return items ? value.map(item => pruneDefault(items, item)) : value
  }
  if (!isObject(value)) return value
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const keeps = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
  const pruned: JsonObject = {}
  for (const key in value) {
    const known = fieldSchema(schema, key)
    if (embedded && (key === 'metadata' || TYPE_META.includes(key))) put(pruned, key, value[key])
    else if (known) put(pruned, key, pruneDefault(known, value[key]))
    else if (keeps) put(pruned, key, value[key])
  }
  return pruned
}
