import { WireType } from './wire-reader.ts'

/** Characters of a text that is looked at one by one. */
const SHORT = 32

/** What a field's number may be. */
const MAX_TAG = 2 ** 29 - 1

/**
 * Writes one message of protobuf, field after field in the order of the calls. It knows nothing of any message: whoever
 * calls decides which fields are there, zero values included.
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
export class WireWriter {
  #bytes: Buffer
  #length = 0

  /** `capacity` is a guess at the bytes to come; more is found when needed. */
  constructor(capacity = 1024) {
    this.#bytes = Buffer.allocUnsafe(Math.max(capacity, 16))
  }

  /** An int32, int64, bool or enum. A negative number takes ten bytes, as protobuf has it. */
  varint(tag: number, value: number | bigint | boolean): void {
    this.#key(tag, WireType.varint)
    this.#varint(typeof value === 'boolean' ? Number(value) : value)
  }

  double(tag: number, value: number): void {
    this.#key(tag, WireType.fixed64)
    this.#reserve(8)
    this.#length = this.#bytes.writeDoubleLE(value, this.#length)
  }

  string(tag: number, value: string): void {
    if (value.length <= SHORT && this.#ascii(tag, value)) return
    const size = Buffer.byteLength(value)
    this.begin(tag, size)
    this.#reserve(size)
    this.#length += this.#bytes.write(value, this.#length)
  }

  bytes(tag: number, value: Uint8Array): void {
    this.begin(tag, value.length)
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  /** What stands before a value of `size` bytes that is written elsewhere. */
  begin(tag: number, size: number): void {
    this.#key(tag, WireType.bytes)
    this.#varint(size)
  }

  /** A message within this one: all that `write` writes. */
  message(tag: number, write: () => void): void {
    this.#key(tag, WireType.bytes)
    // How long it is comes first and is known last: most messages leave one byte for that, others are moved to make room.
    this.#reserve(1)
    const start = ++this.#length
    write()
    const size = this.#length - start
    const room = varintSize(size) - 1
    if (room > 0) {
      this.#reserve(room)
      this.#bytes.copyWithin(start + room, start, this.#length)
    }
    this.#length = start - 1
    this.#put(size)
    this.#length += size
  }

  /** The message as a whole, in the writer's own memory: nothing may be written after that. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Short texts of ASCII, which most are, cost less than a call for each. Writes nothing when it is another. */
  #ascii(tag: number, value: string): boolean {
    const before = this.#length
    this.begin(tag, value.length)
    this.#reserve(value.length)
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index)
      if (code >= 0x80) {
        this.#length = before
        return false
      }
      this.#bytes[this.#length++] = code
    }
    return true
  }

  #key(tag: number, type: number): void {
    if (!Number.isInteger(tag) || tag < 1 || tag > MAX_TAG) throw new RangeError(`${tag} is no number of a field`)
    this.#varint(tag * 8 + type)
  }

  #varint(value: number | bigint): void {
    this.#reserve(10)
    if (typeof value === 'bigint' || value < 0 || value > Number.MAX_SAFE_INTEGER)
      this.#putLong(BigInt.asUintN(64, BigInt(value)))
    else this.#put(value)
  }

  /** Where there is room for it. */
  #put(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.#length++] = (rest % 0x80) | 0x80
    this.#bytes[this.#length++] = rest
  }

  #putLong(value: bigint): void {
    let rest = value
    for (; rest >= 0x80n; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80
    this.#bytes[this.#length++] = Number(rest)
  }

  #reserve(size: number): void {
    const needed = this.#length + size
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

/** How many bytes a length takes. */
export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}
