import type { FieldError } from '../../../api/index.ts'

/** Field errors and paths in the words of k8s.io/apimachinery/pkg/util/validation/field. */

export const required = (field: string, detail = ''): FieldError => ({ type: 'Required', field, detail })

export const invalid = (field: string, value: unknown, detail: string): FieldError => ({
  type: 'Invalid',
  field,
  value,
  detail,
})

export const duplicate = (field: string, value: unknown): FieldError => ({
  type: 'Duplicate',
  field,
  value,
  detail: '',
})

export const forbidden = (field: string, detail: string): FieldError => ({ type: 'Forbidden', field, detail })

export const notFound = (field: string, value: unknown): FieldError => ({ type: 'NotFound', field, value, detail: '' })

export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  type: 'NotSupported',
  field,
  value,
  detail: `supported values: ${supported.map(item => JSON.stringify(item)).join(', ')}`,
})

export const tooLong = (field: string, value: unknown, maximum: number): FieldError => ({
  type: 'TooLong',
  field,
  value,
  detail: `may not be more than ${maximum} bytes`,
})

export const tooMany = (field: string, count: number, maximum: number): FieldError => ({
  type: 'TooMany',
  field,
  value: count,
  detail: `must have at most ${maximum} ${maximum === 1 ? 'item' : 'items'}`,
})

/** What a record holds under a key that a client chose, which may be `constructor`. */
export const own = <T>(record: Record<string, T> | undefined, key: string): T | undefined =>
  record && Object.hasOwn(record, key) ? record[key] : undefined

/** `containers[0]` of a list, `data[key]` of a map. */
export const at = (path: string, index: number | string): string => `${path}[${index}]`

/** The problems of every item, each with its own path. */
export function each<T>(
  items: readonly T[] | undefined,
  path: string,
  check: (item: T, path: string, index: number) => FieldError[],
): FieldError[] {
  return (items ?? []).flatMap((item, index) => check(item, at(path, index), index))
}

/** One `Invalid` for each complaint about the value. */
export const complaints = (field: string, value: unknown, details: string[]): FieldError[] =>
  details.map(detail => invalid(field, value, detail))

export const IMMUTABLE = 'field is immutable'

export const immutable = (field: string, value: unknown, old: unknown): FieldError[] =>
  same(value, old) ? [] : [invalid(field, value ?? null, IMMUTABLE)]

/** Required when empty, else one of the supported values. */
export function oneOf(field: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  if (!value) return [required(field)]
  return supported.includes(value) ? [] : [notSupported(field, value, supported)]
}

/** As `oneOf`, for a field that may stay empty. */
export const optionalOneOf = (field: string, value: string | undefined, supported: readonly string[]): FieldError[] =>
  !value || supported.includes(value) ? [] : [notSupported(field, value, supported)]

export const nonNegative = (field: string, value: number | undefined): FieldError[] =>
  value !== undefined && value < 0 ? [invalid(field, value, 'must be greater than or equal to 0')] : []

export const positive = (field: string, value: number | undefined): FieldError[] =>
  value !== undefined && value <= 0 ? [invalid(field, value, 'must be greater than 0')] : []

/** A `Duplicate` for every item whose key an earlier item has; items without a key are let through. */
export function unique<T>(
  items: readonly T[] | undefined,
  path: string,
  keyOf: (item: T) => string | undefined,
  field = '',
): FieldError[] {
  const seen = new Set<string>()
  return each(items, path, (item, itemPath) => {
    const key = keyOf(item)
    if (!key) return []
    if (seen.has(key)) return [duplicate(field ? `${itemPath}.${field}` : itemPath, key)]
    seen.add(key)
    return []
  })
}

/**
 * Equality as upstream's apiequality.Semantic: an absent list or string equals an empty one.
 * Quantities are compared as they are written, which is canonical once an object is decoded.
 */
export function same(a: unknown, b: unknown): boolean {
  if (a === b || (isEmpty(a) && isEmpty(b))) return true
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]))
  }
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>]
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every(key => same(left[key], right[key]))
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
