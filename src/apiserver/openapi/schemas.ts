import { type FieldModel, model, type TypeModel } from '../../api/index.ts'
import type { Descriptions } from './descriptions.ts'
import { schemaName } from './names.ts'
import type { GroupVersionKind, Schema } from './schema.ts'

type ValueModel = Pick<FieldModel, 'kind' | 'type' | 'items' | 'enum'>

export interface SchemaSource {
  descriptions: Descriptions
  /** The kinds that a type is, by the model's name of the type. */
  kinds: Map<string, GroupVersionKind[]>
  /** Schemas of types that are not in the model. */
  custom: Map<string, Schema>
}

/** Schemas of types that are not structs of the model. */
const SPECIAL: Record<string, Schema> = {
  'meta/v1.Time': { type: 'string', format: 'date-time' },
  'meta/v1.MicroTime': { type: 'string', format: 'date-time' },
  'meta/v1.Duration': { type: 'string' },
  'meta/v1.FieldsV1': { type: 'object' },
  'meta/v1.Patch': { type: 'object' },
  'meta/v1.WatchEvent': {
    type: 'object',
    properties: {
      object: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.runtime.RawExtension' },
      type: { type: 'string', default: '' },
    },
    required: ['type', 'object'],
  },
  'resource.Quantity': { oneOf: [{ type: 'string' }, { type: 'number' }] },
  'intstr.IntOrString': { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  'runtime.RawExtension': { type: 'object' },
  // Free JSON, and what is a schema or something else: upstream says nothing of them.
  'apiextensions/v1.JSON': {},
  'apiextensions/v1.JSONSchemaPropsOrArray': {},
  'apiextensions/v1.JSONSchemaPropsOrBool': {},
  'apiextensions/v1.JSONSchemaPropsOrStringArray': {},
}

/** Types of whose fields only the one that a discriminator names may be set, by the discriminator's value. */
const UNIONS: Record<string, { discriminator?: string; 'fields-to-discriminateBy': Record<string, string> }> = {
  'core/v1.AppArmorProfile': union('type', 'localhostProfile'),
  'core/v1.PodSchedulingGroup': union(undefined, 'podGroupName'),
  'core/v1.SeccompProfile': union('type', 'localhostProfile'),
  'flowcontrol/v1.LimitResponse': union('type', 'queuing'),
  'flowcontrol/v1.PriorityLevelConfigurationSpec': union('type', 'exempt', 'limited'),
  'flowcontrol/v1.Subject': union('kind', 'group', 'serviceAccount', 'user'),
}

function union(discriminator: string | undefined, ...fields: string[]) {
  const named = fields.map(field => [field, field[0]!.toUpperCase() + field.slice(1)])
  return {
    ...(discriminator ? { discriminator } : {}),
    'fields-to-discriminateBy': Object.fromEntries(named) as Record<string, string>,
  }
}

/** Sets that are closed, though the model does not say so. */
const CLOSED: Record<string, string[]> = {
  'discovery/v1.AddressType': ['FQDN', 'IPv4', 'IPv6'],
  'networking/v1.PathType': ['Exact', 'ImplementationSpecific', 'Prefix'],
  'resource/v1.DeviceAllocationMode': ['All', 'ExactCount'],
}

/** Kinds of values whose type has a schema of its own, so that a field refers to it. */
const NAMED = new Set(['struct', 'time', 'microTime', 'duration', 'quantity', 'intOrString', 'union'])

const SCALARS: Partial<Record<FieldModel['kind'], Schema>> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  float64: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
}

const ZEROS: Partial<Record<FieldModel['kind'], unknown>> = {
  string: '',
  bool: false,
  int32: 0,
  int64: 0,
  float64: 0,
  struct: {},
}

/** Upstream's schemas of these types and of all that they refer to, by name. */
export function schemasOf(types: Iterable<string>, source: SchemaSource): Record<string, Schema> {
  const found = new Map<string, Schema>()
  const waiting = [...types]
  for (let type = waiting.pop(); type !== undefined; type = waiting.pop()) {
    if (type === 'runtime.Object') type = 'runtime.RawExtension'
    if (found.has(type)) continue
    found.set(type, SPECIAL[type] ?? source.custom.get(type) ?? structSchema(type, source))
    if (!SPECIAL[type] && model.has(type)) waiting.push(...referredTypes(model.type(type)))
  }
  const named = [...found].map(([type, schema]) => [schemaName(type), described(type, schema, source)] as const)
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function described(type: string, schema: Schema, { descriptions, kinds }: SchemaSource): Schema {
  const description = descriptions[type]?.['']
  const group = kinds.get(type)
  return {
    ...(description ? { description } : {}),
    ...schema,
    ...(group ? { 'x-kubernetes-group-version-kind': group } : {}),
  }
}

function structSchema(type: string, { descriptions }: SchemaSource): Schema {
  if (!model.has(type)) return {}
  const { fields, structType } = model.type(type)
  const required = fields.filter(field => field.required).map(({ name }) => name)
  const schema: Schema = { type: 'object' }
  if (fields.length > 0)
    schema.properties = Object.fromEntries(
      fields.map(field => [field.name, fieldSchema(field, descriptions[type]?.[field.name])]),
    )
  if (required.length > 0) schema.required = required
  if (structType === 'atomic') schema['x-kubernetes-map-type'] = 'atomic'
  if (UNIONS[type]) schema['x-kubernetes-unions'] = [UNIONS[type]]
  return schema
}

function fieldSchema(field: FieldModel, description: string | undefined): Schema {
  const facts: Schema = description ? { description } : {}
  const value = defaultOf(field)
  if (value !== undefined) facts.default = value
  return { ...withFacts(valueSchema(field), facts), ...extensions(field) }
}

/** What a field is when nothing is given: its default, or the zero value of a field that is always there. */
function defaultOf(field: FieldModel): unknown {
  if (field.default !== undefined) return field.default
  if (field.pointer || (field.omitempty && field.kind !== 'struct')) return undefined
  return ZEROS[field.kind]
}

function valueSchema(value: ValueModel): Schema {
  if (NAMED.has(value.kind)) return { $ref: refTo(value.type) }
  if (value.kind === 'raw') return value.type === 'interface{}' ? {} : { $ref: refTo(value.type) }
  if (value.kind === 'list') return { type: 'array', items: itemSchema(value.items!) }
  if (value.kind === 'map') return { type: 'object', additionalProperties: itemSchema(value.items!) }
  const values = value.enum ?? CLOSED[value.type]
  return { ...SCALARS[value.kind], ...(values ? { enum: values } : {}) }
}

function itemSchema(item: ValueModel): Schema {
  const zero = ZEROS[item.kind]
  return withFacts(valueSchema(item), zero === undefined ? {} : { default: zero })
}

/** A reference cannot have anything beside it, so it is wrapped. */
function withFacts(schema: Schema, facts: Schema): Schema {
  if (!schema.$ref || Object.keys(facts).length === 0) return { ...facts, ...schema }
  return { ...facts, allOf: [schema] }
}

function extensions(field: FieldModel): Schema {
  const { listType, listMapKeys, mapType, structType, patchMergeKey, patchStrategy } = field
  const found: [`x-kubernetes-${string}`, unknown][] = [
    ['x-kubernetes-list-map-keys', listMapKeys],
    ['x-kubernetes-list-type', listType],
    ['x-kubernetes-map-type', mapType ?? structType],
    ['x-kubernetes-patch-merge-key', patchMergeKey],
    ['x-kubernetes-patch-strategy', patchStrategy],
  ]
  return Object.fromEntries(found.filter(([, value]) => value !== undefined))
}

/** Whether there is a schema of it without a custom resource's. */
export const isDescribed = (type: string): boolean => type in SPECIAL || model.has(type)

export const refTo = (type: string) => `#/components/schemas/${schemaName(type)}`

const referredTypes = ({ fields }: TypeModel): string[] =>
  fields
    .map(innermost)
    .filter(isReferred)
    .map(({ type }) => type)

const innermost = (value: ValueModel): ValueModel => (value.items ? innermost(value.items) : value)

const isReferred = ({ kind, type }: ValueModel) => NAMED.has(kind) || (kind === 'raw' && type !== 'interface{}')
