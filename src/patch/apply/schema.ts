/**
 * What server-side apply has to know of the shape of a value. The API model gives one for every built-in type
 * (`modelSchema`); the structural schema of a CustomResourceDefinition can give another.
 * A value that may be of several forms has several members, and what it is written as tells them apart.
 * Source: sigs.k8s.io/structured-merge-diff schema.Atom
 */
export interface Schema {
  scalar?: 'string' | 'numeric' | 'boolean' | 'untyped'
  list?: ListSchema
  map?: MapSchema
}

export interface ListSchema {
  /** `atomic` has one owner as a whole; the items of a `set` and of a `map` have owners each. */
  type: 'atomic' | 'set' | 'map'
  /** Of a `map`: the fields that tell its items apart, sorted by name, and what each is when an item does not say. */
  keys: { name: string; default?: unknown }[]
  items: Schema
}

/** An object, whether it has declared fields, other members, or both. */
export interface MapSchema {
  /** It has one owner as a whole. */
  atomic: boolean
  /** The declared fields, sorted by name. */
  fields(): readonly MapField[]
  field(name: string): Schema | undefined
  /** What every member is that is not declared; absent where there may be none. */
  others?: Schema
}

export interface MapField {
  name: string
  /** `f:NAME`, as field sets write it. */
  element: string
  schema: Schema
}

/** Of what has no schema: its form is seen from the value, and lists have one owner. */
export const anything: Schema = {
  scalar: 'untyped',
  list: { type: 'atomic', keys: [], items: {} },
  map: { atomic: false, fields: () => [], field: () => undefined },
}
anything.list!.items = anything
anything.map!.others = anything

export type Form = 'scalar' | 'list' | 'map'

/** The form in which the schema takes the value; null, and what fits none, is taken in the first that there is. */
export function formOf({ scalar, list, map }: Schema, value: unknown): Form {
  if (typeof value === 'object' && value !== null) {
    if (Array.isArray(value)) {
      if (list) return 'list'
    } else if (map) return 'map'
  } else if (scalar && value !== null && value !== undefined) return 'scalar'
  return map ? 'map' : scalar ? 'scalar' : 'list'
}

/** The schema of a member, declared or not; undefined where there may be no such. */
export const memberSchema = (map: MapSchema, name: string): Schema | undefined => map.field(name) ?? map.others
