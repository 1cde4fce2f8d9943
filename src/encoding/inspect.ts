import { type Kind, model, type ValueModel } from '../api/index.ts'
import { chosen } from './decode.ts'
import { jsonType, Mismatch, scalars } from './scalars.ts'

/** Upstream stops counting there. */
const MOST_FINDINGS = 100

export interface Findings {
  /** What Go's decoder says of the first value of a wrong type. */
  mismatch?: string
  /** `unknown field "spec.foo"`, in the order of the document. */
  unknown: string[]
}

interface Place {
  /** The struct around the value: `DeploymentSpec`. */
  struct: string
  /** As errors of type show it, without indexes and keys, with embedded structs: `spec.template.spec.containers.image`. */
  field: string
  /** As strict errors show it: `spec.template.spec.containers[0].image`. */
  path: string
}

/**
 * Says exactly what is wrong with a value that a fast decoder has found fault with.
 * The texts are those of Go's encoding/json and of sigs.k8s.io/json.
 */
export function inspect(type: string, value: unknown): Findings {
  const findings: Findings = { unknown: [] }
  const root: ValueModel = { kind: 'struct', type, goType: type.slice(type.lastIndexOf('/') + 1) }
  visit(root, value, { struct: '', field: '', path: '' }, findings)
  return findings
}

function visit(expected: ValueModel, value: unknown, place: Place, findings: Findings): void {
  if (value === null || value === undefined) return
  const visitKind = VISITS[expected.kind] ?? visitScalar
  visitKind(expected, value, place, findings)
}

type Visit = (expected: ValueModel, value: unknown, place: Place, findings: Findings) => void

const VISITS: Partial<Record<Kind, Visit>> = {
  struct: visitStruct,
  list: visitList,
  map: visitMap,
  union: visitUnion,
}

function visitStruct(expected: ValueModel, value: unknown, place: Place, findings: Findings): void {
  if (!isObject(value)) {
    mismatch(jsonType(value), expected, place, findings)
    return
  }
  const type = model.type(expected.type)
  for (const [key, item] of Object.entries(value)) {
    const path = place.path ? `${place.path}.${key}` : key
    const field = type.field(key)
    if (!field) addUnknown(path, findings)
    else {
      const steps = [place.field, ...(field.embedded ?? []), key].filter(Boolean)
      visit(field, item, { struct: type.goName, field: steps.join('.'), path }, findings)
    }
  }
}

function visitList(expected: ValueModel, value: unknown, place: Place, findings: Findings): void {
  if (!Array.isArray(value)) {
    mismatch(jsonType(value), expected, place, findings)
    return
  }
  for (const [index, item] of value.entries())
    visit(expected.items!, item, { ...place, path: `${place.path}[${index}]` }, findings)
}

function visitMap(expected: ValueModel, value: unknown, place: Place, findings: Findings): void {
  if (!isObject(value)) {
    mismatch(jsonType(value), expected, place, findings)
    return
  }
  for (const [key, item] of Object.entries(value))
    visit(expected.items!, item, { ...place, path: `${place.path}.${key}` }, findings)
}

/** Upstream decodes what may be one of several by a decoder of its own, which knows of no unknown fields. */
function visitUnion(expected: ValueModel, value: unknown, place: Place, findings: Findings): void {
  const choice = chosen(expected.choices!, value)
  if (!choice) {
    mismatch(jsonType(value), expected, place, findings)
    return
  }
  const inner: Findings = { unknown: [] }
  visit(choice, value, place, inner)
  findings.mismatch ??= inner.mismatch
}

function visitScalar(expected: ValueModel, value: unknown, place: Place, findings: Findings): void {
  try {
    scalars[expected.kind]!.decode(value)
  } catch (error) {
    if (error instanceof Mismatch) mismatch(error.got, { goType: error.into ?? expected.goType }, place, findings)
    else findings.mismatch ??= (error as Error).message
  }
}

function mismatch(
  got: string,
  expected: Pick<ValueModel, 'goType'>,
  { struct, field }: Place,
  findings: Findings,
): void {
  const into = struct ? `struct field ${struct}.${field}` : 'value'
  findings.mismatch ??= `json: cannot unmarshal ${got} into Go ${into} of type ${expected.goType}`
}

function addUnknown(path: string, findings: Findings): void {
  if (findings.unknown.length < MOST_FINDINGS) findings.unknown.push(`unknown field "${path}"`)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
