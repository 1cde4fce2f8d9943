import { equal, isObject, type JsonObject } from '../json.ts'
import { compareLists, itemElement, keysOf } from './elements.ts'
import { endNode, type FieldSet, LEAF, startNode } from './field-set.ts'
import { formOf, type ListSchema, type MapSchema, memberSchema, type Schema } from './schema.ts'

/** How two values differ. Source: sigs.k8s.io/structured-merge-diff typed Comparison */
export interface Comparison {
  /** The paths that the new value has and the old one has not, or has otherwise. */
  changed?: FieldSet
  /** The paths that only the old value has. */
  removed?: FieldSet
}

/** Throws an UnnamedItem. */
export function compare(schema: Schema, from: unknown, to: unknown): Comparison {
  return { changed: novel(schema, from, to, true), removed: novel(schema, to, from, false) }
}

/** The paths of `to` that `from` has not; with `otherwise` also those that it has with another value. */
function novel(schema: Schema, from: unknown, to: unknown, otherwise: boolean): FieldSet | undefined {
  // What is merged shares with the live object all that the configuration is silent about.
  if (to === undefined || to === from) return undefined
  const form = formOf(schema, to)
  const atomic = form === 'scalar' || (form === 'list' ? schema.list!.type === 'atomic' : schema.map!.atomic)
  // Two that are empty differ as a whole, if one of them is null.
  if (atomic || (isBare(from) && isBare(to)))
    return from === undefined || (otherwise && !equal(from, to)) ? LEAF : undefined
  const member = from === undefined || (otherwise && isOfOtherForm(from, form))
  const node = startNode(member)
  if (form === 'list') novelItems(schema.list!, from, to, otherwise, node)
  else novelMembers(schema.map!, isObject(from) ? from : NONE, isObject(to) ? to : NONE, otherwise, node)
  return endNode(node, member)
}

const NONE: JsonObject = {}

function isOfOtherForm(value: unknown, form: string): boolean {
  if (value === null) return false
  return form === 'list' ? !Array.isArray(value) : !isObject(value)
}

function isBare(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined || value === null
  if (Array.isArray(value)) return value.length === 0
  for (const _ in value) return false
  return true
}

type Node = ReturnType<typeof startNode>

function novelMembers(map: MapSchema, from: JsonObject, to: JsonObject, otherwise: boolean, node: Node): void {
  if (map.others) {
    for (const name of Object.keys(to).sort()) {
      const before = Object.hasOwn(from, name) ? from[name] : undefined
      const child = novel(memberSchema(map, name)!, before, to[name], otherwise)
      if (child) node[`f:${name}`] = child
    }
    return
  }
  for (const { name, element, schema } of map.fields()) {
    const value = to[name]
    if (value === undefined || !Object.hasOwn(to, name)) continue
    const child = novel(schema, Object.hasOwn(from, name) ? from[name] : undefined, value, otherwise)
    if (child) node[element] = child
  }
}

/** An item, or the items that have the same keys: where there are several they are judged as one. */
interface Named {
  keys: unknown[]
  item: unknown
  several: boolean
}

function novelItems(list: ListSchema, from: unknown, to: unknown, otherwise: boolean, node: Node): void {
  const before = byElement(list, from)
  const found = [...byElement(list, to)]
  if (found.length > 1) found.sort(([, a], [, b]) => compareLists(a.keys, b.keys))
  for (const [element, named] of found) {
    const child = novelItem(list, before.get(element), named, otherwise)
    if (child) node[element] = child
  }
}

function novelItem(list: ListSchema, from: Named | undefined, to: Named, otherwise: boolean): FieldSet | undefined {
  if (to.several || from?.several) {
    if (from?.several && to.several) return otherwise && !equal(from.item, to.item) ? LEAF : undefined
    return to.several ? LEAF : novel(list.items, undefined, to.item, otherwise)
  }
  return novel(list.items, from?.item, to.item, otherwise)
}

function byElement(list: ListSchema, items: unknown): Map<string, Named> {
  const found = new Map<string, Named>()
  if (!Array.isArray(items)) return found
  for (const item of items) {
    const keys = keysOf(list, item)
    const element = itemElement(list, keys)
    const known = found.get(element)
    if (!known) found.set(element, { keys, item, several: false })
    else
      found.set(element, {
        keys,
        item: [...(known.several ? (known.item as unknown[]) : [known.item]), item],
        several: true,
      })
  }
  return found
}
