import { inapplicable, malformed, tooManyOperations } from './errors.ts'
import { clone, equal, goType, isObject, type JsonObject, put } from './json.ts'

/** Source: k8s.io/apiserver/pkg/endpoints/handlers maxJSONPatchOperations */
const MOST_OPERATIONS = 10_000
/** Bytes that all copies of a patch may add together. Source: k8s.io/apiserver server.Config JSONPatchMaxCopyBytes */
const MOST_COPIED = 3 * 2 ** 20

type Container = JsonObject | unknown[]

/** A document as its operations change it; wrapped, so that the whole of it can be replaced. */
interface Draft {
  root: unknown
  copied: number
}

interface Operation {
  op: string
  path: string
  from: string
  value: unknown
}

/**
 * A JSON patch. Source: RFC 6902, with the leniencies of github.com/evanphx/json-patch, which upstream uses: indexes may
 * count from the end (`/-1`), and a missing `value` is null.
 * Throws a PatchError: 400 for what is no patch, 413 for more than 10,000 operations, 422 for one that does not apply.
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  const operations = read(patch)
  const draft: Draft = { root: clone(document), copied: 0 }
  for (const operation of operations) apply(draft, operation)
  return draft.root
}

function read(patch: unknown): Operation[] {
  if (!Array.isArray(patch))
    throw malformed(`json: cannot unmarshal ${jsonType(patch)} into Go value of type jsonpatch.Patch`)
  if (patch.length > MOST_OPERATIONS) throw tooManyOperations(MOST_OPERATIONS, patch.length)
  return patch.map(operation => {
    if (!isObject(operation))
      throw malformed(`json: cannot unmarshal ${jsonType(operation)} into Go value of type jsonpatch.Operation`)
    const text = (name: string) => (typeof operation[name] === 'string' ? operation[name] : 'unknown')
    return { op: text('op'), path: text('path'), from: text('from'), value: operation.value ?? null }
  })
}

const kinds = new Map<string, (draft: Draft, operation: Operation) => void>([
  ['add', (draft, { path, value }) => add(draft, path, clone(value))],
  ['remove', (draft, { path }) => remove(draft, path)],
  ['replace', (draft, { path, value }) => replace(draft, path, clone(value))],
  ['move', (draft, { from, path }) => move(draft, from, path)],
  ['copy', (draft, { from, path }) => add(draft, path, copyOf(draft, get(draft, from)))],
  ['test', (draft, { path, value }) => test(draft, path, value)],
])

function apply(draft: Draft, operation: Operation): void {
  const run = kinds.get(operation.op)
  if (!run) throw inapplicable(`Unexpected kind: ${operation.op}`)
  run(draft, operation)
}

function add(draft: Draft, path: string, value: unknown): void {
  const { container, key } = locate(draft, path, 'add')
  if (Array.isArray(container)) {
    const index = key === '-' ? container.length : indexIn(container.length + 1, key)
    container.splice(index, 0, value)
  } else put(container, key, value)
}

function remove(draft: Draft, path: string): void {
  const { container, key } = locate(draft, path, 'remove')
  if (Array.isArray(container)) container.splice(indexIn(container.length, key), 1)
  else if (Object.hasOwn(container, key)) delete container[key]
  else
    throw inapplicable(`error in remove for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`)
}

function replace(draft: Draft, path: string, value: unknown): void {
  if (path === '') {
    if (typeof value !== 'object' || value === null)
      throw inapplicable('replace operation value must be object or array')
    draft.root = value
    return
  }
  const { container, key } = locate(draft, path, 'replace')
  if (Array.isArray(container)) container[indexIn(container.length, key)] = value
  else if (Object.hasOwn(container, key)) put(container, key, value)
  else throw inapplicable(`replace operation does not apply: doc is missing key: ${path}: missing value`)
}

function move(draft: Draft, from: string, path: string): void {
  const location = locate(draft, from, 'move')
  const moved = child(location)
  if (moved === undefined) {
    const { key } = location
    throw inapplicable(`error in move for path: '${key}': Unable to remove nonexistent key: ${key}: missing value`)
  }
  remove(draft, from)
  add(draft, path, moved)
}

/** A member that is missing passes a test for null. */
function test(draft: Draft, path: string, value: unknown): void {
  const found = path === '' ? draft.root : child(locate(draft, path, 'test'))
  if (!equal(found ?? null, value)) throw inapplicable(`testing value ${path} failed: test failed`)
}

function get(draft: Draft, path: string): unknown {
  const location = locate(draft, path, 'from')
  const found = child(location)
  if (found === undefined) throw inapplicable(`doc is missing key: ${path}: missing value`)
  return found
}

function copyOf(draft: Draft, value: unknown): unknown {
  draft.copied += JSON.stringify(value).length
  if (draft.copied > MOST_COPIED)
    throw inapplicable(`Unable to complete the copy, the accumulated size increase of copy is ${draft.copied}`)
  return clone(value)
}

/** The object or array that holds what `path` names, and the last step from there. */
function locate(draft: Draft, path: string, operation: string): { container: Container; key: string } {
  const [start, ...steps] = path.split('/').map(decodeStep)
  const key = steps.pop()
  let container: unknown = draft.root
  for (const step of steps) container = isContainer(container) ? child({ container, key: step }) : undefined
  if (start === undefined || key === undefined || !isContainer(container))
    throw inapplicable(`${operation} operation does not apply: doc is missing path: "${path}": missing value`)
  return { container, key }
}

function child({ container, key }: { container: Container; key: string }): unknown {
  if (Array.isArray(container)) return container[indexIn(container.length, key)]
  return Object.hasOwn(container, key) ? container[key] : undefined
}

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null

/** `~1` is a slash and `~0` a tilde (RFC 6901). */
const decodeStep = (step: string) => step.replaceAll('~1', '/').replaceAll('~0', '~')

function indexIn(length: number, key: string): number {
  if (!/^[+-]?\d+$/.test(key)) throw inapplicable(`strconv.Atoi: parsing "${key}": invalid syntax`)
  const index = Number(key)
  const fromStart = index < 0 ? index + length : index
  if (fromStart < 0 || fromStart >= length)
    throw inapplicable(`Unable to access invalid index: ${index}: invalid index referenced`)
  return fromStart
}

function jsonType(value: unknown): string {
  if (value === null) return 'null'
  const type = goType(value)
  return type.startsWith('map')
    ? 'object'
    : type.startsWith('[]')
      ? 'array'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value
}
