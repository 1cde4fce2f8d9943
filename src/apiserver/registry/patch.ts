import { errors, type KubeObject } from '../../api/index.ts'
import { type ParsedJson, parseJson, SyntaxProblem } from '../../encoding/index.ts'
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from '../../patch/index.ts'
import { mediaType } from '../pipeline/decode.ts'
import type { Served } from './served.ts'

export const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]

/** What a patch makes of an object, which it leaves as it is. */
export type Change = (old: KubeObject) => unknown

/** Reads a patch. Rejects with 415 for a kind of patch that is not known, and with 400 for one that is malformed. */
export function readPatch({ resource }: Served, body: Buffer, contentType: string | undefined): Change {
  const type = mediaType(contentType)
  if (!PATCH_TYPES.includes(type)) throw errors.unsupportedMediaType(PATCH_TYPES)
  const patch = parsed(body)
  if (type === PATCH_TYPES[0]) return old => applyJsonPatch(old, patch)
  if (type === PATCH_TYPES[1]) return old => applyMergePatch(old, patch)
  return old => applyStrategicMergePatch(old, patch, resource.type)
}

function parsed(body: Buffer): unknown {
  let read: ParsedJson
  try {
    read = parseJson(body)
  } catch (error) {
    if (error instanceof SyntaxProblem) throw errors.badRequest(`error decoding patch: ${error.message}`)
    throw error
  }
  return read.value
}
