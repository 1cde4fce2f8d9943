import { type FieldModel, model, type ValueModel } from '../api/index.ts'

type Fill = (object: Record<string, unknown>) => void

const NOTHING: Fill = () => {}
const compiled = new Map<string, Fill>()

/** What fills in the model's plain defaults of one struct and of all below it, in place. */
export function defaulterOf(type: string): Fill {
  let fill = compiled.get(type)
  if (!fill) {
    fill = hasDefaults(type, new Set()) ? structDefaulter(type) : NOTHING
    compiled.set(type, fill)
  }
  return fill
}

function structDefaulter(type: string): Fill {
  let steps: Fill[] | undefined
  return object => {
    steps ??= model.type(type).fields.flatMap(stepOf)
    for (const step of steps) step(object)
  }
}

/** A zero default says only that the field need not be given. */
const isDefaulted = (field: FieldModel): boolean =>
  field.default !== undefined && (field.pointer || (field.default !== '' && field.default !== 0))

function hasDefaults(type: string, seen: Set<string>): boolean {
  if (seen.has(type)) return false
  seen.add(type)
  return model.type(type).fields.some(field => {
    const struct = structWithin(field)
    return isDefaulted(field) || (struct !== undefined && hasDefaults(struct, seen))
  })
}

/** The struct that the field is, or is a list or a map of. */
function structWithin(value: ValueModel): string | undefined {
  if (value.kind === 'struct') return value.type
  return value.items && structWithin(value.items)
}

function stepOf(field: FieldModel): Fill[] {
  const { name } = field
  if (isDefaulted(field)) {
    const value = field.default
    return [
      object => {
        object[name] ??= value
        if (!field.pointer && object[name] === '') object[name] = value
      },
    ]
  }
  const struct = structWithin(field)
  const fill = struct ? defaulterOf(struct) : NOTHING
  if (fill === NOTHING) return []
  return [
    object => {
      const held = object[name] ?? undefined
      if (held !== undefined) eachStruct(field, held, fill)
    },
  ]
}

function eachStruct(expected: ValueModel, value: unknown, fill: Fill): void {
  if (expected.kind === 'struct') fill(value as Record<string, unknown>)
  else for (const item of Object.values(value as object)) eachStruct(expected.items!, item, fill)
}
