import { isObject, type JsonObject, put } from '../json.ts'
import { elementOf } from './elements.ts'
import { type FieldSet, isMember } from './field-set.ts'
import { formOf, memberSchema, type Schema } from './schema.ts'

/**
 * The value without the paths of the set and without what lies below them. What loses everything becomes null.
 * Source: sigs.k8s.io/structured-merge-diff typed RemoveItems
 */
export function removeFields(schema: Schema, value: unknown, set: FieldSet | undefined): unknown {
  if (!set || typeof value !== 'object' || value === null) return value
  const form = formOf(schema, value)
  if (form === 'list' ? schema.list!.type === 'atomic' : schema.map?.atomic) return null
  if (Array.isArray(value)) return removeItems(schema, value, set)
  return isObject(value) ? removeMembers(schema, value, set) : value
}

function removeItems({ list }: Schema, items: unknown[], set: FieldSet): unknown {
  const kept = items.flatMap(item => {
    const below = set[elementOf(list!, item)]
    if (below && isMember(below)) return []
    return [removeFields(list!.items, item, below)]
  })
  return kept.length ? kept : null
}

function removeMembers({ map }: Schema, object: JsonObject, set: FieldSet): unknown {
  const kept: JsonObject = {}
  let some = false
  for (const name of Object.keys(object)) {
    const below = set[`f:${name}`]
    if (below && isMember(below)) continue
    some = true
    put(kept, name, removeFields(memberSchema(map!, name) ?? {}, object[name], below))
  }
  return some || !Object.keys(object).length ? kept : null
}
