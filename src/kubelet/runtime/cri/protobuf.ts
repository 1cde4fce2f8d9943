/**
 * Protobuf for messages that are written down as data: `message({ name: string(1), mounts: list(6, Mount) })` is the
 * schema, the codec and the TypeScript type at once. Only what CRI and containerd's events need of proto3.
 */
const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/** How one value is written and read; `T` is what a program sees. */
interface Kind<T> {
  wire: number
  write(value: T, out: Writer): void
  read(from: Reader): T
  isDefault(value: T): boolean
}

export interface Field<Out, In = Out> {
  id: number
  /** The value of a message that does not carry the field. */
  initial(): Out
  write(value: In, out: Writer): void
  read(from: Reader, wire: number, before: Out): Out
}

// biome-ignore lint/suspicious/noExplicitAny: the bound of a generic whose variance is both ways
type Fields = Record<string, Field<any, any>>
type Output<F extends Fields> = { [K in keyof F]: F[K] extends Field<infer Out, infer _> ? Out : never }
type Input<F extends Fields> = { [K in keyof F]?: F[K] extends Field<infer _, infer In> ? In | undefined : never }

export interface Message<Out, In> {
  encode(value: In): Uint8Array
  decode(bytes: Uint8Array): Out
  writeTo(value: In, out: Writer): void
}

/** What `decode` gives. */
export type Decoded<M> = M extends Message<infer Out, infer _> ? Out : never
/** What `encode` takes: every field may be left out. */
export type Encodable<M> = M extends Message<infer _, infer In> ? In : never

export function message<F extends Fields>(fields: F): Message<Output<F>, Input<F>> {
  const entries = Object.entries(fields)
  const byId = new Map(entries.map(([name, field]) => [field.id, { name, field }]))
  const writeTo = (value: Input<F>, out: Writer) => {
    for (const [name, field] of entries) {
      const part = value[name]
      if (part !== undefined) field.write(part, out)
    }
  }
  return {
    writeTo,
    encode(value) {
      const out = new Writer()
      writeTo(value, out)
      return out.bytes()
    },
    decode(bytes) {
      const result: Record<string, unknown> = {}
      for (const [name, field] of entries) result[name] = field.initial()
      const from = new Reader(bytes)
      while (!from.done) {
        const tag = from.varint()
        const known = byId.get(tag >>> 3)
        if (known) result[known.name] = known.field.read(from, tag & 7, result[known.name])
        else from.skip(tag & 7)
      }
      return result as Output<F>
    },
  }
}

function scalar<T>(id: number, kind: Kind<T>, initial: T): Field<T> {
  return {
    id,
    initial: () => initial,
    write(value, out) {
      if (kind.isDefault(value)) return
      out.varint((id << 3) | kind.wire)
      kind.write(value, out)
    },
    read(from, wire, before) {
      if (wire === kind.wire) return kind.read(from)
      from.skip(wire)
      return before
    },
  }
}

const stringKind: Kind<string> = {
  wire: BYTES,
  write: (value, out) => out.lengthPrefixed(Buffer.from(value)),
  read: from => from.slice().toString(),
  isDefault: value => value === '',
}

const bytesKind: Kind<Uint8Array> = {
  wire: BYTES,
  write: (value, out) => out.lengthPrefixed(value),
  read: from => from.slice(),
  isDefault: value => value.length === 0,
}

const numberKind: Kind<number> = {
  wire: VARINT,
  write: (value, out) => out.varint(value),
  read: from => from.varint(),
  isDefault: value => value === 0,
}

const boolKind: Kind<boolean> = {
  wire: VARINT,
  write: (value, out) => out.varint(value ? 1 : 0),
  read: from => from.varint() !== 0,
  isDefault: value => !value,
}

export const string = (id: number) => scalar(id, stringKind, '')
export const bytes = (id: number) => scalar(id, bytesKind, new Uint8Array())
export const bool = (id: number) => scalar(id, boolKind, false)
/** Any integer or enum; exact up to 2^53, which is enough for all but the last digits of a time in nanoseconds. */
export const int = (id: number) => scalar(id, numberKind, 0)

export function sub<Out, In>(id: number, type: Message<Out, In>): Field<Out | undefined, In> {
  return {
    id,
    initial: () => undefined,
    write(value, out) {
      out.varint((id << 3) | BYTES)
      out.lengthPrefixed(type.encode(value))
    },
    read: from => type.decode(from.slice()),
  }
}

export function list<Out, In>(id: number, type: Message<Out, In>): Field<Out[], In[]> {
  const one = sub(id, type)
  return {
    id,
    initial: () => [],
    write(values, out) {
      for (const value of values) one.write(value, out)
    },
    read: (from, _wire, before) => [...before, type.decode(from.slice())],
  }
}

function repeated<T>(id: number, kind: Kind<T>): Field<T[]> {
  return {
    id,
    initial: () => [],
    write(values, out) {
      for (const value of values) {
        out.varint((id << 3) | kind.wire)
        kind.write(value, out)
      }
    },
    read(from, wire, before) {
      if (wire !== BYTES || kind.wire === BYTES) return [...before, kind.read(from)]
      const packed = new Reader(from.slice())
      const values = [...before]
      while (!packed.done) values.push(kind.read(packed))
      return values
    },
  }
}

export const strings = (id: number) => repeated(id, stringKind)
export const ints = (id: number) => repeated(id, numberKind)

const Entry = message({ key: string(1), value: string(2) })

/** `map<string, string>`. */
export function stringMap(id: number): Field<Record<string, string>> {
  const entries = list(id, Entry)
  return {
    id,
    initial: () => ({}),
    write: (value, out) =>
      entries.write(
        Object.entries(value).map(([key, value]) => ({ key, value })),
        out,
      ),
    read(from, wire, before) {
      const [entry] = entries.read(from, wire, [])
      return entry ? { ...before, [entry.key]: entry.value } : before
    },
  }
}

class Writer {
  #parts: Uint8Array[] = []
  #numbers: number[] = []

  /** Negative numbers take ten bytes, as two's complement of 64 bits. */
  varint(value: number): void {
    if (value < 0) {
      this.#bigVarint(BigInt.asUintN(64, BigInt(value)))
      return
    }
    let rest = value
    while (rest > 127) {
      this.#numbers.push((rest % 128) | 128)
      rest = Math.floor(rest / 128)
    }
    this.#numbers.push(rest)
  }

  #bigVarint(value: bigint): void {
    let rest = value
    while (rest > 127n) {
      this.#numbers.push(Number(rest & 127n) | 128)
      rest >>= 7n
    }
    this.#numbers.push(Number(rest))
  }

  lengthPrefixed(value: Uint8Array): void {
    this.varint(value.length)
    this.#flush()
    this.#parts.push(value)
  }

  bytes(): Uint8Array {
    this.#flush()
    return Buffer.concat(this.#parts)
  }

  #flush(): void {
    if (this.#numbers.length > 0) this.#parts.push(Uint8Array.from(this.#numbers))
    this.#numbers = []
  }
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let index = 0; index < 10; index++) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new RangeError('protobuf: unexpected end')
      // Only a negative number is ten bytes long, and a double cannot add up that much.
      if (index === 9) return this.#negative(this.#at - 10)
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
    throw new RangeError('protobuf: varint is too long')
  }

  #negative(from: number): number {
    let value = 0n
    for (let index = 0; index < 10; index++) value |= BigInt(this.#bytes[from + index]! & 127) << BigInt(7 * index)
    return Number(BigInt.asIntN(64, value))
  }

  slice(): Buffer {
    const length = this.varint()
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('protobuf: unexpected end')
    const part = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return part
  }

  skip(wire: number): void {
    if (wire === VARINT) this.varint()
    else if (wire === BYTES) this.slice()
    else if (wire === FIXED64) this.#at += 8
    else if (wire === FIXED32) this.#at += 4
    else throw new RangeError(`protobuf: wire type ${wire}`)
  }
}
