import { CelError } from './errors.ts'
import { unescapedField } from './fields.ts'

/**
 * What expressions compute with. An int is a bigint and a double a number; objects and lists of JSON are wrapped, and
 * converted only where an expression looks.
 */
export type Value = bigint | Uint | number | string | boolean | null | Uint8Array | List | Dict | Opaque

export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

/** A value of a type that only functions look into: a duration, a quantity, an optional. */
export abstract class Opaque {
  /** As `type()` names it. */
  abstract readonly type: string
  abstract equals(other: Opaque): boolean
}

/** A moment, in nanoseconds since 1970. */
export class Timestamp extends Opaque {
  readonly type = 'google.protobuf.Timestamp'
  readonly nanos: bigint
  constructor(nanos: bigint) {
    super()
    this.nanos = nanos
  }
  equals = (other: Opaque) => other instanceof Timestamp && other.nanos === this.nanos
}

export class Duration extends Opaque {
  readonly type = 'google.protobuf.Duration'
  readonly nanos: bigint
  constructor(nanos: bigint) {
    super()
    this.nanos = nanos
  }
  equals = (other: Opaque) => other instanceof Duration && other.nanos === this.nanos
}

export class TypeValue extends Opaque {
  readonly type = 'type'
  readonly name: string
  constructor(name: string) {
    super()
    this.name = name
  }
  equals = (other: Opaque) => other instanceof TypeValue && other.name === this.name
}

export class Optional extends Opaque {
  readonly type = 'optional_type'
  readonly value: Value | undefined
  constructor(value?: Value) {
    super()
    this.value = value
  }
  equals(other: Opaque): boolean {
    if (!(other instanceof Optional)) return false
    if (this.value === undefined || other.value === undefined) return this.value === other.value
    return equal(this.value, other.value)
  }
}

/** What a schema of OpenAPI says of a value that changes what CEL makes of it; a part of a CustomResourceDefinition's. */
export interface CelSchema {
  type?: string
  format?: string
  properties?: Record<string, CelSchema>
  additionalProperties?: CelSchema | boolean
  items?: CelSchema | CelSchema[]
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-list-type'?: string
  'x-kubernetes-list-map-keys'?: string[]
}

export class List {
  readonly #raw: readonly unknown[]
  readonly #schema: CelSchema | undefined
  readonly #made: (Value | undefined)[] | undefined
  /** The order of a list that is a `set` or a `map` says nothing. */
  readonly unordered: boolean
  /** What tells the items of a list that is a `map` apart. */
  readonly keys: readonly string[] | undefined

  /** Of JSON, converted as it is looked at; without `json`, of values. */
  constructor(items: readonly unknown[], json?: { schema?: CelSchema }) {
    this.#raw = items
    const schema = json?.schema?.items
    this.#schema = Array.isArray(schema) ? undefined : schema
    this.#made = json && []
    const type = json?.schema?.['x-kubernetes-list-type']
    this.unordered = type === 'set' || type === 'map'
    this.keys = type === 'map' ? json?.schema?.['x-kubernetes-list-map-keys'] : undefined
  }

  get size(): number {
    return this.#raw.length
  }

  /** It has a schema, and so is no list of an expression's own. */
  get isOfObject(): boolean {
    return this.#schema !== undefined
  }

  at(index: number): Value {
    if (!this.#made) return this.#raw[index] as Value
    this.#made[index] ??= toCel(this.#raw[index], this.#schema)
    return this.#made[index]!
  }

  *[Symbol.iterator](): Generator<Value> {
    for (let index = 0; index < this.#raw.length; index++) yield this.at(index)
  }
}

/** A map, or an object: whose keys are strings. */
export class Dict {
  readonly #raw: Record<string, unknown> | undefined
  readonly #schema: CelSchema | undefined
  readonly #made = new Map<string, { key: Value; value: Value }>()
  /** Set when it was written as a message: `Object.spec`. */
  readonly typeName: string | undefined

  constructor(json?: { raw: Record<string, unknown>; schema?: CelSchema }, typeName?: string) {
    this.#raw = json?.raw
    this.#schema = json?.schema
    this.typeName = typeName
  }

  static of(entries: Iterable<[Value, Value]>, typeName?: string): Dict {
    const dict = new Dict(undefined, typeName)
    for (const [key, value] of entries) dict.#made.set(keyText(key), { key, value })
    return dict
  }

  get isOfObject(): boolean {
    return this.#schema !== undefined
  }

  get size(): number {
    return this.#raw ? Object.keys(this.#raw).length : this.#made.size
  }

  get(key: Value): Value | undefined {
    const text = keyText(key)
    const known = this.#made.get(text)
    if (known || !this.#raw) return known?.value
    if (typeof key !== 'string') return undefined
    // Only declared fields have names that expressions cannot say.
    const declared = this.#schema?.properties !== undefined && !Object.hasOwn(this.#raw, key)
    const name = declared ? unescapedField(key) : key
    if (!Object.hasOwn(this.#raw, name) || this.#raw[name] === undefined) return undefined
    // Of a field that a schema declares, null is as good as nothing.
    if (this.#raw[name] === null && this.#schema?.properties) return undefined
    const value = toCel(this.#raw[name], this.#schemaOf(name))
    this.#made.set(text, { key, value })
    return value
  }

  keys(): Value[] {
    return this.#raw ? Object.keys(this.#raw) : [...this.#made.values()].map(({ key }) => key)
  }

  #schemaOf(name: string): CelSchema | undefined {
    const { properties, additionalProperties } = this.#schema ?? {}
    if (properties && Object.hasOwn(properties, name)) return properties[name]
    return typeof additionalProperties === 'object' ? additionalProperties : undefined
  }
}

/** Numbers that are equal are one key, whatever their type. */
function keyText(key: Value): string {
  if (typeof key === 'string') return `s${key}`
  if (typeof key === 'boolean') return `b${key}`
  if (key instanceof Uint) return `n${key.value}`
  if (typeof key === 'bigint' || typeof key === 'number') return `n${key}`
  throw new CelError(`unsupported key type: ${typeOf(key)}`)
}

/** A value of JSON as CEL sees it; what the schema does not tell, the value does: a whole number is an int. */
export function toCel(json: unknown, schema?: CelSchema): Value {
  switch (typeof json) {
    case 'string':
      return schema?.format ? formatted(json, schema.format) : json
    case 'number':
      return schema?.type === 'number' || !Number.isInteger(json) ? json : BigInt(json)
    case 'boolean':
      return json
    case 'object':
      if (json === null) return null
      if (Array.isArray(json)) return new List(json, { schema })
      return new Dict({ raw: json as Record<string, unknown>, schema })
    default:
      return null
  }
}

function formatted(text: string, format: string): Value {
  if (format === 'byte') return Buffer.from(text, 'base64')
  if (format === 'date-time' || format === 'date') return parseTimestamp(format === 'date' ? `${text}T00:00:00Z` : text)
  return format === 'duration' ? parseDuration(text) : text
}

/** A value as JSON. Throws a CelError for what JSON has not. */
export function fromCel(value: Value): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint) return Number(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof List) return [...value].map(fromCel)
  if (value instanceof Dict)
    return Object.fromEntries(value.keys().map(key => [String(fromCel(key)), fromCel(value.get(key)!)]))
  if (value instanceof Timestamp) return formatTimestamp(value.nanos)
  if (value instanceof Duration) return formatDuration(value.nanos)
  if (value instanceof Optional) return value.value === undefined ? null : fromCel(value.value)
  if (value instanceof Opaque) throw new CelError(`type conversion error from '${value.type}' to JSON`)
  return value
}

export function typeOf(value: Value): string {
  if (value === null) return 'null_type'
  switch (typeof value) {
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    default:
  }
  if (value instanceof Uint) return 'uint'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof List) return 'list'
  if (value instanceof Dict) return value.typeName ?? 'map'
  return (value as Opaque).type
}

const numeric = (value: Value): bigint | number | undefined =>
  value instanceof Uint ? value.value : typeof value === 'bigint' || typeof value === 'number' ? value : undefined

/** Of values of different types only numbers can be equal. */
export function equal(a: Value, b: Value): boolean {
  const [one, two] = [numeric(a), numeric(b)]
  // biome-ignore lint/suspicious/noDoubleEquals: an int and a double of the same value are equal
  if (one !== undefined || two !== undefined) return one !== undefined && two !== undefined && one == two
  refuseOther(a, b)
  refuseOther(b, a)
  if (a instanceof List) return b instanceof List && equalLists(a, b)
  if (a instanceof Dict)
    return (
      b instanceof Dict &&
      a.size === b.size &&
      a.keys().every(key => {
        const other = b.get(key)
        return other !== undefined && equal(a.get(key)!, other)
      })
    )
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (a instanceof Opaque) return b instanceof Opaque && a.equals(b)
  return a === b
}

/** What comes from an object, and what only Kubernetes' functions know, cannot even be compared to something else. */
function refuseOther(value: Value, other: Value): void {
  const fits =
    other === null ||
    (value instanceof List && (!value.isOfObject || other instanceof List)) ||
    (value instanceof Dict && (!value.isOfObject || other instanceof Dict)) ||
    (value instanceof Opaque && (!/^(kubernetes|net)\./.test(value.type) || other instanceof Opaque)) ||
    !(value instanceof List || value instanceof Dict || value instanceof Opaque)
  if (!fits) throw new CelError('no such overload')
}

function equalLists(a: List, b: List): boolean {
  if (a.size !== b.size) return false
  if (a.unordered || b.unordered) return [...a].every(item => [...b].some(other => equal(item, other)))
  for (let index = 0; index < a.size; index++) if (!equal(a.at(index), b.at(index))) return false
  return true
}

/** Negative, zero or positive. Throws a CelError for what has no order. */
export function compare(a: Value, b: Value): number {
  const [one, two] = [numeric(a), numeric(b)]
  if (one !== undefined && two !== undefined) return one < two ? -1 : one > two ? 1 : 0
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (a instanceof Timestamp && b instanceof Timestamp) return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
  if (a instanceof Duration && b instanceof Duration) return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
  throw new CelError('no such overload')
}

const NANOS = 1_000_000_000n

/** Of the years 1 to 9999. */
export function timestampAt(nanos: bigint): Timestamp {
  if (nanos < -62_135_596_800n * NANOS || nanos >= 253_402_300_800n * NANOS) throw new CelError('timestamp overflow')
  return new Timestamp(nanos)
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/

export function parseTimestamp(text: string): Timestamp {
  const match = RFC3339.exec(text)
  const whole = match ? Date.parse(text.replace(/\.\d+/, '')) : Number.NaN
  if (Number.isNaN(whole))
    throw new CelError(`parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": cannot parse`)
  return new Timestamp(BigInt(whole / 1000) * NANOS + BigInt((match![7] ?? '').padEnd(9, '0')))
}

export function formatTimestamp(nanos: bigint): string {
  const rest = ((nanos % NANOS) + NANOS) % NANOS
  const seconds = (nanos - rest) / NANOS
  const fraction = rest ? `.${String(rest).padStart(9, '0').replace(/0+$/, '')}` : ''
  return new Date(Number(seconds) * 1000).toISOString().replace(/\.000Z$/, `${fraction}Z`)
}

const UNITS: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

export function parseDuration(text: string): Duration {
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text)
  if (!match) throw new CelError(`time: invalid duration ${JSON.stringify(text)}`)
  let nanos = 0n
  for (const [, amount, unit] of match[2]!.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const [whole = '0', fraction = ''] = amount!.split('.')
    nanos +=
      BigInt(whole || '0') * BigInt(UNITS[unit!]!) + BigInt(Math.trunc(Number(`0.${fraction || 0}`) * UNITS[unit!]!))
  }
  return new Duration(match[1] === '-' ? -nanos : nanos)
}

/** As Go writes it: in as few digits as tell it apart, with an exponent when it is large or small. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const [digits = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return String(value)
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/** As CEL's `string()` writes it: in seconds. */
export function formatDuration(nanos: bigint): string {
  const [sign, size] = nanos < 0n ? ['-', -nanos] : ['', nanos]
  const fraction =
    size % NANOS
      ? `.${String(size % NANOS)
          .padStart(9, '0')
          .replace(/0+$/, '')}`
      : ''
  return `${sign}${size / NANOS}${fraction}s`
}
