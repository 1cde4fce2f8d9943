import { type FieldModel, formatDuration, formatMicroTime, formatTime, model } from '../api/index.ts'
import { type ParsedJson, SyntaxProblem } from './json.ts'

/** What every protobuf body of the API begins with; a `runtime.Unknown` follows. */
const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00])

/**
 * Reads an object in protobuf as the JSON value that says the same. Throws a SyntaxProblem.
 * Only reading: whoever sends protobuf takes JSON for an answer.
 * Source: k8s.io/apimachinery/pkg/runtime/serializer/protobuf
 */
export function parseProtobuf(bytes: Uint8Array, type: string): ParsedJson {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!body.subarray(0, MAGIC.length).equals(MAGIC))
    throw new SyntaxProblem('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  try {
    const unknown = fieldsOf(body.subarray(MAGIC.length))
    const typeMeta = fieldsOf(last(unknown, 1)?.bytes ?? EMPTY)
    const value = readStruct(type, last(unknown, 2)?.bytes ?? EMPTY)
    const [apiVersion, kind] = [last(typeMeta, 1)?.bytes?.toString(), last(typeMeta, 2)?.bytes?.toString()]
    return { value: { ...(kind ? { kind } : {}), ...(apiVersion ? { apiVersion } : {}), ...value }, duplicates: [] }
  } catch (error) {
    if (error instanceof RangeError) throw new SyntaxProblem('unexpected EOF')
    throw error
  }
}

const EMPTY = Buffer.alloc(0)

/** One field on the wire: a number, or bytes that may be text, a message or packed numbers. */
interface Wire {
  number?: bigint
  double?: number
  bytes?: Buffer
}

type Fields = Map<number, Wire[]>

const last = (fields: Fields, tag: number): Wire | undefined => fields.get(tag)?.at(-1)

function fieldsOf(message: Buffer): Fields {
  const fields: Fields = new Map()
  const reader = new Reader(message)
  while (!reader.done) {
    const key = Number(reader.varint())
    const wire = reader.wire(key & 7)
    const present = fields.get(key >>> 3)
    if (present) present.push(wire)
    else fields.set(key >>> 3, [wire])
  }
  return fields
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** As a signed number of 64 bits. */
  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes.readUInt8(this.#at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, value)
    }
    throw new SyntaxProblem('proto: integer overflow')
  }

  wire(kind: number): Wire {
    if (kind === 0) return { number: this.varint() }
    if (kind === 1) {
      this.#at += 8
      return { double: this.#bytes.readDoubleLE(this.#at - 8) }
    }
    if (kind === 5) {
      this.#at += 4
      return { double: this.#bytes.readFloatLE(this.#at - 4) }
    }
    if (kind !== 2) throw new SyntaxProblem(`proto: illegal wireType ${kind}`)
    const length = Number(this.varint())
    const start = this.#at
    if (length < 0 || start + length > this.#bytes.length) throw new RangeError()
    this.#at += length
    return { bytes: this.#bytes.subarray(start, this.#at) }
  }
}

type JsonObject = Record<string, unknown>

function readStruct(type: string, message: Buffer): JsonObject {
  const object: JsonObject = {}
  const outer = fieldsOf(message)
  // A struct that JSON inlines is a message of its own here.
  const inner = new Map<string, Fields>([['', outer]])
  for (const field of wireFields(type)) {
    const fields = inlined(inner, field.within)
    const wires = field.tag === undefined ? undefined : fields.get(field.tag)
    if (!wires) continue
    const value = readField(field, wires)
    if (value !== undefined && !(field.omitempty && !field.pointer && isZero(value))) object[field.name] = value
  }
  return object
}

/**
 * The kind and the version that JSON inlines are not on the wire, where the envelope says them. The model gives them the
 * numbers that they have by themselves, which the fields that come after them use as well.
 */
function wireFields(type: string): Iterable<FieldModel> {
  return new Map(model.type(type).fields.map(field => [`${field.within}:${field.tag}`, field])).values()
}

function inlined(known: Map<string, Fields>, within: number[]): Fields {
  const path = within.join()
  let fields = known.get(path)
  if (!fields) {
    const parent = inlined(known, within.slice(0, -1))
    fields = fieldsOf(last(parent, within.at(-1)!)?.bytes ?? EMPTY)
    known.set(path, fields)
  }
  return fields
}

/** Go writes every scalar that is not a pointer, also one that was never set. */
const isZero = (value: unknown) => value === '' || value === 0 || value === false

type Shape = Pick<FieldModel, 'kind' | 'type' | 'items' | 'choices'>

function readField(field: Shape, wires: Wire[]): unknown {
  if (field.kind === 'list') return wires.flatMap(wire => readItem(field.items!, wire))
  if (field.kind === 'map') return Object.fromEntries(wires.map(wire => readEntry(field.items!, wire)))
  return readValue(field, wires.at(-1)!)
}

/** An item, or several that are packed together. */
function readItem(items: Shape, wire: Wire): unknown[] {
  const packed = wire.bytes && (items.kind === 'int32' || items.kind === 'int64' || items.kind === 'bool')
  if (!packed) return [readValue(items, wire)]
  const values: unknown[] = []
  for (const reader = new Reader(wire.bytes!); !reader.done; )
    values.push(readValue(items, { number: reader.varint() }))
  return values
}

function readEntry(items: Shape, { bytes = EMPTY }: Wire): [string, unknown] {
  const entry = fieldsOf(bytes)
  const value = last(entry, 2) ?? (isMessage(items) ? { bytes: EMPTY } : { number: 0n, bytes: EMPTY })
  return [last(entry, 1)?.bytes?.toString() ?? '', readValue(items, value)]
}

const isMessage = ({ kind }: Shape) => !['string', 'bytes', 'int32', 'int64', 'bool', 'float64'].includes(kind)

function readValue(shape: Shape, { number = 0n, double = 0, bytes = EMPTY }: Wire): unknown {
  switch (shape.kind) {
    case 'string':
      return bytes.toString()
    case 'bool':
      return number !== 0n
    case 'int32':
    case 'int64':
      return Number(number)
    case 'float64':
      return double
    case 'bytes':
      return bytes.toString('base64')
    case 'struct':
      return readStruct(shape.type, bytes)
    case 'list':
      // A named list of strings is a message of its own: ExtraValue.
      return readField(shape, fieldsOf(bytes).get(1) ?? [])
    case 'map':
      return readField(shape, fieldsOf(bytes).get(1) ?? [])
    case 'union':
      return readUnion(shape, fieldsOf(bytes))
    default:
      return readSpecial(shape.kind, fieldsOf(bytes))
  }
}

/** The types with a form of their own in JSON. */
function readSpecial(kind: Shape['kind'], fields: Fields): unknown {
  const integer = (tag: number) => Number(last(fields, tag)?.number ?? 0n)
  const text = (tag: number) => last(fields, tag)?.bytes?.toString() ?? ''
  switch (kind) {
    case 'time':
      return fields.size ? formatTime(integer(1) * 1000) : undefined
    case 'microTime':
      return fields.size ? formatMicroTime(integer(1) * 1000 + integer(2) / 1e6) : undefined
    case 'duration':
      return formatDuration(integer(1) / 1e6)
    case 'quantity':
      return text(1)
    case 'intOrString':
      return integer(1) === 1 ? text(3) : integer(2)
    case 'raw':
      return readRaw(text(1))
    default:
      throw new SyntaxProblem(`proto: ${kind} has no wire form`)
  }
}

function readRaw(text: string): unknown {
  if (!text) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new SyntaxProblem((error as Error).message)
  }
}

/** A JSON schema, or else something simpler that has the other field: of a boolean that is the first. */
function readUnion({ choices = [] }: Shape, fields: Fields): unknown {
  const [schema, other] = [choices[0]!, choices[1]!]
  const [schemaTag, otherTag] = other.kind === 'bool' ? [2, 1] : [1, 2]
  const found = last(fields, schemaTag)
  if (found) return readValue(schema, found)
  const others = fields.get(otherTag) ?? []
  return readField(other, others.length ? others : [{ number: 0n }])
}
