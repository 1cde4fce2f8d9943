import { model } from '../../api/index.ts'
import { DecodeError } from '../codec.ts'
import { type ParsedJson, SyntaxProblem } from '../json.ts'
import { readMessage } from './decode.ts'
import { encodeMessage } from './encode.ts'
import { WireError, WireReader, WireType } from './wire-reader.ts'
import { varintSize, WireWriter } from './wire-writer.ts'

/** What every protobuf body of the API begins with; a `runtime.Unknown` follows. */
const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00])

/** The last two fields of a `runtime.Unknown`: how its bytes are packed, and in what; both empty. */
const END = Buffer.from([0x1a, 0, 0x22, 0])

interface Kind {
  apiVersion: string
  kind: string
}

/** Whether the type has messages: built-in types have, those of a CustomResourceDefinition have not. */
export const hasProtobuf = (type: string): boolean => model.has(type)

/**
 * Reads an object in protobuf as the JSON value that says the same. Throws a SyntaxProblem when the bytes are no object
 * at all, a DecodeError when the object in them is malformed. Of an object of another kind only its kind is read.
 * Source: k8s.io/apimachinery/pkg/runtime/serializer/protobuf
 */
export function parseProtobuf(bytes: Uint8Array, type: string): ParsedJson {
  const { apiVersion, kind, raw } = openEnvelope(bytes)
  const of = { ...(kind ? { kind } : {}), ...(apiVersion ? { apiVersion } : {}) }
  if (kind && kind !== type.slice(type.lastIndexOf('.') + 1)) return { value: of, duplicates: [] }
  try {
    return { value: { ...of, ...readMessage(new WireReader(raw), type) }, duplicates: [] }
  } catch (error) {
    throw error instanceof WireError ? new DecodeError(error.message) : error
  }
}

function openEnvelope(bytes: Uint8Array): Kind & { raw: Uint8Array } {
  if (!bytes.length) throw new SyntaxProblem('empty data')
  if (Buffer.compare(bytes.subarray(0, MAGIC.length), MAGIC) !== 0)
    throw new SyntaxProblem('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  if (bytes.length === MAGIC.length) throw new SyntaxProblem('empty body')
  const of: Kind & { raw: Uint8Array } = { apiVersion: '', kind: '', raw: new Uint8Array() }
  const reader = new WireReader(bytes.subarray(MAGIC.length))
  try {
    reader.fields((tag, wire) => {
      if (tag === 1 && wire === WireType.bytes) readKind(reader, of)
      else if (tag === 2 && wire === WireType.bytes) of.raw = reader.bytes()
      else reader.skip(wire)
    })
  } catch (error) {
    throw error instanceof WireError ? new SyntaxProblem(error.message) : error
  }
  return of
}

function readKind(reader: WireReader, into: Kind): void {
  reader.message((tag, wire) => {
    if (tag === 1 && wire === WireType.bytes) into.apiVersion = reader.string()
    else if (tag === 2 && wire === WireType.bytes) into.kind = reader.string()
    else reader.skip(wire)
  })
}

/** An object of a type of the model as a whole body. */
export const encodeProtobuf = (type: string, object: Kind): Buffer => envelope(object, encodeMessage(type, object))

/** A message as a whole body. */
export const envelope = (of: Kind, message: Buffer): Buffer =>
  Buffer.concat([envelopeHead(of, message.length), message, END])

/** What stands before a message of `size` bytes in a body. */
function envelopeHead({ apiVersion, kind }: Kind, size: number): Buffer {
  const writer = new WireWriter(64)
  writer.message(1, () => {
    writer.string(1, apiVersion)
    writer.string(2, kind)
  })
  writer.begin(2, size)
  return Buffer.concat([MAGIC, writer.finish()])
}

/** What stands before and after the items of a list, which take `size` bytes. `meta`: a ListMeta. */
export function listEnvelope(of: Kind, meta: object, size: number): { head: Buffer; tail: Buffer } {
  const writer = new WireWriter(64)
  writer.bytes(1, encodeMessage('meta/v1.ListMeta', meta))
  const own = writer.finish()
  return { head: Buffer.concat([envelopeHead(of, own.length + size), own]), tail: END }
}

/** A message as an item of a list: its field's number and its length come before it. */
export function listItem(message: Buffer): Buffer {
  const writer = new WireWriter(message.length + 8)
  writer.bytes(2, message)
  return writer.finish()
}

export const listItemSize = ({ length }: Buffer): number => 1 + varintSize(length) + length

/** One event of a watch: its length in four bytes, and a `meta/v1.WatchEvent` around the whole body `object`. */
export function watchFrame(type: string, object: Buffer): Buffer {
  const writer = new WireWriter(object.length + 32)
  writer.string(1, type)
  writer.message(2, () => writer.bytes(1, object))
  const event = writer.finish()
  const length = Buffer.alloc(4)
  length.writeUInt32BE(event.length)
  return Buffer.concat([length, event])
}
