import { errors, type KubeObject } from '../../api/index.ts'
import { type ParsedJson, SyntaxProblem } from '../../encoding/index.ts'
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from '../../patch/index.ts'
import { mediaType, parseBody } from '../pipeline/decode.ts'
import type { Served } from './served.ts'

export const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]

/** What a patch makes of an object, which it leaves as it is. */
export type Change = (old: KubeObject) => unknown

/** Reads a patch. Rejects with 415 for a kind of patch that is not known, and with 400 for one that is malformed. */
export async function readPatch({ resource }: Served, body: Buffer, contentType: string | undefined): Promise<Change> {
  const type = mediaType(contentType)
  if (!PATCH_TYPES.includes(type)) throw errors.unsupportedMediaType(PATCH_TYPES)
  const patch = await parsed(body)
  if (type === PATCH_TYPES[0]) return old => applyJsonPatch(old, patch)
  if (type === PATCH_TYPES[1]) return old => applyMergePatch(old, patch)
  return old => applyStrategicMergePatch(old, patch, resource.type)
}

async function parsed(body: Buffer): Promise<unknown> {
  let read: ParsedJson
  try {
    read = await parseBody(body, 'application/json')
  } catch (error) {
    if (error instanceof SyntaxProblem) throw errors.badRequest(`error decoding patch: ${error.message}`)
    throw error
  }
  return read.value
}
