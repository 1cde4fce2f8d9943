import { isUtf8 } from 'node:buffer'
import { CelError } from '../errors.ts'
import type { Fn, Functions } from '../functions.ts'
import {
  Dict,
  Duration,
  equal,
  formatDouble,
  formatDuration,
  formatTimestamp,
  List,
  Opaque,
  Optional,
  parseDuration,
  parseTimestamp,
  Timestamp,
  TypeValue,
  timestampAt,
  typeOf,
  Uint,
  type Value,
} from '../values.ts'

/** What every CEL has, and optionals. Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md */

const noOverload = () => new CelError('no such overload')

const INT = { least: -(2n ** 63n), most: 2n ** 63n - 1n }
const UINT = { least: 0n, most: 2n ** 64n - 1n }

function int(value: bigint): bigint {
  if (value < INT.least || value > INT.most) throw new CelError('integer overflow')
  return value
}

function uint(value: bigint): Uint {
  if (value < UINT.least || value > UINT.most) throw new CelError('unsigned integer overflow')
  return new Uint(value)
}

/** An operator on two numbers of one type. */
const arithmetic =
  (whole: (a: bigint, b: bigint) => bigint, real: ((a: number, b: number) => number) | undefined, further?: Fn): Fn =>
  (args, budget) => {
    const [a, b] = args as [Value, Value]
    if (typeof a === 'bigint' && typeof b === 'bigint') return int(whole(a, b))
    if (a instanceof Uint && b instanceof Uint) return uint(whole(a.value, b.value))
    if (real && typeof a === 'number' && typeof b === 'number') return real(a, b)
    if (further) return further(args, budget)
    throw noOverload()
  }

function divisor(value: bigint, problem: string): bigint {
  if (value === 0n) throw new CelError(problem)
  return value
}

function add([a, b]: Value[]): Value {
  if (typeof a === 'string' && typeof b === 'string') return a + b
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.concat([a, b])
  if (a instanceof List && b instanceof List) return joined(a, b)
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.nanos + b.nanos)
  if (a instanceof Timestamp && b instanceof Duration) return timestampAt(a.nanos + b.nanos)
  if (a instanceof Duration && b instanceof Timestamp) return timestampAt(a.nanos + b.nanos)
  throw noOverload()
}

/** Lists that are sets or maps are merged as server-side apply does it. */
function joined(a: List, b: List): List {
  if (!a.unordered) return new List([...a, ...b])
  const { keys } = a
  if (!keys) return new List([...a, ...[...b].filter(item => ![...a].some(other => equal(item, other)))])
  const sameKeys = (one: Value, two: Value) =>
    one instanceof Dict && two instanceof Dict && keys.every(key => equal(one.get(key) ?? null, two.get(key) ?? null))
  const replaced = [...a].map(item => [...b].find(other => sameKeys(item, other)) ?? item)
  return new List([...replaced, ...[...b].filter(item => ![...a].some(other => sameKeys(item, other)))])
}

function subtract([a, b]: Value[]): Value {
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.nanos - b.nanos)
  if (a instanceof Timestamp && b instanceof Duration) return timestampAt(a.nanos - b.nanos)
  if (a instanceof Timestamp && b instanceof Timestamp) return new Duration(a.nanos - b.nanos)
  throw noOverload()
}

const size: Fn = ([value]) => {
  if (typeof value === 'string') return BigInt([...value].length)
  if (value instanceof Uint8Array) return BigInt(value.length)
  if (value instanceof List || value instanceof Dict) return BigInt(value.size)
  throw noOverload()
}

const conversionError = (from: string, to: string) => new CelError(`type conversion error from '${from}' to '${to}'`)

/** What a text stands for; whatever is wrong with it, the complaint is the same. */
function converted<T>(convert: () => T, to: string): T {
  try {
    return convert()
  } catch {
    throw conversionError('string', to)
  }
}

function read(text: string, form: RegExp, range: typeof INT, to: string): bigint {
  const value = form.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined
  if (value === undefined || value < range.least || value > range.most) throw conversionError('string', to)
  return value
}

const SPECIAL: Record<string, number> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
}

const conversions: Functions = {
  int([value]) {
    if (typeof value === 'bigint') return value
    if (value instanceof Uint) return int(value.value)
    if (typeof value === 'number') {
      if (!(Math.abs(value) < 2 ** 63)) throw new CelError('integer overflow')
      return BigInt(Math.trunc(value))
    }
    if (typeof value === 'string') return read(value, /^[+-]?\d+$/, INT, 'int')
    if (value instanceof Timestamp) return value.nanos / 1_000_000_000n
    if (value instanceof Duration) return value.nanos
    throw noOverload()
  },
  uint([value]) {
    if (value instanceof Uint) return value
    if (typeof value === 'bigint') return uint(value)
    if (typeof value === 'number') {
      if (!(value >= 0 && value < 2 ** 64)) throw new CelError('unsigned integer overflow')
      return uint(BigInt(Math.trunc(value)))
    }
    if (typeof value === 'string') return new Uint(read(value, /^\d+$/, UINT, 'uint'))
    throw noOverload()
  },
  double([value]) {
    if (typeof value === 'number') return value
    if (typeof value === 'bigint') return Number(value)
    if (value instanceof Uint) return Number(value.value)
    if (typeof value !== 'string') throw noOverload()
    const special = SPECIAL[value.toLowerCase().replace(/^\+/, '')]
    if (special !== undefined) return special
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) throw conversionError('string', 'double')
    return Number(value)
  },
  string([value]) {
    if (typeof value === 'string') return value
    if (typeof value === 'number') return formatDouble(value)
    if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
    if (value instanceof Uint) return String(value.value)
    if (value instanceof Uint8Array) {
      if (!isUtf8(value)) throw new CelError('invalid UTF-8 in bytes, cannot convert to string')
      return Buffer.from(value).toString()
    }
    if (value instanceof Timestamp) return formatTimestamp(value.nanos)
    if (value instanceof Duration) return formatDuration(value.nanos)
    if (value instanceof TypeValue) return value.name
    if (value instanceof Opaque && 'text' in value) return String(value.text)
    throw noOverload()
  },
  bytes([value]) {
    if (typeof value === 'string') return Buffer.from(value)
    if (value instanceof Uint8Array) return value
    throw noOverload()
  },
  bool([value]) {
    if (typeof value === 'boolean') return value
    if (typeof value !== 'string') throw noOverload()
    if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true
    if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false
    throw conversionError('string', 'bool')
  },
  timestamp([value]) {
    if (value instanceof Timestamp) return value
    if (typeof value === 'string') return converted(() => parseTimestamp(value), 'google.protobuf.Timestamp')
    if (typeof value === 'bigint') return new Timestamp(value * 1_000_000_000n)
    throw noOverload()
  },
  duration([value]) {
    if (value instanceof Duration) return value
    if (typeof value === 'string') return converted(() => parseDuration(value), 'google.protobuf.Duration')
    throw noOverload()
  },
  dyn: ([value]) => value!,
  type: ([value]) => new TypeValue(typeOf(value!)),
}

function optionalOf(value: Value | undefined): Optional {
  if (value instanceof Optional) return value
  throw noOverload()
}

const isZero = (value: Value): boolean =>
  value === null ||
  value === '' ||
  value === false ||
  value === 0 ||
  value === 0n ||
  (value instanceof Uint && value.value === 0n) ||
  (value instanceof Uint8Array && value.length === 0) ||
  ((value instanceof List || value instanceof Dict) && value.size === 0) ||
  ((value instanceof Duration || value instanceof Timestamp) && value.nanos === 0n)

const optionals: Functions = {
  'optional.of': ([value]) => new Optional(value),
  'optional.none': () => new Optional(),
  'optional.ofNonZeroValue': ([value]) => (isZero(value!) ? new Optional() : new Optional(value)),
  '.hasValue': ([value]) => optionalOf(value).value !== undefined,
  '.value'([value]) {
    const content = optionalOf(value).value
    if (content === undefined) throw new CelError('optional.none() dereference')
    return content
  },
  '.orValue': ([value, other]) => optionalOf(value).value ?? other!,
  '.or': ([value, other]) => (optionalOf(value).value === undefined ? optionalOf(other) : value!),
}

const unwrapped: Fn = ([list]) => {
  if (!(list instanceof List)) throw noOverload()
  return new List([...list].map(each => optionalOf(each).value).filter(value => value !== undefined))
}

export const standardFunctions: Functions = {
  'optional.unwrap': unwrapped,
  '.unwrapOpt': unwrapped,
  ...conversions,
  ...optionals,
  size,
  '.size': size,
  '_+_': arithmetic(
    (a, b) => a + b,
    (a, b) => a + b,
    add,
  ),
  '_-_': arithmetic(
    (a, b) => a - b,
    (a, b) => a - b,
    subtract,
  ),
  '_*_': arithmetic(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  '_/_': arithmetic(
    (a, b) => a / divisor(b, 'division by zero'),
    (a, b) => a / b,
  ),
  '_%_': arithmetic((a, b) => a % divisor(b, 'modulus by zero'), undefined),
}
