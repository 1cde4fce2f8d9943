import { isObject } from '../json.ts'
import type { ListSchema } from './schema.ts'

/**
 * One step of a path as FieldsV1 writes it: `f:NAME` is a member of an object, `k:{KEYS}` the item of a list that has
 * these keys, `v:VALUE` the item of a set, `i:INDEX` an item by its place.
 * Source: sigs.k8s.io/structured-merge-diff fieldpath serialize-pe.go
 */

export const fieldElement = (name: string): string => `f:${name}`

/** An item of a list that names no key at all, or of a set that is no plain value. */
export class UnnamedItem extends Error {
  override name = 'UnnamedItem'
}

/** The values that tell an item of a list apart from the others. Throws an UnnamedItem. */
export function keysOf({ type, keys }: ListSchema, item: unknown): unknown[] {
  if (type === 'set') return [setItem(item)]
  if (item === null) throw new UnnamedItem('associative list with keys may not have a null element')
  if (!isObject(item)) throw new UnnamedItem('associative list with keys may not have non-map elements')
  const values = keys.map(key => (Object.hasOwn(item, key.name) ? item[key.name] : key.default))
  if (values.every(value => value === undefined))
    throw new UnnamedItem(
      `associative list with keys has an element that omits all key fields [${keys.map(({ name }) => JSON.stringify(name)).join(' ')}] (and doesn't have default values for any key fields)`,
    )
  return values
}

function setItem(item: unknown): unknown {
  if (item === null) throw new UnnamedItem("associative list without keys has an element that's an explicit null")
  if (Array.isArray(item)) throw new UnnamedItem('not supported: associative list with lists as elements')
  if (isObject(item)) throw new UnnamedItem("associative list without keys has an element that's a map type")
  return item
}

/** The element of an item with these keys, of which absent ones are left out. */
export function itemElement({ type, keys }: ListSchema, values: unknown[]): string {
  if (type === 'set') return `v:${JSON.stringify(values[0])}`
  let text = ''
  for (let at = 0; at < keys.length; at++)
    if (values[at] !== undefined)
      text += `${text ? ',' : ''}${JSON.stringify(keys[at]!.name)}:${JSON.stringify(values[at])}`
  return `k:{${text}}`
}

/** The element of an item of a list. Throws an UnnamedItem. */
export const elementOf = (list: ListSchema, item: unknown): string => itemElement(list, keysOf(list, item))

/** As messages write it: `.spec`, `[name="web"]`, `[="value"]`, `[0]`. */
export function showElement(element: string): string {
  const rest = element.slice(2)
  if (element.startsWith('f:')) return `.${rest}`
  if (element.startsWith('v:')) return `[=${rest}]`
  if (element.startsWith('i:')) return `[${rest}]`
  const keys = JSON.parse(rest) as Record<string, unknown>
  return `[${Object.keys(keys)
    .map(name => `${name}=${JSON.stringify(keys[name])}`)
    .join(',')}]`
}

/** The same element in its one canonical form. Throws when it is not of the format. */
export function canonicalElement(element: string): string {
  const rest = element.slice(2)
  if (element.startsWith('f:')) return element
  if (element.startsWith('i:') && /^-?\d+$/.test(rest)) return element
  if (element.startsWith('v:')) return `v:${JSON.stringify(JSON.parse(rest))}`
  const keys: unknown = element.startsWith('k:') ? JSON.parse(rest) : undefined
  if (!isObject(keys)) throw new SyntaxError(`not an element of a path: ${element}`)
  const sorted = Object.keys(keys).sort()
  return `k:{${sorted.map(name => `${JSON.stringify(name)}:${JSON.stringify(keys[name])}`).join(',')}}`
}

const KINDS = '.fkvi'

/** Elements of a kind that nobody knows are passed over: a later release may. Throws when it has no kind at all. */
export function isKnownElement(element: string): boolean {
  if (element.length < 2 || element[1] !== ':') throw new SyntaxError(`not an element of a path: ${element}`)
  return KINDS.includes(element[0]!)
}

/** The order of elements in a field set: members first, then keyed items, values and places. */
export function compareElements(a: string, b: string): number {
  if (a === b) return 0
  if (a[0] !== b[0]) return KINDS.indexOf(a[0]!) - KINDS.indexOf(b[0]!)
  if (a[0] === 'f') return a < b ? -1 : 1
  return compareValues(JSON.parse(a.slice(2)), JSON.parse(b.slice(2)))
}

const RANKS = ['number', 'string', 'boolean', 'list', 'map', 'null']

function rank(value: unknown): number {
  if (value === null || value === undefined) return RANKS.length
  return RANKS.indexOf(Array.isArray(value) ? 'list' : typeof value === 'object' ? 'map' : typeof value)
}

/** Numbers before strings before all else, as upstream orders values of any type. */
function compareValues(a: unknown, b: unknown): number {
  if (rank(a) !== rank(b)) return rank(a) - rank(b)
  if (Array.isArray(a)) return compareLists(a, b as unknown[])
  if (isObject(a)) return compareLists(Object.entries(a), Object.entries(b as object))
  return a === b ? 0 : (a as string) < (b as string) ? -1 : 1
}

export function compareLists(a: unknown[], b: unknown[]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const order = compareValues(a[at], b[at])
    if (order) return order
  }
  return a.length - b.length
}
