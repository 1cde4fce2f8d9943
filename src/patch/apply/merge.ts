import { isObject, type JsonObject, put } from '../json.ts'
import { elementOf } from './elements.ts'
import { formOf, type ListSchema, type MapSchema, memberSchema, type Schema } from './schema.ts'

/**
 * The live value with what the applied configuration says of it. What the configuration is silent about stays, and so
 * does a list or a map that it empties: taking away is a matter of ownership. The result may share parts with both.
 * Source: sigs.k8s.io/structured-merge-diff typed Merge
 */
export function merge(schema: Schema, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live
  const form = formOf(schema, applied)
  if (form === 'list' && schema.list!.type !== 'atomic' && Array.isArray(live) && live.length)
    return Array.isArray(applied) ? mergeItems(schema.list!, live, applied) : live
  if (form === 'map' && !schema.map!.atomic && isObject(live) && Object.keys(live).length)
    return isObject(applied) ? mergeMembers(schema.map!, live, applied) : live
  return applied
}

function mergeMembers(map: MapSchema, live: JsonObject, applied: JsonObject): JsonObject {
  const result = { ...live }
  for (const name of Object.keys(applied)) {
    const before = Object.hasOwn(live, name) ? live[name] : undefined
    put(result, name, merge(memberSchema(map, name) ?? {}, before, applied[name]))
  }
  return result
}

/**
 * The items that the configuration names come in its order. An item of the live list alone stays behind the items that
 * it stood behind, and before the next one that both have.
 */
function mergeItems(list: ListSchema, live: unknown[], applied: unknown[]): unknown[] {
  const elements = live.map(item => elementOf(list, item))
  const wanted = applied.map(item => elementOf(list, item))
  const held = new Map(live.map((item, index) => [elements[index]!, item] as const).reverse())
  const named = new Set(wanted)
  const result: unknown[] = []
  let next = 0
  const takeUntil = (shared: string | undefined) => {
    for (; next < live.length && elements[next] !== shared; next++)
      if (!named.has(elements[next]!)) result.push(live[next])
  }
  for (const [index, element] of wanted.entries()) {
    takeUntil(wanted.slice(index).find(each => held.has(each)))
    if (elements[next] === element) next++
    result.push(merge(list.items, held.get(element), applied[index]))
  }
  takeUntil(undefined)
  return result
}
