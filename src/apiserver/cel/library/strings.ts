import { CelError } from '../errors.ts'
import type { Fn, Functions } from '../functions.ts'
import { goRegexp } from '../go-regexp.ts'
import {
  Dict,
  Duration,
  equal,
  formatDouble,
  formatDuration,
  formatTimestamp,
  List,
  Opaque,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from '../values.ts'

/** Source: github.com/google/cel-go/ext/strings.go, k8s.io/apiserver/pkg/cel/library/regex.go */

const noOverload = () => new CelError('no such overload')

function text(value: Value | undefined): string {
  if (typeof value === 'string') return value
  throw noOverload()
}

function number(value: Value | undefined): number {
  if (typeof value === 'bigint') return Number(value)
  throw noOverload()
}

const compiled = new Map<string, ReturnType<typeof goRegexp>>()
/** Expressions are mostly constants of rules, so few. */
const MOST_COMPILED = 500

function regexp(pattern: string): ReturnType<typeof goRegexp> {
  let found = compiled.get(pattern)
  if (!found) {
    try {
      found = goRegexp(pattern)
    } catch (error) {
      throw new CelError((error as Error).message)
    }
    if (compiled.size >= MOST_COMPILED) compiled.clear()
    compiled.set(pattern, found)
  }
  return found
}

const matches: Fn = ([value, pattern]) => regexp(text(pattern)).test(text(value))

/** Of code points, as CEL counts. */
function inRange(characters: string[], index: number): number {
  if (index < 0 || index > characters.length) throw new CelError(`index out of range: ${index}`)
  return index
}

function replace(value: string, from: string, to: string, most: number): string {
  if (most < 0) return value.replaceAll(from, () => to)
  const parts = from === '' ? [...value] : value.split(from)
  if (from === '')
    return parts.map((part, index) => (index < most ? to + part : part)).join('') + (most > parts.length ? to : '')
  const count = Math.min(most, parts.length - 1)
  return (
    parts.slice(0, count + 1).join(to) +
    parts
      .slice(count + 1)
      .map(part => from + part)
      .join('')
  )
}

function split(value: string, by: string, most: number): string[] {
  if (most === 0) return []
  const parts = by === '' ? [...value] : value.split(by)
  return most < 0 || parts.length <= most ? parts : [...parts.slice(0, most - 1), parts.slice(most - 1).join(by)]
}

function indexOf(value: string, wanted: string, from: number): bigint {
  const [all, part] = [[...value], [...wanted]]
  if (from < 0) throw new CelError(`index out of range: ${from}`)
  for (let index = from; index + part.length <= all.length; index++)
    if (part.every((each, offset) => all[index + offset] === each)) return BigInt(index)
  return -1n
}

function lastIndexOf(value: string, wanted: string, from: number | undefined): bigint {
  const [all, part] = [[...value], [...wanted]]
  if (from !== undefined) inRange(all, from)
  for (let index = Math.min(from ?? all.length, all.length - part.length); index >= 0; index--)
    if (part.every((each, offset) => all[index + offset] === each)) return BigInt(index)
  return -1n
}

/** `printf` of CEL: `%s %d %f %e %x %X %o %b`. */
function format(pattern: string, args: List): string {
  let next = 0
  const made = pattern.replace(/%(?:(%)|(?:\.(\d+))?([a-zA-Z]))/g, (_, percent, precision, verb: string) => {
    if (percent) return '%'
    if (next >= args.size) throw new CelError(`index ${next} out of range`)
    return clause(args.at(next++), verb, precision === undefined ? 6 : Number(precision))
  })
  return made
}

function clause(value: Value, verb: string, precision: number): string {
  const plain = value instanceof Uint ? value.value : value
  switch (verb) {
    case 's':
      return shown(value)
    case 'd':
      if (typeof plain === 'bigint' || typeof plain === 'number') return String(plain)
      break
    case 'f':
    case 'e': {
      if (typeof plain !== 'bigint' && typeof plain !== 'number') break
      const real = Number(plain)
      if (!Number.isFinite(real)) return formatDouble(real)
      return verb === 'f' ? real.toFixed(precision) : scientific(real, precision)
    }
    case 'b':
    case 'o':
    case 'x':
    case 'X': {
      if (typeof plain === 'boolean' && verb === 'b') return plain ? '1' : '0'
      const hex =
        typeof plain === 'bigint'
          ? plain.toString(verb === 'b' ? 2 : verb === 'o' ? 8 : 16)
          : typeof plain === 'string' || plain instanceof Uint8Array
            ? Buffer.from(plain as string).toString('hex')
            : undefined
      if (hex === undefined) break
      return verb === 'X' ? hex.toUpperCase() : hex
    }
    default:
      throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`)
  }
  throw new CelError(`error during formatting: ${verb} clause does not take this type of argument`)
}

/** As it is set in English: `1.5×10⁰³`. */
function scientific(value: number, precision: number): string {
  const [digits = '', exponent = '0'] = value.toExponential(precision).split('e')
  const power = String(Math.abs(Number(exponent))).padStart(2, '0')
  return `${digits}×10${Number(exponent) < 0 ? '⁻' : ''}${[...power].map(digit => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('')}`
}

/** Of what lies in a list or a map, texts are quoted. */
const within = (value: Value): string => {
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number') return value.toFixed(6)
  if (value instanceof Timestamp) return `timestamp(${quoted(formatTimestamp(value.nanos))})`
  return value instanceof Duration ? `duration(${quoted(formatDuration(value.nanos))})` : shown(value)
}

const ESCAPES: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}

const quoted = (text: string) => `"${text.replace(/[\p{Cc}\\"]/gu, found => ESCAPES[found] ?? found)}"`

function shown(value: Value): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return formatDouble(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof List) return `[${[...value].map(within).join(', ')}]`
  if (value instanceof Dict) {
    const entries = value.keys().map(key => `${within(key)}:${within(value.get(key)!)}`)
    return `{${entries.sort().join(', ')}}`
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (value instanceof Timestamp) return formatTimestamp(value.nanos)
  if (value instanceof Duration) return formatDuration(value.nanos)
  if (value instanceof TypeValue) return value.name
  if (value instanceof Opaque)
    throw new CelError(
      `error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${value.type}`,
    )
  return String(value)
}

const ascii = (value: string, change: (part: string) => string) => value.replace(/[A-Za-z]+/g, change)

export const stringFunctions: Functions = {
  matches,
  '.matches': matches,
  '.contains': ([value, part]) => text(value).includes(text(part)),
  '.startsWith': ([value, part]) => text(value).startsWith(text(part)),
  '.endsWith': ([value, part]) => text(value).endsWith(text(part)),
  '.find'([value, pattern]) {
    return regexp(text(pattern)).findAll(text(value), 1)[0] ?? ''
  },
  '.findAll': ([value, pattern, most]) =>
    new List(regexp(text(pattern)).findAll(text(value), most === undefined ? -1 : number(most))),
  '.charAt'([value, index]) {
    const characters = [...text(value)]
    return characters[inRange(characters, number(index))] ?? ''
  },
  '.join'([list, by]) {
    if (!(list instanceof List)) throw noOverload()
    return [...list].map(text).join(by === undefined ? '' : text(by))
  },
  '.lowerAscii': ([value]) => ascii(text(value), part => part.toLowerCase()),
  '.upperAscii': ([value]) => ascii(text(value), part => part.toUpperCase()),
  '.replace': ([value, from, to, most]) =>
    replace(text(value), text(from), text(to), most === undefined ? -1 : number(most)),
  '.split': ([value, by, most]) => new List(split(text(value), text(by), most === undefined ? -1 : number(most))),
  '.substring'([value, start, end]) {
    const characters = [...text(value)]
    const from = inRange(characters, number(start))
    const to = end === undefined ? characters.length : inRange(characters, number(end))
    if (from > to) throw new CelError(`invalid substring range. start: ${from}, end: ${to}`)
    return characters.slice(from, to).join('')
  },
  '.trim': ([value]) => text(value).trim(),
  '.reverse': ([value]) =>
    value instanceof List ? new List([...value].reverse()) : [...text(value)].reverse().join(''),
  '.format'([value, args]) {
    if (!(args instanceof List)) throw noOverload()
    return format(text(value), args)
  },
  'strings.quote': ([value]) => quoted(text(value)),
  '.indexOf'([value, wanted, from]) {
    if (value instanceof List) return BigInt([...value].findIndex(each => equal(each, wanted!)))
    return indexOf(text(value), text(wanted), from === undefined ? 0 : number(from))
  },
  '.lastIndexOf'([value, wanted, from]) {
    if (value instanceof List) return BigInt([...value].findLastIndex(each => equal(each, wanted!)))
    return lastIndexOf(text(value), text(wanted), from === undefined ? undefined : number(from))
  },
  'base64.encode': ([value]) => Buffer.from(value as Uint8Array).toString('base64'),
  'base64.decode': ([value]) => Buffer.from(text(value), 'base64'),
  'jsonpatch.escapeKey': ([value]) => text(value).replace(/~/g, '~0').replace(/\//g, '~1'),
}
