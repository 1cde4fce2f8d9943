import { isObject } from '../json.ts'
import { compareElements, elementOf } from './elements.ts'
import { endNode, type FieldSet, LEAF, startNode } from './field-set.ts'
import { formOf, type ListSchema, type MapSchema, memberSchema, type Schema } from './schema.ts'

/**
 * The paths that a value sets: those of its scalars and of what has one owner as a whole, of the items of its lists and
 * of the members of its maps. Throws an UnnamedItem.
 * Source: sigs.k8s.io/structured-merge-diff typed ToFieldSet
 */
export const fieldsOf = (schema: Schema, value: unknown): FieldSet | undefined => extract(schema, value, false)

/** `member`: the path to the value itself is one that is set. */
function extract(schema: Schema, value: unknown, member: boolean): FieldSet | undefined {
  const form = formOf(schema, value)
  if (form === 'scalar' || (form === 'list' ? schema.list!.type === 'atomic' : schema.map!.atomic)) return LEAF
  const node = startNode(member)
  if (form === 'list') {
    if (Array.isArray(value)) extractItems(schema.list!, value, node)
  } else if (isObject(value)) extractMembers(schema.map!, value, node)
  return endNode(node, member)
}

type Node = ReturnType<typeof startNode>

function extractItems(list: ListSchema, items: unknown[], node: Node): void {
  const found = new Map(items.map(item => [elementOf(list, item), item]))
  for (const element of [...found.keys()].sort(compareElements))
    node[element] = extract(list.items, found.get(element), true)!
}

function extractMembers(map: MapSchema, object: Record<string, unknown>, node: Node): void {
  for (const name of Object.keys(object).sort()) {
    const schema = memberSchema(map, name)
    if (!schema) continue
    const member = map.field(name) === undefined || isBare(object[name])
    const child = extract(schema, object[name], member)
    if (child) node[`f:${name}`] = child
  }
}

/** Null, and an object without members, say no more than that they are there. */
function isBare(value: unknown): boolean {
  if (value === null) return true
  if (!isObject(value)) return false
  for (const _ in value) return false
  return true
}
