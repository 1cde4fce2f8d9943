import { clone, isObject, type JsonObject, put } from './json.ts'

/** A JSON merge patch: objects merge, null removes, everything else replaces. Source: RFC 7386. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return clone(patch)
  const result: JsonObject = isObject(document) ? { ...document } : {}
  for (const key of Object.keys(patch)) {
    if (patch[key] === null) delete result[key]
    else put(result, key, applyMergePatch(Object.hasOwn(result, key) ? result[key] : undefined, patch[key]))
  }
  return result
}
