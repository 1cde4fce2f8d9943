import { type Kind, model, type ValueModel } from '../api/index.ts'
import { jsonType, Mismatch, scalars } from './scalars.ts'

/** Finds nothing, or what Go says of the first value that it cannot convert. */
type Check = (expected: ValueModel, value: unknown) => string | undefined

/**
 * Why a JSON value cannot become an object of a type, as Go says it when it converts maps instead of reading JSON, which
 * it does with the result of a strategic merge patch. Nothing when there is no reason.
 * Source: k8s.io/apimachinery/pkg/runtime DefaultUnstructuredConverter
 */
export function conversionProblem(type: string, value: unknown): string | undefined {
  return checkStruct({ kind: 'struct', type, goType: type }, value)
}

const check: Check = (expected, value) =>
  value === null || value === undefined ? undefined : (CHECKS[expected.kind] ?? checkOwn)(expected, value)

const CHECKS: Partial<Record<Kind, Check>> = {
  struct: checkStruct,
  list: checkList,
  map: checkMap,
  bytes: checkBytes,
  string: checkScalar,
  bool: checkScalar,
  int32: checkScalar,
  int64: checkScalar,
  float64: checkScalar,
  // Told by the decoder, which has to find out what it is first.
  union: () => undefined,
}

function checkStruct({ type }: ValueModel, value: unknown): string | undefined {
  if (!isObject(value)) return `cannot restore struct from: ${goKind(value)}`
  return first(model.type(type).fields, field =>
    Object.hasOwn(value, field.name) ? check(field, value[field.name]) : undefined,
  )
}

function checkList({ items }: ValueModel, value: unknown): string | undefined {
  if (!Array.isArray(value)) return `cannot restore slice from ${goKind(value)}`
  return first(value, item => check(items!, item))
}

function checkMap({ items }: ValueModel, value: unknown): string | undefined {
  if (!isObject(value)) return `cannot restore map from ${goKind(value)}`
  return first(Object.values(value), item => check(items!, item))
}

function checkBytes(expected: ValueModel, value: unknown): string | undefined {
  if (typeof value !== 'string') return `cannot restore slice from ${goKind(value)}`
  const problem = checkOwn(expected, value)
  return problem && `error decoding from json: ${problem}`
}

/** Go could make a text of any integer, and of a fraction an integer: those it refuses in other words. */
function checkScalar({ kind, goType }: ValueModel, value: unknown): string | undefined {
  if (typeof value === 'number') {
    const integer = Number.isInteger(value)
    if (kind === 'float64' || (integer && kind.startsWith('int'))) return undefined
    if (integer ? kind === 'string' : kind.startsWith('int')) return `cannot convert ${goKind(value)} to ${goType}`
  } else if (jsonType(value) === kind) return undefined
  return `unrecognized type: ${kind}`
}

/** The types that read themselves from JSON do so here too. */
function checkOwn({ kind }: ValueModel, value: unknown): string | undefined {
  try {
    scalars[kind]!.decode(value)
    return undefined
  } catch (error) {
    if (!(error instanceof Mismatch)) return (error as Error).message
    return `json: cannot unmarshal ${error.got} into Go value${error.into ? ` of type ${error.into}` : ''}`
  }
}

function first<T>(items: Iterable<T>, find: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

/** What Go makes of a JSON value when no type tells it. */
function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : typeof value === 'object' ? 'map' : typeof value
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
