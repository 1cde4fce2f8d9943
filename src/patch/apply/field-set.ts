import { isObject } from '../json.ts'
import { canonicalElement, compareElements, isKnownElement, showElement } from './elements.ts'
import { anything, type MapSchema, memberSchema, type Schema } from './schema.ts'

/**
 * A set of paths into an object, in the very form in which managedFields keep it (FieldsV1): a tree of elements, where
 * a node without children is a path of the set, and one with children is so when it has a `.` among them. Elements stand
 * in their canonical order. A set is never changed, so that sets may share nodes; undefined is the empty set.
 *
 *     { "f:spec": { "f:replicas": {} }, "f:metadata": { "f:labels": { ".": {}, "f:app": {} } } }
 *
 * Source: sigs.k8s.io/structured-merge-diff fieldpath Set
 */
export interface FieldSet {
  readonly [element: string]: FieldSet
}

/** A node that is a path of the set and has nothing below it. */
export const LEAF: FieldSet = Object.freeze({})

const SELF = '.'

/** Whether the path that leads to this node is in the set. */
export function isMember(node: FieldSet): boolean {
  if (node[SELF] !== undefined) return true
  for (const _ in node) return false
  return true
}

type Builder = { [element: string]: FieldSet }

/** A node to which children are added in their order. */
export const startNode = (member: boolean): Builder => (member ? { [SELF]: LEAF } : {})

/** What a node comes to: nothing at all when it is no path of the set and has no children. */
export function endNode(node: Builder, member: boolean): FieldSet | undefined {
  let count = 0
  for (const _ in node) if (++count > 1) return node
  if (count === 0) return undefined
  return member ? LEAF : node
}

function* children(node: FieldSet): Generator<[string, FieldSet]> {
  for (const element of Object.keys(node)) if (element !== SELF) yield [element, node[element]!]
}

/** A node with the children that `keep` leaves of `of`. */
function rebuilt(of: FieldSet, member: boolean, keep: (element: string, child: FieldSet) => FieldSet | undefined) {
  const node = startNode(member)
  for (const [element, child] of children(of)) {
    const kept = keep(element, child)
    if (kept) node[element] = kept
  }
  return endNode(node, member)
}

export function union(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (!a || a === b) return b
  if (!b) return a
  const member = isMember(a) || isMember(b)
  const elements = new Set([...Object.keys(a), ...Object.keys(b)])
  elements.delete(SELF)
  const node = startNode(member)
  for (const element of [...elements].sort(compareElements)) node[element] = union(a[element], b[element])!
  return endNode(node, member)
}

/** The paths of `a` that are not in `b`. */
export function difference(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (!a || !b) return a
  return rebuilt(a, isMember(a) && !isMember(b), (element, child) => difference(child, b[element]))
}

export function intersection(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (!a || !b) return undefined
  return rebuilt(a, isMember(a) && isMember(b), (element, child) => intersection(child, b[element]))
}

/** The paths of `a` that are neither in `b` nor below one that is. */
export function without(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (!a || !b) return a
  if (isMember(b)) return undefined
  return rebuilt(a, isMember(a), (element, child) => without(child, b[element]))
}

/** The paths of `set` that match a pattern or lie below one that does; `*` in a pattern matches any element. */
export function matching(set: FieldSet | undefined, patterns: string[][]): FieldSet | undefined {
  if (!set || patterns.some(pattern => pattern.length === 0)) return set
  return rebuilt(set, false, (element, child) => {
    const further = patterns.filter(([first]) => first === '*' || first === element).map(pattern => pattern.slice(1))
    return further.length ? matching(child, further) : undefined
  })
}

/** The set and besides every declared field that leads to one of its paths. */
export function withNamedFields(
  set: FieldSet | undefined,
  schema: Schema | undefined,
  named = false,
): FieldSet | undefined {
  if (!set) return undefined
  return rebuilt(set, named || isMember(set), (element, child) =>
    withNamedFields(child, below(schema, element), isDeclared(schema?.map, element)),
  )
}

const isDeclared = (map: MapSchema | undefined, element: string) =>
  element.startsWith('f:') && map?.field(element.slice(2)) !== undefined

/**
 * The set as it is when the schema says by now of something that it has one owner as a whole: who owned parts owns it.
 * Source: sigs.k8s.io/structured-merge-diff typed reconcile_schema.go
 */
export function reconciled(set: FieldSet, schema: Schema | undefined): FieldSet {
  if (!schema || schema === anything) return set
  const whole = schema.map ? schema.map.atomic : schema.list?.type === 'atomic'
  if (whole) return LEAF
  return rebuilt(set, isMember(set), (element, child) => reconciled(child, below(schema, element))) ?? LEAF
}

/** The schema of what an element leads to. */
export function below(schema: Schema | undefined, element: string): Schema | undefined {
  if (element.startsWith('f:')) return schema?.map && memberSchema(schema.map, element.slice(2))
  return schema?.list?.items
}

/** The paths of the set as messages write them: those of a level before those below it. */
export function pathsOf(set: FieldSet | undefined, prefix = ''): string[] {
  if (!set) return []
  const here = [...children(set)]
  return [
    ...here.filter(([, child]) => isMember(child)).map(([element]) => prefix + showElement(element)),
    ...here.flatMap(([element, child]) => pathsOf(child, prefix + showElement(element))),
  ]
}

/** Whether the path is in the set. */
export function hasPath(set: FieldSet | undefined, path: string[]): boolean {
  let node = set
  for (const element of path) node = node?.[element]
  return node !== undefined && isMember(node)
}

/** The set of one path. */
export const setOf = (path: string[]): FieldSet =>
  path.reduceRight<FieldSet>((node, element) => ({ [element]: node }), LEAF)

/** A set as a client wrote it, in canonical form. Throws a SyntaxError when it is none. */
export function readFieldSet(value: unknown): FieldSet | undefined {
  const node = canonicalNode(value)
  return isMember(node) && Object.keys(node).length <= 1 && !Object.keys(node).some(key => key !== SELF)
    ? undefined
    : node
}

function canonicalNode(value: unknown): FieldSet {
  if (!isObject(value)) throw new SyntaxError('a field set is made of objects')
  const found = Object.keys(value)
    .filter(element => element !== SELF && isKnownElement(element))
    .map((element): [string, FieldSet] => [canonicalElement(element), canonicalNode(value[element])])
  if (!found.length) return LEAF
  const node = startNode(Object.hasOwn(value, SELF))
  for (const [element, child] of found.sort(([a], [b]) => compareElements(a, b))) node[element] = child
  return node
}
