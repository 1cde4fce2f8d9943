import { type FieldModel, model, type TypeModel, type ValueModel } from '../api/index.ts'
import { jsonType, Mismatch, put, scalars } from './scalars.ts'

/** What decoding notes on its way beside the object that it makes. */
export interface Notes {
  /** Some struct had a key that its type does not. */
  unknown: boolean
}

/** Reads one JSON value, never null, into a new one in canonical form. Throws when its type is wrong. */
export type Decode = (value: unknown, notes: Notes) => unknown

interface FieldDecoder {
  name: string
  decode: Decode
  /** Zero values of this field are left out. */
  dropsZero: boolean
  /** What an absent field becomes; undefined when it stays absent. */
  absent: (() => unknown) | undefined
}

const compiled = new Map<string, Decode>()

/** The decoder of one struct of the model, compiled once. */
export function decoderOf(type: string): Decode {
  let decode = compiled.get(type)
  if (!decode) {
    // Types refer to themselves (a schema has properties that are schemas), so that fields are compiled at first use.
    decode = structDecoder(() => model.type(type))
    compiled.set(type, decode)
  }
  return decode
}

function structDecoder(type: () => TypeModel): Decode {
  let fields: FieldDecoder[] | undefined
  return (value, notes) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Mismatch(jsonType(value))
    fields ??= type().fields.map(fieldDecoder)
    const given = value as Record<string, unknown>
    const object: Record<string, unknown> = {}
    let known = 0
    for (const field of fields) {
      const item = given[field.name]
      if (item !== undefined) known++
      if (item === undefined || item === null) {
        if (field.absent) object[field.name] = field.absent()
        continue
      }
      const decoded = field.decode(item, notes)
      if (field.dropsZero && isZero(decoded)) continue
      object[field.name] = decoded
    }
    if (!notes.unknown && known < countKeys(given)) notes.unknown = true
    return object
  }
}

function countKeys(object: object): number {
  let count = 0
  for (const _ in object) count++
  return count
}

function fieldDecoder(field: FieldModel): FieldDecoder {
  return {
    name: field.name,
    decode: valueDecoder(field),
    dropsZero: dropsZero(field),
    absent: isNullable(field) ? () => null : field.pointer ? undefined : absentValue(field),
  }
}

/** Whether Go's `omitempty` leaves out this field's zero value. */
export function dropsZero({ omitempty, pointer, kind }: FieldModel): boolean {
  if (!omitempty) return false
  if (kind === 'list' || kind === 'map') return true
  return !pointer && kind !== 'struct' && kind !== 'quantity' && kind !== 'duration' && kind !== 'raw'
}

/**
 * Whether Go writes null for this field when nothing is in it: a time, which is a struct and cannot be left out, and what has
 * no `omitempty`. Lists that validation asks for stay lists, so that they are safe to walk.
 */
export function isNullable({ name, kind, pointer, omitempty, required }: FieldModel): boolean {
  if (!pointer && (kind === 'time' || kind === 'microTime')) return name !== 'creationTimestamp'
  return !omitempty && !required && (pointer || kind === 'list' || kind === 'map')
}

export function isZero(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === '' || value === 0 || value === false
  if (Array.isArray(value)) return value.length === 0
  for (const _ in value) return false
  return true
}

/** What Go's encoder writes for a field that was never set, other than null. */
function absentValue(field: FieldModel): (() => unknown) | undefined {
  switch (field.kind) {
    case 'struct':
      return zeroOf(field)
    case 'list':
      // Go writes null; an empty list means the same and is safe to walk.
      return field.required && !field.omitempty ? () => [] : undefined
    case 'quantity':
    case 'duration':
      return zeroOf(field)
    default:
      return field.omitempty ? undefined : zeroOf(field)
  }
}

/** The zero value of a type. */
export function zeroOf(value: ValueModel): (() => unknown) | undefined {
  if (value.kind === 'struct') {
    const decode = decoderOf(value.type)
    return () => decode({}, { unknown: false })
  }
  const zero = scalars[value.kind]?.zero
  return zero === undefined ? undefined : () => zero
}

export function valueDecoder(value: ValueModel): Decode {
  switch (value.kind) {
    case 'struct':
      return decoderOf(value.type)
    case 'list':
      return listDecoder(value.items!)
    case 'map':
      return mapDecoder(value.items!)
    case 'union':
      return unionDecoder(value.choices!)
    default:
      return scalars[value.kind]!.decode
  }
}

/** What Go makes of a null among the items of a list or a map. */
const nullItem = (items: ValueModel) => zeroOf(items) ?? (() => (items.kind === 'bytes' ? '' : null))

function listDecoder(items: ValueModel): Decode {
  const decode = valueDecoder(items)
  const zero = nullItem(items)
  return (value, notes) => {
    if (!Array.isArray(value)) throw new Mismatch(jsonType(value))
    const list: unknown[] = []
    for (const item of value) list.push(item === null ? zero() : decode(item, notes))
    return list
  }
}

function mapDecoder(items: ValueModel): Decode {
  const decode = valueDecoder(items)
  const zero = nullItem(items)
  return (value, notes) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Mismatch(jsonType(value))
    const map: Record<string, unknown> = {}
    for (const key in value) {
      const item = (value as Record<string, unknown>)[key]
      put(map, key, item === null || item === undefined ? zero() : decode(item, notes))
    }
    return map
  }
}

/** The choice that a JSON value is written as. */
export function chosen(choices: ValueModel[], value: unknown): ValueModel | undefined {
  const looks = Array.isArray(value) ? 'list' : typeof value === 'object' ? 'struct' : jsonType(value)
  return choices.find(choice => choice.kind === looks)
}

function unionDecoder(choices: ValueModel[]): Decode {
  const decoders = new Map(choices.map(choice => [choice, valueDecoder(choice)]))
  return (value, notes) => {
    const choice = chosen(choices, value)
    if (!choice) throw new Mismatch(jsonType(value))
    return decoders.get(choice)!(value, notes)
  }
}
