/** Bytes that are no message, or not the one that they should be; the message is that of Go's generated decoders. */
export class WireError extends Error {
  override name = 'WireError'
}

/** What stands in the low three bits of a field's key. */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const

/** Deeper nesting is refused, to leave room on the stack for everything that later walks the value. */
const MAX_DEPTH = 1000

/** The lengths and most numbers take fewer bytes than this, and fit what a number holds exactly. */
const SHORT_VARINT = 7
const LONGEST_VARINT = 10

/**
 * Reads messages of protobuf, field after field. It knows nothing of any message: whoever calls says what a field holds.
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
export class WireReader {
  readonly #bytes: Buffer
  #at = 0
  #end: number
  #depth = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#end = bytes.length
  }

  /** Calls `read` for every field of the present message; it has to take the field's value, or to skip it. */
  fields(read: (tag: number, wire: number) => void): void {
    while (this.#at < this.#end) {
      const key = this.#length()
      const tag = Math.floor(key / 8)
      const wire = key % 8
      if (wire === WireType.endGroup) throw new WireError('proto: wiretype end group for non-group')
      if (tag === 0) throw new WireError(`proto: illegal tag ${tag} (wire type ${wire})`)
      read(tag, wire)
    }
  }

  /** As `fields`, for a message that is the value of a field of this one. */
  message(read: (tag: number, wire: number) => void): void {
    const { length, end } = this.#open()
    if (++this.#depth > MAX_DEPTH) throw new WireError('exceeded max depth')
    this.#end = this.#at + length
    this.fields(read)
    this.#end = end
    this.#depth--
  }

  /** The rest of a message that holds nothing but numbers of one kind, one after another. */
  packed(read: () => void): void {
    const { length, end } = this.#open()
    this.#end = this.#at + length
    while (this.#at < this.#end) read()
    this.#end = end
  }

  bool(): boolean {
    return this.int64() !== 0
  }

  int32(): number {
    const value = this.#varint()
    return typeof value === 'number' ? value | 0 : Number(BigInt.asIntN(32, value))
  }

  /** Beyond 2^53 the nearest number that there is. */
  int64(): number {
    const value = this.#varint()
    return typeof value === 'number' ? value : Number(BigInt.asIntN(64, value))
  }

  double(): number {
    const start = this.#take(8)
    return this.#bytes.readDoubleLE(start)
  }

  string(): string {
    const { start, end } = this.#slice()
    return start === end ? '' : this.#bytes.toString('utf8', start, end)
  }

  bytes(): Buffer {
    const { start, end } = this.#slice()
    return this.#bytes.subarray(start, end)
  }

  /** Passes over a value of which nothing is known but its wire type. */
  skip(wire: number): void {
    if (wire === WireType.varint) this.#varint()
    else if (wire === WireType.fixed64) this.#take(8)
    else if (wire === WireType.bytes) this.#slice()
    else if (wire === WireType.fixed32) this.#take(4)
    else if (wire === WireType.startGroup) this.#skipGroup()
    else throw new WireError(`proto: illegal wireType ${wire}`)
  }

  /** Without recursion, since groups within groups cost two bytes each. */
  #skipGroup(): void {
    for (let open = 1; open > 0; ) {
      if (this.#at >= this.#end) throw new WireError('unexpected EOF')
      const wire = this.#length() % 8
      if (wire === WireType.startGroup) open++
      else if (wire === WireType.endGroup) open--
      else this.skip(wire)
    }
  }

  #open(): { length: number; end: number } {
    const length = this.#length()
    if (length > this.#end - this.#at) throw new WireError('unexpected EOF')
    return { length, end: this.#end }
  }

  #slice(): { start: number; end: number } {
    const length = this.#length()
    const start = this.#take(length)
    return { start, end: start + length }
  }

  #take(size: number): number {
    if (size > this.#end - this.#at) throw new WireError('unexpected EOF')
    const start = this.#at
    this.#at += size
    return start
  }

  /** A length or a key. */
  #length(): number {
    const value = this.#varint()
    if (typeof value === 'number') return value
    if (value >= 2n ** 63n) throw new WireError('proto: negative length found during unmarshaling')
    return Number(value)
  }

  /** Unsigned; a bigint where a number might not hold it exactly. */
  #varint(): number | bigint {
    let value = 0
    let unit = 1
    const start = this.#at
    for (let count = 0; count < SHORT_VARINT; count++, unit *= 0x80) {
      const byte = this.#byte()
      value += (byte & 0x7f) * unit
      if (byte < 0x80) return value
    }
    this.#at = start
    return this.#longVarint()
  }

  #longVarint(): bigint {
    let value = 0n
    for (let count = 0; count < LONGEST_VARINT; count++) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << BigInt(7 * count)
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new WireError('proto: integer overflow')
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new WireError('unexpected EOF')
    return this.#bytes[this.#at++]!
  }
}
