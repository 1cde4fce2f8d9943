import { type FieldModel, model } from '../api/index.ts'
import { malformed, unmergeable } from './errors.ts'
import { clone, goString, goText, goType, isObject, type JsonObject, put } from './json.ts'
import { inOrder, mergeKeyOf, sameKind } from './lists.ts'

const PATCH = '$patch'
const RETAIN_KEYS = '$retainKeys'
const DELETE_FROM_LIST = '$deleteFromPrimitiveList'
const SET_ORDER = '$setElementOrder'

const isDirective = (key: string) =>
  key === PATCH || key === RETAIN_KEYS || key.startsWith(DELETE_FROM_LIST) || key.startsWith(SET_ORDER)

/** What is known of the value of a field: enough to go on into it. */
interface Shape {
  /** The model's name of the struct; absent for a map and for what has no members that the API knows. */
  struct?: string
  /** What every member of a map is. */
  member?: Shape
}

/** How a field merges. */
interface Field {
  shape: Shape
  /** Of the items of a list. */
  items: Shape
  strategy: 'merge' | 'replace' | ''
  mergeKey: string
}

/**
 * A strategic merge patch of an object of a type of the API model (`apps/v1.Deployment`): like a merge patch, but lists
 * whose field says so merge by their key, and directives (`$patch`, `$retainKeys`, `$setElementOrder/...`,
 * `$deleteFromPrimitiveList/...`) say more.
 * Source: https://git.k8s.io/community/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 * Throws a PatchError.
 */
export function applyStrategicMergePatch(document: unknown, patch: unknown, type: string): unknown {
  if (!isObject(document) || !isObject(patch)) throw malformed('invalid JSON document')
  return mergeMap(document, patch, { struct: type })
}

function mergeMap(original: JsonObject, patch: JsonObject, shape: Shape): JsonObject {
  if (Object.hasOwn(patch, PATCH)) return replaced(patch)
  const result = retained(original, patch)
  const rest = { ...patch }
  delete rest[RETAIN_KEYS]
  for (const key of Object.keys(patch)) if (key.startsWith(SET_ORDER)) setOrder(result, rest, key, shape)
  for (const key of Object.keys(rest)) {
    if (key.startsWith(DELETE_FROM_LIST)) deleteFromList(result, key, rest[key])
    else mergeMember(result, key, rest[key], shape)
  }
  return result
}

/** `$patch: replace` and `$patch: delete`. */
function replaced(patch: JsonObject): JsonObject {
  const { [PATCH]: directive, ...rest } = patch
  if (directive === 'replace') return clone(rest)
  if (directive === 'delete') return {}
  throw unmergeable(`unknown patch type: ${goText(directive)} in map: ${goString(patch)}`)
}

/** A copy of the original's members, of which `$retainKeys` leaves only those that it names. */
function retained(original: JsonObject, patch: JsonObject): JsonObject {
  const result = { ...original }
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return result
  const keys = patch[RETAIN_KEYS]
  if (!Array.isArray(keys)) throw malformed('invalid patch format of retainKeys')
  const unnamed = (key: string) => patch[key] !== null && !isDirective(key) && !keys.includes(key)
  if (Object.keys(patch).some(unnamed)) throw malformed('invalid patch format of retainKeys')
  for (const key of Object.keys(result)) if (!keys.includes(key)) delete result[key]
  return result
}

function mergeMember(result: JsonObject, key: string, value: unknown, shape: Shape): void {
  if (value === null) {
    delete result[key]
    return
  }
  const original = Object.hasOwn(result, key) ? result[key] : undefined
  if (isObject(original) && isObject(value)) {
    const field = fieldOf(shape, key)
    put(result, key, field.strategy === 'replace' ? clone(value) : mergeMap(original, value, field.shape))
  } else if (Array.isArray(original) && Array.isArray(value))
    put(result, key, mergeList(original, value, fieldOf(shape, key)))
  else put(result, key, added(value))
}

/** What a patch adds where there was nothing: without nulls and without directives, which have nothing to act on. */
function added(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter(item => !isObject(item) || item[PATCH] === undefined).map(added)
  if (!isObject(value)) return value
  const result: JsonObject = {}
  for (const key of Object.keys(value)) {
    const member = value[key]
    const dropped = member === null || isDirective(key) || (isObject(member) && member[PATCH] === 'delete')
    if (!dropped) put(result, key, added(member))
  }
  return result
}

function mergeList(original: unknown[], patch: unknown[], field: Field): unknown[] {
  if (field.strategy !== 'merge') return clone(patch)
  if (original.length === 0 && patch.length === 0) return []
  const kind = sameKind(original, patch)
  if (kind !== 'map') return inOrder([...new Set([...original, ...patch])], patch, original, '')
  const { mergeKey } = field
  if (!mergeKey) throw unmergeable('cannot merge lists without merge key for type struct')
  const plain = patch.filter(item => !isObject(item) || !Object.hasOwn(item, PATCH)) as JsonObject[]
  const directives = (patch as JsonObject[]).filter(item => Object.hasOwn(item, PATCH))
  let kept = original as JsonObject[]
  let replace = false
  for (const item of directives) {
    const directive = item[PATCH]
    if (directive === 'replace') replace = true
    else if (directive === 'delete') {
      const gone = mergeKeyOf(item, mergeKey)
      kept = kept.filter(held => held[mergeKey] !== gone)
    } else if (directive === 'merge') throw unmergeable('merging lists cannot yet be specified in the patch')
    else throw unmergeable(`unknown patch type: ${goText(directive)} in map: ${goString(item)}`)
  }
  if (replace) return plain.map(added)
  return inOrder(mergeItems(kept, plain, field), plain, kept, mergeKey)
}

function mergeItems(original: JsonObject[], patch: JsonObject[], { mergeKey, items }: Field): JsonObject[] {
  const merged = [...original]
  for (const item of patch) {
    const key = mergeKeyOf(item, mergeKey)
    const at = merged.findIndex(held => held[mergeKey] === key)
    if (at < 0) merged.push(added(item) as JsonObject)
    else merged[at] = mergeMap(merged[at]!, item, items)
  }
  return merged
}

/** `$deleteFromPrimitiveList/finalizers: [a, b]` */
function deleteFromList(result: JsonObject, directive: string, values: unknown): void {
  const key = fieldNamed(directive, DELETE_FROM_LIST, 'primitive list')
  const held = result[key]
  if (Array.isArray(held) && Array.isArray(values))
    put(
      result,
      key,
      held.filter(value => !values.includes(value)),
    )
}

/**
 * `$setElementOrder/containers: [{name: a}, {name: b}]`: merges that list, puts the items named into this order and the
 * others where they stood among them. What it has merged it takes out of `patch`.
 */
function setOrder(result: JsonObject, patch: JsonObject, directive: string, shape: Shape): void {
  const order = patch[directive]
  delete patch[directive]
  if (!Array.isArray(order)) throw unmergeable(`expected a []interface {}, but received a ${goType(order)}`)
  const key = fieldNamed(directive, SET_ORDER, 'setElementOrder list')
  const original = listOrNone(Object.hasOwn(result, key) ? result[key] : undefined)
  const change = listOrNone(Object.hasOwn(patch, key) ? patch[key] : undefined)
  const field = fieldOf(shape, key)
  validateOrder(change ?? [], order, field.mergeKey)
  if (!original && !change) return
  const merged = original && change ? mergeList(original, change, field) : (original ?? (added(change) as unknown[]))
  put(result, key, inOrder(merged, order, original ?? [], field.mergeKey))
  delete patch[key]
}

function listOrNone(value: unknown): unknown[] | undefined {
  if (value === undefined || Array.isArray(value)) return value
  throw unmergeable(`expected a []interface {}, but received a ${goType(value)}`)
}

/** The items of the patch must stand in the order that it asks for. */
function validateOrder(patch: unknown[], order: unknown[], mergeKey: string): void {
  const keyed = (item: unknown) => (mergeKey ? mergeKeyOf(item, mergeKey) : item)
  const wanted = patch.filter(item => !isObject(item) || !Object.hasOwn(item, PATCH))
  let next = 0
  for (const item of order) if (next < wanted.length && keyed(wanted[next]) === keyed(item)) next++
  if (order.length > 0 && next < wanted.length)
    throw unmergeable(
      `The order in patch list:\n${goString(patch)}\n doesn't match ${SET_ORDER} list:\n${goString(order)}\n`,
    )
}

function fieldNamed(directive: string, prefix: string, what: string): string {
  if (!directive.startsWith(`${prefix}/`)) throw malformed(`invalid patch format of ${what}`)
  return directive.slice(prefix.length + 1)
}

function fieldOf(shape: Shape, key: string): Field {
  if (shape.member) return { shape: shape.member, items: {}, strategy: '', mergeKey: '' }
  const field = shape.struct ? model.type(shape.struct).field(key) : undefined
  if (!field)
    throw unmergeable(
      `unable to find api field in struct ${structName(shape)} for the json field ${JSON.stringify(key)}`,
    )
  const strategies = field.patchStrategy?.split(',') ?? []
  const strategy = strategies.includes('merge') ? 'merge' : strategies.includes('replace') ? 'replace' : ''
  return {
    shape: shapeOf(field),
    items: field.items ? shapeOf(field.items) : {},
    strategy,
    mergeKey: field.patchMergeKey ?? '',
  }
}

const structName = ({ struct }: Shape) => (struct ? model.type(struct).goName : 'RawExtension')

function shapeOf({ kind, type, items }: Pick<FieldModel, 'kind' | 'type' | 'items'>): Shape {
  if (kind === 'map') return { member: shapeOf(items!) }
  return kind === 'struct' ? { struct: type } : {}
}
