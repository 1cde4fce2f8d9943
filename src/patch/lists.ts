import { inapplicable, unmergeable } from './errors.ts'
import { goString, goType, isObject } from './json.ts'

/** The value of an item's merge key; an item without one cannot be merged. */
export function mergeKeyOf(item: unknown, mergeKey: string): unknown {
  if (!isObject(item)) throw unmergeable(`expected a map[string]interface {}, but received a ${goType(item)}`)
  if (!Object.hasOwn(item, mergeKey))
    throw unmergeable(`map: ${goString(item)} does not contain declared merge key: ${mergeKey}`)
  return item[mergeKey]
}

/** Whether lists that shall merge hold maps or plain values; they may not hold both, nor lists. */
export function sameKind(...lists: unknown[][]): 'map' | 'scalar' {
  const types = new Set(lists.flat().map(goType))
  if (types.size === 1 && types.has('[]interface {}')) throw inapplicable('lists of lists are not supported')
  if (types.size > 1) throw unmergeable(`list element types are not identical: ${goString(lists)}`)
  return types.has('map[string]interface {}') ? 'map' : 'scalar'
}

/**
 * Orders merged items: those that `order` names follow it, the others keep the order they had on the server, and where
 * both could come next, the server's order decides if it knows both; else what `order` names comes first.
 */
export function inOrder(merged: unknown[], order: unknown[], server: unknown[], mergeKey: string): unknown[] {
  const given = (item: unknown) => (mergeKey ? mergeKeyOf(item, mergeKey) : item)
  // What is merged has lost a key that was null.
  const keyOf = (item: unknown) => (mergeKey && isObject(item) ? (item[mergeKey] ?? null) : item)
  const wanted = positions(order.map(given))
  const before = positions(server.map(given))
  const place = (places: Map<unknown, number>) => (item: unknown) => places.get(keyOf(item)) ?? Number.POSITIVE_INFINITY
  const by = (at: (item: unknown) => number) => (a: unknown, b: unknown) => (at(a) === at(b) ? 0 : at(a) - at(b))
  const named = merged.filter(item => wanted.has(keyOf(item))).sort(by(place(wanted)))
  const others = merged.filter(item => !wanted.has(keyOf(item))).sort(by(place(before)))
  const result: unknown[] = []
  while (named.length > 0 && others.length > 0) {
    const [other, name] = [before.get(keyOf(others[0])), before.get(keyOf(named[0]))]
    const serverFirst = other !== undefined && name !== undefined && other < name
    result.push((serverFirst ? others : named).shift())
  }
  return [...result, ...named, ...others]
}

function positions(keys: unknown[]): Map<unknown, number> {
  const found = new Map<unknown, number>()
  keys.forEach((key, index) => {
    if (!found.has(key)) found.set(key, index)
  })
  return found
}
