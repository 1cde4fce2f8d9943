import {
  type FieldModel,
  formatDuration,
  formatMicroTime,
  formatTime,
  model,
  type ValueModel,
} from '../../api/index.ts'
import { parseJson, SyntaxProblem } from '../json.ts'
import { put } from '../scalars.ts'
import { isMessageList } from './shapes.ts'
import { WireError, type WireReader, WireType } from './wire-reader.ts'

/** Takes the value of one field and says what JSON has for it; `before` is what the same field held earlier on the wire. */
type ReadValue = (reader: WireReader, before: unknown) => unknown

/** Takes the value of one field into the object. */
type ReadField = (reader: WireReader, wire: number, object: JsonObject) => void

type JsonObject = Record<string, unknown>
type Fields = Map<number, ReadField>

const compiled = new Map<string, Fields>()

/**
 * Reads the fields of a message of the model's type as the JSON value that says the same. What the type does not know
 * is passed over. Throws a WireError.
 */
export function readMessage(reader: WireReader, type: string): JsonObject {
  const object: JsonObject = {}
  reader.fields(intoObject(reader, fieldsOf(type), object))
  return object
}

const intoObject =
  (reader: WireReader, fields: Fields, object: JsonObject) =>
  (tag: number, wire: number): void => {
    const read = fields.get(tag)
    if (read) read(reader, wire, object)
    else reader.skip(wire)
  }

function fieldsOf(type: string): Fields {
  let fields = compiled.get(type)
  if (!fields) {
    fields = fieldReaders(model.type(type).fields, 0)
    compiled.set(type, fields)
  }
  return fields
}

/** Of the fields that lie `depth` inlined structs down, and of those below. */
function fieldReaders(fields: FieldModel[], depth: number): Fields {
  const byTag = Map.groupBy(
    fields.filter(({ tag }) => tag !== undefined),
    field => field.within[depth] ?? field.tag!,
  )
  const readers: Fields = new Map()
  for (const [tag, [first, ...rest]] of byTag)
    readers.set(tag, first!.within.length > depth ? inlinedReader([first!, ...rest], depth) : fieldReader(first!))
  return readers
}

/** What is a message of its own here, and inlined by JSON. */
function inlinedReader(inner: FieldModel[], depth: number): ReadField {
  const fields = fieldReaders(inner, depth + 1)
  return (reader, wire, object) => {
    checkWire(wire, WireType.bytes, inner[0]!.name)
    reader.message(intoObject(reader, fields, object))
  }
}

function fieldReader(field: FieldModel): ReadField {
  const { name } = field
  const read = valueReader(field)
  if (field.kind === 'list' && !isMessageList(field)) return listReader(name, field.items!)
  const expected = wireOf(field)
  return (reader, wire, object) => {
    checkWire(wire, expected, name)
    const value = read(reader, object[name])
    if (value === undefined || value === null) delete object[name]
    else object[name] = value
  }
}

function listReader(name: string, items: ValueModel): ReadField {
  const read = valueReader(items)
  const expected = wireOf(items)
  return (reader, wire, object) => {
    object[name] ??= []
    const list = object[name] as unknown[]
    const add = () => void list.push(read(reader, undefined) ?? null)
    // Numbers may come one by one or together.
    if (wire === WireType.bytes && expected !== WireType.bytes) return reader.packed(add)
    checkWire(wire, expected, name)
    add()
  }
}

function wireOf({ kind }: ValueModel): number {
  if (kind === 'bool' || kind === 'int32' || kind === 'int64') return WireType.varint
  return kind === 'float64' ? WireType.fixed64 : WireType.bytes
}

function checkWire(wire: number, expected: number, name: string): void {
  if (wire !== expected)
    throw new WireError(`proto: wrong wireType = ${wire} for field ${name.charAt(0).toUpperCase()}${name.slice(1)}`)
}

function valueReader(value: ValueModel): ReadValue {
  switch (value.kind) {
    case 'string':
      return reader => reader.string()
    case 'bool':
      return reader => reader.bool()
    case 'int32':
      return reader => reader.int32()
    case 'int64':
      return reader => reader.int64()
    case 'float64':
      return reader => reader.double()
    case 'bytes':
      return reader => reader.bytes().toString('base64')
    case 'struct':
      return structReader(value.type)
    case 'list':
      return messageListReader(value.items!)
    case 'map':
      return mapReader(value.items!)
    case 'union':
      return unionReader(value.choices!)
    default:
      return SPECIAL[value.kind]!
  }
}

/** Types refer to themselves, so that fields are compiled at first use. */
function structReader(type: string): ReadValue {
  let fields: Fields | undefined
  return (reader, before) => {
    fields ??= fieldsOf(type)
    const object = (before ?? {}) as JsonObject
    reader.message(intoObject(reader, fields, object))
    return object
  }
}

function messageListReader(items: ValueModel): ReadValue {
  const read = listReader('items', items)
  return (reader, before) => {
    const holder: JsonObject = { items: before ?? [] }
    reader.message((tag, wire) => (tag === 1 ? read(reader, wire, holder) : reader.skip(wire)))
    return holder.items
  }
}

function mapReader(items: ValueModel): ReadValue {
  const read = valueReader(items)
  const expected = wireOf(items)
  return (reader, before) => {
    const map = (before ?? {}) as JsonObject
    let key = ''
    let item: unknown = null
    reader.message((tag, wire) => {
      if (tag === 1) {
        checkWire(wire, WireType.bytes, 'key')
        key = reader.string()
      } else if (tag === 2) {
        checkWire(wire, expected, 'value')
        item = read(reader, undefined) ?? null
      } else reader.skip(wire)
    })
    put(map, key, item)
    return map
  }
}

/** The scalars of one of the messages that JSON writes in a form of its own, by their numbers. */
function readNumbersAndTexts(reader: WireReader): Map<number, number | Buffer> {
  const found = new Map<number, number | Buffer>()
  reader.message((tag, wire) => {
    if (wire === WireType.varint) found.set(tag, reader.int64())
    else if (wire === WireType.bytes) found.set(tag, reader.bytes())
    else reader.skip(wire)
  })
  return found
}

const numberIn = (found: Map<number, number | Buffer>, tag: number): number => {
  const value = found.get(tag)
  return typeof value === 'number' ? value : 0
}

const textIn = (found: Map<number, number | Buffer>, tag: number): string => {
  const value = found.get(tag)
  return typeof value === 'object' ? value.toString() : ''
}

/** The types with a form of their own in JSON. */
const SPECIAL: Partial<Record<ValueModel['kind'], ReadValue>> = {
  time: reader => readMoment(reader, seconds => formatTime(seconds * 1000)),

  microTime: reader =>
    readMoment(reader, (seconds, nanos) => formatMicroTime(seconds * 1000 + Math.trunc(nanos / 1000) / 1000)),

  duration: reader => formatDuration(numberIn(readNumbersAndTexts(reader), 1) / 1e6),

  quantity(reader) {
    const found = readNumbersAndTexts(reader)
    return found.has(1) ? textIn(found, 1) : '0'
  },

  intOrString(reader) {
    const found = readNumbersAndTexts(reader)
    return numberIn(found, 1) === 1 ? textIn(found, 3) : numberIn(found, 2) | 0
  },

  raw(reader) {
    const bytes = readNumbersAndTexts(reader).get(1)
    if (typeof bytes !== 'object' || !bytes.length) return undefined
    try {
      return parseJson(bytes).value
    } catch (error) {
      throw error instanceof SyntaxProblem ? new WireError(error.message) : error
    }
  },
}

/** The moments that RFC 3339 can write, in seconds since the epoch: the years 1 to 9999; the first of them is Go's zero. */
const FIRST = -62_135_596_800
const LAST = 253_402_300_799

function readMoment(reader: WireReader, format: (seconds: number, nanos: number) => string): string | undefined {
  const found = readNumbersAndTexts(reader)
  const [seconds, nanos] = [numberIn(found, 1), numberIn(found, 2)]
  if (!found.size || (seconds === FIRST && nanos === 0)) return undefined
  if (seconds < FIRST || seconds > LAST) throw new WireError('Time.MarshalJSON: year outside of range [0,9999]')
  return format(seconds, nanos)
}

/** A JSON schema, or else something simpler that has the other field: of a boolean that is the first. */
function unionReader([schema, other]: ValueModel[]): ReadValue {
  const readSchema = valueReader(schema!)
  if (other!.kind === 'bool')
    return reader => {
      let allows: unknown = false
      let found: unknown
      reader.message((tag, wire) => {
        if (tag === 1 && wire === WireType.varint) allows = reader.bool()
        else if (tag === 2 && wire === WireType.bytes) found = readSchema(reader, found)
        else reader.skip(wire)
      })
      return found ?? allows
    }
  const readOthers = listReader('others', other!.items!)
  return reader => {
    const holder: JsonObject = {}
    let found: unknown
    reader.message((tag, wire) => {
      if (tag === 1 && wire === WireType.bytes) found = readSchema(reader, found)
      else if (tag === 2) readOthers(reader, wire, holder)
      else reader.skip(wire)
    })
    return found ?? holder.others
  }
}
