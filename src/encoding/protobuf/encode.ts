import { type FieldModel, model, parseDuration, parseTime, type ValueModel } from '../../api/index.ts'
import { isMessageList } from './shapes.ts'
import { WireWriter } from './wire-writer.ts'

/** Writes one value with the number of its field; what is absent is written as Go's zero value. */
type WriteValue = (writer: WireWriter, tag: number, value: unknown) => void

/** Writes what a struct has in a field, or in the fields of a struct that JSON inlines. */
type WriteField = (writer: WireWriter, object: JsonObject) => void

type JsonObject = Record<string, unknown>

const NOTHING: JsonObject = {}
const compiled = new Map<string, WriteField>()

/**
 * An object as a message of the model's type, in the very bytes of upstream's generated code: fields in the order of their
 * numbers, those of pointers, lists and maps only when they are there, all others always, zero values included.
 */
export function encodeMessage(type: string, object: unknown): Buffer {
  const writer = new WireWriter()
  structWriter(type)(writer, object as JsonObject)
  return writer.finish()
}

function structWriter(type: string): WriteField {
  let write = compiled.get(type)
  if (!write) {
    // Types refer to themselves, so that fields are compiled at first use.
    let fields: WriteField[] | undefined
    write = (writer, object) => {
      fields ??= fieldWriters(model.type(type).fields, 0)
      for (const field of fields) field(writer, object)
    }
    compiled.set(type, write)
  }
  return write
}

/** Of the fields that lie `depth` inlined structs down, and of those below. */
function fieldWriters(fields: FieldModel[], depth: number): WriteField[] {
  const byTag = Map.groupBy(
    fields.filter(({ tag }) => tag !== undefined),
    field => field.within[depth] ?? field.tag!,
  )
  return [...byTag]
    .sort(([a], [b]) => a - b)
    .map(([tag, [first, ...rest]]) =>
      first!.within.length > depth ? inlinedWriter(tag, [first!, ...rest], depth) : fieldWriter(tag, first!),
    )
}

/** What JSON inlines is a message of its own here. */
function inlinedWriter(tag: number, inner: FieldModel[], depth: number): WriteField {
  const fields = fieldWriters(inner, depth + 1)
  return (writer, object) =>
    writer.message(tag, () => {
      for (const field of fields) field(writer, object)
    })
}

function fieldWriter(tag: number, field: FieldModel): WriteField {
  const { name } = field
  const write = field.kind === 'list' && !isMessageList(field) ? listWriter(field.items!) : valueWriter(field)
  const optional = field.pointer || field.kind === 'list' || field.kind === 'map' || field.kind === 'bytes'
  if (!optional) return (writer, object) => write(writer, tag, object[name])
  return (writer, object) => {
    const value = object[name]
    if (value !== undefined && value !== null) write(writer, tag, value)
  }
}

function listWriter(items: ValueModel): WriteValue {
  const write = valueWriter(items)
  return (writer, tag, list) => {
    for (const item of list as unknown[]) write(writer, tag, item)
  }
}

function mapWriter(items: ValueModel): WriteValue {
  const write = valueWriter(items)
  return (writer, tag, map) => {
    for (const key of Object.keys(map as JsonObject).sort())
      writer.message(tag, () => {
        writer.string(1, key)
        const item = (map as JsonObject)[key]
        // Of all values only bytes have a nil.
        if (item !== null || items.kind !== 'bytes') write(writer, 2, item)
      })
  }
}

function valueWriter(value: ValueModel): WriteValue {
  switch (value.kind) {
    case 'struct': {
      const write = structWriter(value.type)
      return (writer, tag, object) => writer.message(tag, () => write(writer, (object ?? NOTHING) as JsonObject))
    }
    case 'list': {
      const write = listWriter(value.items!)
      return (writer, tag, list) => writer.message(tag, () => write(writer, 1, list ?? []))
    }
    case 'map':
      return mapWriter(value.items!)
    case 'union':
      return unionWriter(value.choices!)
    case 'string':
      return (writer, tag, text) => writer.string(tag, (text as string) ?? '')
    case 'bool':
      return (writer, tag, flag) => writer.varint(tag, (flag as boolean) ?? false)
    case 'int32':
    case 'int64':
      return (writer, tag, number) => writer.varint(tag, (number as number) ?? 0)
    case 'float64':
      return (writer, tag, number) => writer.double(tag, (number as number) ?? 0)
    case 'bytes':
      return (writer, tag, base64) => writer.bytes(tag, Buffer.from((base64 as string) ?? '', 'base64'))
    default:
      return SPECIAL[value.kind]!
  }
}

/** The types with a form of their own in JSON. */
const SPECIAL: Partial<Record<ValueModel['kind'], WriteValue>> = {
  time: (writer, tag, text) => writeMoment(writer, tag, text, () => 0),
  microTime: (writer, tag, text) => writeMoment(writer, tag, text, microseconds => microseconds * 1000),

  duration: (writer, tag, text) =>
    writer.message(tag, () => writer.varint(1, Math.round(parseDuration((text as string) ?? '0s') * 1e6))),

  quantity: (writer, tag, text) => writer.message(tag, () => writer.string(1, (text as string) ?? '0')),

  intOrString: (writer, tag, value) =>
    writer.message(tag, () => {
      const isText = typeof value === 'string'
      writer.varint(1, isText)
      writer.varint(2, isText ? 0 : ((value as number) ?? 0))
      writer.string(3, isText ? value : '')
    }),

  raw: (writer, tag, value) =>
    writer.message(tag, () => {
      if (value !== undefined && value !== null) writer.string(1, JSON.stringify(value))
    }),
}

const MICROSECONDS = 1_000_000

/** `nanosOf` makes the nanoseconds of the microseconds within the second. */
function writeMoment(writer: WireWriter, tag: number, text: unknown, nanosOf: (microseconds: number) => number): void {
  writer.message(tag, () => {
    if (typeof text !== 'string') return
    const microseconds = Math.round(parseTime(text) * 1000)
    const seconds = Math.floor(microseconds / MICROSECONDS)
    writer.varint(1, seconds)
    writer.varint(2, nanosOf(microseconds - seconds * MICROSECONDS))
  })
}

/** A JSON schema, or else something simpler that has the other field. */
function unionWriter([schema, other]: ValueModel[]): WriteValue {
  const writeSchema = valueWriter(schema!)
  if (other!.kind === 'bool')
    return (writer, tag, value) =>
      writer.message(tag, () => {
        // Where there is a schema, anything is allowed that fits it.
        writer.varint(1, typeof value === 'object' || value === true)
        if (typeof value === 'object') writeSchema(writer, 2, value)
      })
  const writeOthers = listWriter(other!.items!)
  return (writer, tag, value) =>
    writer.message(tag, () => {
      if (Array.isArray(value)) writeOthers(writer, 2, value)
      else if (value !== undefined && value !== null) writeSchema(writer, 1, value)
    })
}
