import { type FieldModel, type Kind, model, type ValueModel } from '../../api/index.ts'
import { fieldElement } from './elements.ts'
import { anything, type ListSchema, type MapField, type MapSchema, type Schema } from './schema.ts'

const SCALARS: Partial<Record<Kind, Schema>> = {
  string: { scalar: 'string' },
  bytes: { scalar: 'string' },
  duration: { scalar: 'string' },
  bool: { scalar: 'boolean' },
  int32: { scalar: 'numeric' },
  int64: { scalar: 'numeric' },
  float64: { scalar: 'numeric' },
  time: { scalar: 'untyped' },
  microTime: { scalar: 'untyped' },
  quantity: { scalar: 'untyped' },
  intOrString: { scalar: 'untyped' },
}

/** Structs that have one owner unless the field that holds them says otherwise; each is made once. */
const structs = new Map<string, MapSchema>()

/** The schema of a struct of the API model: `apps/v1.Deployment`. */
export const modelSchema = (type: string): Schema => ({ map: structSchema(type, undefined) })

function structSchema(type: string, structType: FieldModel['structType']): MapSchema {
  const atomic = (structType ?? model.type(type).structType) === 'atomic'
  const name = `${type} ${atomic}`
  let schema = structs.get(name)
  if (!schema) {
    schema = compile(type, atomic)
    structs.set(name, schema)
  }
  return schema
}

/** A type may contain itself, so that its fields are looked at when they are first asked for. */
function compile(type: string, atomic: boolean): MapSchema {
  let fields: MapField[] | undefined
  let byName: Map<string, Schema> | undefined
  const all = () => {
    fields ??= model
      .type(type)
      .fields.map(field => ({ name: field.name, element: fieldElement(field.name), schema: fieldSchema(field) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    return fields
  }
  return {
    atomic,
    fields: all,
    field(name) {
      byName ??= new Map(all().map(field => [field.name, field.schema]))
      return byName.get(name)
    },
  }
}

function fieldSchema(field: FieldModel): Schema {
  if (field.kind === 'struct') return { map: structSchema(field.type, field.structType) }
  if (field.kind === 'list') return { list: listSchema(field) }
  if (field.kind === 'map') return { map: mapSchema(field, field.mapType === 'atomic') }
  return valueSchema(field)
}

function valueSchema(value: ValueModel): Schema {
  if (value.kind === 'struct') return { map: structSchema(value.type, undefined) }
  if (value.kind === 'list') return { list: { type: 'atomic', keys: [], items: valueSchema(value.items!) } }
  if (value.kind === 'map') return { map: mapSchema(value, false) }
  return SCALARS[value.kind] ?? anything
}

const mapSchema = ({ items }: ValueModel, atomic: boolean): MapSchema => ({
  atomic,
  fields: () => [],
  field: () => undefined,
  others: valueSchema(items!),
})

/** Where a list has no type of its own, the way in which strategic merge takes it says what it is. */
function listSchema({ items, listType, listMapKeys, patchStrategy, patchMergeKey }: FieldModel): ListSchema {
  const merges = patchStrategy?.split(',').includes('merge')
  const type = listType ?? (!merges ? 'atomic' : patchMergeKey ? 'map' : 'set')
  const names = type === 'map' ? (listMapKeys ?? [patchMergeKey!]) : []
  return { type, keys: [...names].sort().map(name => keyOf(items!, name)), items: valueSchema(items!) }
}

const ZEROS: Partial<Record<Kind, unknown>> = { string: '', int32: 0, int64: 0 }

function keyOf(items: ValueModel, name: string): ListSchema['keys'][number] {
  const field = model.type(items.type).field(name)
  // Go has no absent text or number, unless it says so.
  const zero = field && !field.pointer && !field.omitempty ? ZEROS[field.kind] : undefined
  const value = field?.default ?? zero
  return value === undefined ? { name } : { name, default: value }
}
