import { fieldElement } from './elements.ts'
import { modelSchema } from './model-schema.ts'
import { anything, type ListSchema, type MapField, type MapSchema, type Schema } from './schema.ts'

/** Of the structural schema of a CustomResourceDefinition, what ownership depends on. */
export interface StructuralSchema {
  type?: string | string[]
  format?: string
  default?: unknown
  properties?: Record<string, StructuralSchema>
  additionalProperties?: StructuralSchema | boolean
  items?: unknown
  'x-kubernetes-embedded-resource'?: boolean
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-list-type'?: string
  'x-kubernetes-map-type'?: string
  'x-kubernetes-preserve-unknown-fields'?: boolean
}

/**
 * The schema of a custom resource. Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
 */
export const customSchema = (root: StructuralSchema): Schema => ({ map: mapOf(root, objectFields()) })

const STRING: Schema = { scalar: 'string' }

/** What every object has, and what an embedded one has as well. */
const objectFields = (): Record<string, Schema> => ({
  apiVersion: STRING,
  kind: STRING,
  metadata: modelSchema('meta/v1.ObjectMeta'),
})

function schemaOf(schema: StructuralSchema): Schema {
  if (schema['x-kubernetes-int-or-string']) return { scalar: 'untyped' }
  switch (Array.isArray(schema.type) ? undefined : schema.type) {
    case 'object':
      return { map: mapOf(schema, schema['x-kubernetes-embedded-resource'] ? objectFields() : {}) }
    case 'array':
      return { list: listOf(schema) }
    case 'string':
      return schema.format === 'date-time' ? { scalar: 'untyped' } : STRING
    case 'integer':
    case 'number':
      return { scalar: 'numeric' }
    case 'boolean':
      return { scalar: 'boolean' }
    default:
      return anything
  }
}

function mapOf(schema: StructuralSchema, always: Record<string, Schema>): MapSchema {
  const { properties = {}, additionalProperties } = schema
  const own = Object.entries(properties).map(([name, property]) => [name, schemaOf(property)] as const)
  const byName = new Map([...own, ...Object.entries(always)])
  const fields = [...byName]
    .map(([name, field]): MapField => ({ name, element: fieldElement(name), schema: field }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const open = schema['x-kubernetes-preserve-unknown-fields'] || additionalProperties === true || !byName.size
  const typed = typeof additionalProperties === 'object' ? schemaOf(additionalProperties) : undefined
  const others = typed ?? (open ? anything : undefined)
  return {
    atomic: schema['x-kubernetes-map-type'] === 'atomic',
    fields: () => fields,
    field: name => byName.get(name),
    ...(others ? { others } : {}),
  }
}

function listOf(schema: StructuralSchema): ListSchema {
  const items = (schema.items ?? {}) as StructuralSchema
  const listType = schema['x-kubernetes-list-type']
  const names = listType === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : []
  const keys = [...names].sort().map(name => {
    const value = items.properties?.[name]?.default
    return value === undefined ? { name } : { name, default: value }
  })
  return { type: listType === 'set' || listType === 'map' ? listType : 'atomic', keys, items: schemaOf(items) }
}
