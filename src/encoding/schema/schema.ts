/**
 * A structural schema, as the author of a CustomResourceDefinition writes it.
 * Source: apiextensions.k8s.io/v1 JSONSchemaProps, https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export interface JsonSchema {
  type?: string
  format?: string
  title?: string
  description?: string
  nullable?: boolean
  default?: unknown
  enum?: unknown[]

  minimum?: number
  maximum?: number
  exclusiveMinimum?: boolean
  exclusiveMaximum?: boolean
  multipleOf?: number

  minLength?: number
  maxLength?: number
  pattern?: string

  items?: JsonSchema
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean

  properties?: Record<string, JsonSchema>
  additionalProperties?: JsonSchema | boolean
  required?: string[]
  minProperties?: number
  maxProperties?: number

  allOf?: JsonSchema[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  not?: JsonSchema

  'x-kubernetes-preserve-unknown-fields'?: boolean
  'x-kubernetes-embedded-resource'?: boolean
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-map-type'?: 'atomic' | 'granular'
  'x-kubernetes-validations'?: ValidationRule[]
}

/** A rule in CEL about the value that the schema describes. */
export interface ValidationRule {
  rule: string
  message?: string
  messageExpression?: string
  reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate'
  fieldPath?: string
  optionalOldSelf?: boolean
}

export type JsonObject = Record<string, unknown>

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The schema of one field of an object; undefined when the schema says nothing of it. */
export function fieldSchema(schema: JsonSchema, name: string): JsonSchema | undefined {
  const { properties, additionalProperties } = schema
  if (properties && Object.hasOwn(properties, name)) return properties[name]
  return typeof additionalProperties === 'object' ? additionalProperties : undefined
}

/** `spec.foo`; at the root the name alone. */
export const child = (path: string, name: string): string => (path ? `${path}.${name}` : name)

/** What tells the items of a list of type `map` apart. */
export const itemKey = (item: unknown, keys: string[]): JsonObject | undefined =>
  isObject(item) ? Object.fromEntries(keys.map(key => [key, item[key] ?? null])) : undefined
