import { errors, type KubeObject, type StatusError } from '../../api/index.ts'
import { conversionProblem, type ParsedJson, parseJson, SyntaxProblem } from '../../encoding/index.ts'
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, goString } from '../../patch/index.ts'
import { jsonName, mediaType } from '../pipeline/decode.ts'
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
  /** The fields that it gives twice. */
  duplicates: string[]
  /** The answer when the fields of what it has made are wrong; `detail` is what the decoder has to say. */
  refuse(made: unknown, detail: string): StatusError
}

/**
 * Reads a patch. Rejects with 415 for a kind of patch that is not known, and with 400 for one that is malformed.
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go
 */
export function readPatch({ resource, custom }: Served, body: Buffer, contentType: string | undefined): Patch {
  const type = mediaType(contentType)
  const types = custom ? PATCH_TYPES.filter(each => each !== STRATEGIC) : PATCH_TYPES
  if (!types.includes(type) || type === APPLY) throw errors.unsupportedMediaType(types)
  if (type === STRATEGIC) return strategicPatch(resource.type, parsed(body, { prefix: '', goType: MAP }))
  const goType = type === JSON_PATCH ? OPERATIONS : MAP
  const { value: patch, duplicates } = parsed(body, { prefix: 'error decoding patch: ', goType })
  return {
    apply: old => (type === JSON_PATCH ? applyJsonPatch(old, patch) : applyMergePatch(old, patch)),
    duplicates,
    refuse: (made, detail) => invalid(JSON.stringify(made), detail),
  }
}

/** Upstream merges such a patch into a map, which it then converts without going through JSON. */
function strategicPatch(type: string, { value: patch, duplicates }: ParsedJson): Patch {
  return {
    apply: old => applyStrategicMergePatch(old, patch, type),
    duplicates,
    refuse: (made, detail) => invalid(goString(patch), conversionProblem(type, made) ?? detail),
  }
}

const invalid = (value: string, detail: string) =>
  errors.invalid({ group: '', kind: '' }, '', [{ type: 'Invalid', field: 'patch', value, detail }])

/** A patch as JSON; it is a list or an object, as what Go reads it into. */
function parsed(body: Buffer, { prefix, goType }: { prefix: string; goType: string }): ParsedJson {
  try {
    const read = parseJson(body)
    const name = jsonName(read.value)
    if (name === (goType === MAP ? 'object' : 'array')) return read
    throw new SyntaxProblem(`json: cannot unmarshal ${name} into Go value of type ${goType}`)
  } catch (error) {
    if (error instanceof SyntaxProblem) throw errors.badRequest(`${prefix}${error.message}`)
    throw error
  }
}
