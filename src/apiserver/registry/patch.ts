import { errors, type KubeObject, type StatusError } from '../../api/index.ts'
import { conversionProblem, type ParsedJson, parseJson, SyntaxProblem } from '../../encoding/index.ts'
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, goString } from '../../patch/index.ts'
import { type FieldValidation, jsonName, mediaType } from '../pipeline/decode.ts'
import { APPLY } from './ownership.ts'
import type { Served } from './served.ts'

const JSON_PATCH = 'application/json-patch+json'
const MERGE = 'application/merge-patch+json'
const STRATEGIC = 'application/strategic-merge-patch+json'
/** What is applied is no patch of this kind, but may be sent all the same. */
export const PATCH_TYPES = [JSON_PATCH, MERGE, STRATEGIC, APPLY]

/** What upstream reads patches into. */
const MAP = 'map[string]interface {}'
const OPERATIONS = '[]handlers.jsonPatchOp'

/** A patch that has been read. */
export interface Patch {
  /** What it makes of an object, which it leaves as it is. */
  apply(old: KubeObject): unknown
  /** What strict validation finds in the patch itself: fields that it gives twice, or that no operation has. */
  noticed: string[]
  /** The answer when the fields of what it has made are wrong; `detail` is what the decoder has to say. */
  refuse(made: unknown, detail: string): StatusError
}

/**
 * Reads a patch. Rejects with 415 for a kind of patch that is not known, and with 400 for one that is malformed.
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go
 */
export function readPatch(
  { resource, custom }: Served,
  body: Buffer,
  contentType: string | undefined,
  validation: FieldValidation,
): Patch {
  const type = mediaType(contentType)
  const types = custom ? PATCH_TYPES.filter(each => each !== STRATEGIC) : PATCH_TYPES
  if (!types.includes(type) || type === APPLY)
    throw custom ? errors.unsupportedMediaType(types) : errors.unknownMediaType()
  if (type === STRATEGIC) return strategicPatch(resource, parsed(body, { prefix: '', goType: MAP }))
  if (type === MERGE) return mergePatch(parsed(body, { prefix: 'error decoding patch: ', goType: MAP }))
  return jsonPatch(parsed(body, { prefix: 'error decoding patch: ', goType: OPERATIONS }), validation)
}

/** Upstream merges such a patch into a map, which it converts without going through JSON, and whatever kind that names. */
function strategicPatch({ type, kind }: Served['resource'], { value, duplicates }: ParsedJson): Patch {
  const patch = value ?? {}
  return {
    apply(old) {
      const made = applyStrategicMergePatch(old, patch, type) as Record<string, unknown>
      if (typeof made.kind === 'string') made.kind = kind
      if (typeof made.apiVersion === 'string') made.apiVersion = old.apiVersion
      return made
    },
    noticed: twice(duplicates),
    refuse: (made, detail) => invalid(goString(patch), conversionProblem(type, made) ?? detail),
  }
}

function mergePatch({ value: patch, duplicates }: ParsedJson): Patch {
  if (patch === null) throw errors.badRequest('Invalid JSON Patch')
  return {
    apply: old => applyMergePatch(old, patch),
    noticed: twice(duplicates),
    refuse: (made, detail) => invalid(shown(made, patch), detail),
  }
}

function jsonPatch({ value, duplicates }: ParsedJson, validation: FieldValidation): Patch {
  const operations = (value ?? []) as unknown[]
  const unknown = validation === 'Ignore' ? [] : operations.flatMap(checkOperation)
  return {
    apply: old => applyJsonPatch(old, operations),
    noticed: [...twice(duplicates), ...unknown].map(text => `json patch ${text}`),
    refuse: (made, detail) => invalid(shown(made, touchedBy(operations)), detail),
  }
}

const twice = (duplicates: string[]) => duplicates.map(field => `duplicate field "${field}"`)

const TEXTS = ['op', 'path', 'from']

/** The fields of an operation that no operation has. Rejects with 400 where one has another type than it should. */
function checkOperation(operation: unknown, index: number): string[] {
  const undecodable = (name: string, into: string) =>
    errors.badRequest(`error decoding patch: json: cannot unmarshal ${name} into Go ${into}`)
  if (operation === null) return []
  if (jsonName(operation) !== 'object') throw undecodable(jsonName(operation), 'value of type handlers.jsonPatchOp')
  const unknown: string[] = []
  for (const [field, value] of Object.entries(operation as object))
    if (TEXTS.includes(field)) {
      if (value !== null && typeof value !== 'string')
        throw undecodable(jsonName(value), `struct field jsonPatchOp.${field} of type string`)
    } else if (field !== 'value') unknown.push(`unknown field "[${index}].${field}"`)
  return unknown
}

/** What the operations of a patch go through, as a merge patch of the same would. */
function touchedBy(operations: unknown[]): object {
  const touched = {}
  for (const operation of operations) {
    let at: Record<string, object> = touched
    for (const step of String((operation as { path?: unknown }).path)
      .split('/')
      .slice(1, -1)) {
      at[step] ??= {}
      at = at[step] as Record<string, object>
    }
  }
  return touched
}

/** Upstream sorts the members of what a patch goes through, and leaves all else as it writes it. */
function shown(made: unknown, touched: unknown): string {
  if (jsonName(made) !== 'object') return JSON.stringify(made)
  const object = made as Record<string, unknown>
  const inner = jsonName(touched) === 'object' ? (touched as Record<string, unknown>) : undefined
  const names = Object.keys(object).filter(name => object[name] !== undefined)
  if (inner) names.sort()
  else if (names.includes('uid') && names.at(-1) === 'resourceVersion')
    names.splice(names.indexOf('uid') + 1, 0, names.pop()!)
  return `{${names.map(name => `${JSON.stringify(name)}:${shown(object[name], inner?.[name])}`).join(',')}}`
}

const invalid = (value: string, detail: string) =>
  errors.invalid({ group: '', kind: '' }, '', [{ type: 'Invalid', field: 'patch', value, detail }])

/** A patch as JSON; it is a list or an object, as what Go reads it into, or null. */
function parsed(body: Buffer, { prefix, goType }: { prefix: string; goType: string }): ParsedJson {
  try {
    const read = parseJson(body)
    const name = jsonName(read.value)
    if (name === 'null' || name === (goType === MAP ? 'object' : 'array')) return read
    throw new SyntaxProblem(`json: cannot unmarshal ${name} into Go value of type ${goType}`)
  } catch (error) {
    if (error instanceof SyntaxProblem) throw errors.badRequest(`${prefix}${error.message}`)
    throw error
  }
}
