import { canonicalQuantity, formatMicroTime, formatTime, type Kind, parseDuration, parseTime } from '../api/index.ts'

/**
 * A value of another JSON type than the field's Go type takes; `got` is what Go calls it, and `into` the type that it does
 * not fit, where that is not the field's own.
 */
export class Mismatch extends Error {
  override name = 'Mismatch'
  readonly got: string
  readonly into: string | undefined
  constructor(got: string, into?: string) {
    super(got)
    this.got = got
    this.into = into
  }
}

/** How a value without fields is read from JSON: checked, and written in the one way in which it is kept. */
export interface Scalar {
  /** What Go has when JSON is silent; undefined when that is nothing. */
  zero: unknown
  /** Throws a Mismatch, or an Error with the text that the type's own Go decoder gives. */
  decode(value: unknown): unknown
}

/** What Go calls a JSON value. */
export function jsonType(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new Mismatch(jsonType(value))
  return value
}

function boolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Mismatch(jsonType(value))
  return value
}

function int32(value: unknown): number {
  if (typeof value !== 'number') throw new Mismatch(jsonType(value))
  if ((value | 0) !== value) throw new Mismatch(`number ${value}`)
  return value | 0
}

function int64(value: unknown): number {
  if (typeof value !== 'number') throw new Mismatch(jsonType(value))
  if (!Number.isInteger(value) || value >= 2 ** 63 || value < -(2 ** 63)) throw new Mismatch(`number ${value}`)
  return value
}

function float64(value: unknown): number {
  if (typeof value !== 'number') throw new Mismatch(jsonType(value))
  if (!Number.isFinite(value)) throw new Mismatch('number')
  return value
}

function bytes(value: unknown): string {
  const text = string(value).replace(/[\r\n]/g, '')
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)) return text
  throw new Error(`illegal base64 data at input byte ${illegalAt(text)}`)
}

/** Where Go's decoder gives up on a text that is no base64. */
function illegalAt(text: string): number {
  const at = text.search(/[^A-Za-z0-9+/]/)
  if (at < 0) return text.length - (text.length % 4)
  const filled = at % 4
  if (text[at] !== '=' || filled < 2) return at
  // Two signs that are there are padded with two more.
  if (filled === 2 && text[at + 1] !== '=') return at + 1
  return at + 4 - filled
}

/** What the types that decode themselves in Go read first. */
function bareString(value: unknown): string {
  if (typeof value !== 'string') throw new Mismatch(jsonType(value), 'string')
  return value
}

/** An RFC 3339 time to the second, in UTC. Throws what Go says of a text that is none. */
export function time(value: unknown): string {
  const text = bareString(value)
  const moment = momentOf(text, '2006-01-02T15:04:05Z07:00')
  return text.length === 20 ? text : formatTime(moment)
}

function microTime(value: unknown): string {
  const text = bareString(value)
  const moment = momentOf(text, '2006-01-02T15:04:05.000000Z07:00')
  return text.length === 27 && text.endsWith('Z') ? text : formatMicroTime(moment)
}

const DATE_TIME = /^(\d{4}(-\d\d(-\d\d(T\d\d(:\d\d(:\d\d)?)?)?)?)?)?/

/** Throws what Go says of a text that does not follow its layout: what it found where, and what belongs there. */
function momentOf(text: string, layout: string): number {
  const moment = parseTime(text)
  if (!Number.isNaN(moment)) return moment
  const reached = DATE_TIME.exec(text)![0].length
  const expected = /^(?:\d+|Z07:00|.)/.exec(layout.slice(reached))?.[0] ?? ''
  throw new Error(`parsing time "${text}" as "${layout}": cannot parse "${text.slice(reached)}" as "${expected}"`)
}

function duration(value: unknown): string {
  const text = bareString(value)
  if (Number.isNaN(parseDuration(text))) throw new Error(`time: invalid duration ${JSON.stringify(text)}`)
  return text
}

const quantity = (value: unknown): string =>
  typeof value === 'string'
    ? canonicalQuantity(value.trim())
    : canonicalQuantity(typeof value === 'number' ? String(value) : '!')

function intOrString(value: unknown): number | string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' && (value | 0) === value) return value
  const got = typeof value === 'number' ? `number ${value}` : jsonType(value)
  throw new Mismatch(got, 'int32')
}

/** A copy, so that what was decoded shares nothing with what it was decoded from. */
function copy(value: unknown): unknown {
  if (typeof value === 'number') return float64(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copy)
  const copied: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) put(copied, key, copy(item))
  return copied
}

/** Sets an own property, whatever its name: assigning to `__proto__` would not. */
export function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

export const scalars: Partial<Record<Kind, Scalar>> = {
  string: { zero: '', decode: string },
  bool: { zero: false, decode: boolean },
  int32: { zero: 0, decode: int32 },
  int64: { zero: 0, decode: int64 },
  float64: { zero: 0, decode: float64 },
  bytes: { zero: undefined, decode: bytes },
  time: { zero: undefined, decode: time },
  microTime: { zero: undefined, decode: microTime },
  duration: { zero: '0s', decode: duration },
  quantity: { zero: '0', decode: quantity },
  // Go writes an unset one as 0, but upstream's defaulting fills every such field, so that nobody sees it.
  intOrString: { zero: undefined, decode: intOrString },
  raw: { zero: undefined, decode: copy },
}
