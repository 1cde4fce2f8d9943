import { listKind, listType, type Resource } from '../../api/index.ts'
import type { JsonSchema } from '../../encoding/index.ts'
import type { Descriptions } from './descriptions.ts'
import type { Schema } from './schema.ts'
import { refTo } from './schemas.ts'

const CONVENTIONS = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md'

/** What version 2 is told of a resource that may have any field, since its readers would refuse them. */
const ANYTHING: JsonSchema = { type: 'object' }

/** The schemas of a custom resource and of its list, by their types; what every object has is put in. */
export function customSchemas(resource: Resource, given: JsonSchema, descriptions: Descriptions): [string, Schema][] {
  const { type, kind, group, version, selectable = [] } = resource
  const prose = descriptions['core/v1.Pod'] ?? {}
  const listProse = descriptions['core/v1.PodList'] ?? {}
  const texts = (of: Record<string, string>): Record<string, Schema> => ({
    apiVersion: { ...described(of.apiVersion), type: 'string' },
    kind: { ...described(of.kind), type: 'string' },
  })
  const metadata = { ...described(prose.metadata), allOf: [{ $ref: refTo('meta/v1.ObjectMeta') }] }
  const { properties, ...schema } = published(given, metadata)
  const object: Schema = {
    ...schema,
    type: 'object',
    ...(given === ANYTHING ? {} : { properties: { ...texts(prose), metadata, ...withoutMeta(properties) } }),
  }
  const list: Schema = {
    description: `${listKind(resource)} is a list of ${kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      ...texts(listProse),
      items: {
        description: `List of ${resource.resource}. More info: ${CONVENTIONS}`,
        type: 'array',
        items: { $ref: refTo(type) },
      },
      metadata: {
        description: `Standard list metadata. More info: ${CONVENTIONS}#types-kinds`,
        allOf: [{ $ref: refTo('meta/v1.ListMeta') }],
      },
    },
  }
  const extensions = (name: string): Schema => ({
    'x-kubernetes-group-version-kind': [{ group, kind: name, version }],
    ...(selectable.length ? { 'x-kubernetes-selectable-fields': selectable.map(fieldPath => ({ fieldPath })) } : {}),
  })
  return [
    [type, { ...object, ...extensions(kind) }],
    [listType(resource), { ...list, ...extensions(listKind(resource)) }],
  ]
}

const INT_OR_STRING: JsonSchema[] = [{ type: 'integer' }, { type: 'string' }]

/** A schema as it is published: what only its extensions say of objects within, and of what may be two things, is said. */
function published(schema: JsonSchema, metadata: Schema): Schema {
  const { items, properties, additionalProperties, anyOf, allOf = [], ...rest } = schema
  const own: Schema = { ...(rest as Schema), ...(anyOf ? { anyOf: anyOf as Schema[] } : {}) }
  if (allOf.length) own.allOf = allOf as Schema[]
  if (schema['x-kubernetes-int-or-string'] && schema.type === undefined && !isIntOrString(schema)) {
    if (anyOf) own.allOf = [{ anyOf: INT_OR_STRING as Schema[] }, ...(allOf as Schema[])]
    else own.anyOf = INT_OR_STRING as Schema[]
  }
  if (items) own.items = published(items, metadata)
  if (additionalProperties !== undefined)
    own.additionalProperties =
      typeof additionalProperties === 'object' ? published(additionalProperties, metadata) : additionalProperties
  if (properties)
    own.properties = Object.fromEntries(
      Object.entries(properties).map(([name, field]) => [name, published(field, metadata)]),
    )
  return schema['x-kubernetes-embedded-resource'] && schema.type === 'object' ? withObject(own, metadata) : own
}

const isIntOrString = ({ anyOf, allOf }: JsonSchema): boolean =>
  [anyOf, allOf?.[0]?.anyOf].some(
    each => each?.length === 2 && each[0]?.type === 'integer' && each[1]?.type === 'string',
  )

const withObject = (schema: Schema, metadata: Schema): Schema => ({
  ...schema,
  properties: {
    ...schema.properties,
    apiVersion: {
      description: `apiVersion defines the versioned schema of this representation of an object. More info: ${CONVENTIONS}#resources`,
      type: 'string',
    },
    kind: {
      description: `kind is a string value representing the type of this object. In CamelCase. More info: ${CONVENTIONS}#types-kinds`,
      type: 'string',
    },
    metadata,
  },
  required: [...new Set([...(schema.required ?? []), 'kind', 'apiVersion'])],
})

/**
 * What version 2 is told of a schema: no alternatives and no defaults, and nothing of what lies in a value that may be null
 * or have any field, since its readers would take that for all there can be.
 * Source: k8s.io/apiextensions-apiserver/pkg/controller/openapi/v2/conversion.go
 */
export const trimmed = (schema: JsonSchema): JsonSchema =>
  schema['x-kubernetes-preserve-unknown-fields'] ? ANYTHING : trim(schema)

function trim(schema: JsonSchema): JsonSchema {
  const { items, properties, additionalProperties, type, required, nullable, ...rest } = schema
  const { allOf: _, anyOf: __, oneOf: ___, not: ____, default: _____, ...kept } = rest
  const free = schema['x-kubernetes-preserve-unknown-fields'] === true
  const opaque = nullable || free
  const untyped = nullable || (free && type === 'object') || (type === 'array' && (opaque || !items))
  const sure = required?.filter(name => !properties?.[name]?.nullable)
  const ofOthers = typeof additionalProperties === 'object' ? additionalProperties : undefined
  return {
    ...kept,
    // Those that cannot be told of are left as strings are: without a word.
    ...(type && !untyped ? { type } : {}),
    ...(sure?.length && !ofOthers?.nullable ? { required: sure } : {}),
    ...(items && !opaque ? { items: trim(items) } : {}),
    ...(properties && !opaque
      ? { properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, trim(field)])) }
      : {}),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: ofOthers ? trim(ofOthers) : additionalProperties }),
  }
}

const described = (description: string | undefined): Schema => (description ? { description } : {})

function withoutMeta(properties: Record<string, Schema> = {}): Record<string, Schema> {
  const { apiVersion: _, kind: __, metadata: ___, ...own } = properties
  return own
}
