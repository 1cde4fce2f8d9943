import type { JsonSchema, ValidationRule } from '../../../encoding/index.ts'
import type { Definition } from '../conversion.ts'

type Version = Definition['spec']['versions'][number]

/**
 * What upstream shows of a definition in a complaint: its internal types, which have no names for JSON but Go's, and leave
 * nothing out. Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/types.go and types_jsonschema.go
 */

/** The names of the parts that all versions have in common, which are not the versions' own. */
export type Common = ReadonlySet<keyof Version>

export const internalVersions = (versions: Version[] | undefined, common: Common): unknown =>
  versions?.map(version => {
    const own = <Field extends keyof Version>(field: Field) => (common.has(field) ? undefined : version[field])
    return {
      Name: version.name,
      Served: version.served,
      Storage: version.storage,
      Deprecated: version.deprecated ?? false,
      DeprecationWarning: version.deprecationWarning ?? null,
      Schema: orNull(own('schema'), ({ openAPIV3Schema }) => ({
        OpenAPIV3Schema: orNull(openAPIV3Schema as JsonSchema | undefined, internalSchema),
      })),
      Subresources: orNull(own('subresources'), ({ status, scale }) => ({
        Status: status ?? null,
        Scale: orNull(scale, ({ specReplicasPath, statusReplicasPath, labelSelectorPath }) => ({
          SpecReplicasPath: specReplicasPath,
          StatusReplicasPath: statusReplicasPath,
          LabelSelectorPath: labelSelectorPath ?? null,
        })),
      })),
      AdditionalPrinterColumns: orNull(own('additionalPrinterColumns'), columns =>
        columns.map(({ name, type, format = '', description = '', priority = 0, jsonPath }) => ({
          Name: name,
          Type: type,
          Format: format,
          Description: description,
          Priority: priority,
          JSONPath: jsonPath,
        })),
      ),
      SelectableFields: orNull(own('selectableFields'), fields =>
        fields.map(({ jsonPath }) => ({ JSONPath: jsonPath })),
      ),
    }
  })

const orNull = <T>(value: T | undefined, show: (value: T) => unknown): unknown =>
  value === undefined || value === null ? null : show(value)

type Show = (value: never) => unknown

const asIs: Show = value => value
const schemas: Show = (list: JsonSchema[]) => list.map(internalSchema)
const named: Show = (map: Record<string, JsonSchema>) =>
  Object.fromEntries(
    Object.keys(map)
      .sort()
      .map(name => [name, internalSchema(map[name]!)]),
  )
const schemaOrBool: Show = (value: JsonSchema | boolean) =>
  typeof value === 'boolean' ? { Allows: value, Schema: null } : { Allows: true, Schema: internalSchema(value) }
const schemaOrList: Show = (value: JsonSchema | JsonSchema[]) =>
  Array.isArray(value)
    ? { Schema: null, JSONSchemas: value.map(internalSchema) }
    : { Schema: internalSchema(value), JSONSchemas: null }
const documentation: Show = ({ description = '', url = '' }: { description?: string; url?: string }) => ({
  Description: description,
  URL: url,
})

/** Every field of a schema in the order of Go's struct: how it is shown, and what it is when nothing is said. */
const FIELDS: [go: string, name: string, zero: unknown, show?: Show][] = [
  ['ID', 'id', ''],
  ['Schema', '$schema', ''],
  ['Ref', '$ref', null],
  ['Description', 'description', ''],
  ['Type', 'type', ''],
  ['Nullable', 'nullable', false],
  ['Format', 'format', ''],
  ['Title', 'title', ''],
  ['Default', 'default', null],
  ['Maximum', 'maximum', null],
  ['ExclusiveMaximum', 'exclusiveMaximum', false],
  ['Minimum', 'minimum', null],
  ['ExclusiveMinimum', 'exclusiveMinimum', false],
  ['MaxLength', 'maxLength', null],
  ['MinLength', 'minLength', null],
  ['Pattern', 'pattern', ''],
  ['MaxItems', 'maxItems', null],
  ['MinItems', 'minItems', null],
  ['UniqueItems', 'uniqueItems', false],
  ['MultipleOf', 'multipleOf', null],
  ['Enum', 'enum', null],
  ['MaxProperties', 'maxProperties', null],
  ['MinProperties', 'minProperties', null],
  ['Required', 'required', null],
  ['Items', 'items', null, schemaOrList],
  ['AllOf', 'allOf', null, schemas],
  ['OneOf', 'oneOf', null, schemas],
  ['AnyOf', 'anyOf', null, schemas],
  ['Not', 'not', null, internalSchema],
  ['Properties', 'properties', null, named],
  ['AdditionalProperties', 'additionalProperties', null, schemaOrBool],
  ['PatternProperties', 'patternProperties', null, named],
  ['Dependencies', 'dependencies', null],
  ['AdditionalItems', 'additionalItems', null, schemaOrBool],
  ['Definitions', 'definitions', null, named],
  ['ExternalDocs', 'externalDocs', null, documentation],
  ['Example', 'example', null],
  ['XPreserveUnknownFields', 'x-kubernetes-preserve-unknown-fields', null],
  ['XEmbeddedResource', 'x-kubernetes-embedded-resource', false],
  ['XIntOrString', 'x-kubernetes-int-or-string', false],
  ['XListMapKeys', 'x-kubernetes-list-map-keys', null],
  ['XListType', 'x-kubernetes-list-type', null],
  ['XMapType', 'x-kubernetes-map-type', null],
  ['XValidations', 'x-kubernetes-validations', null, ((rules: ValidationRule[]) => rules.map(internalRule)) as Show],
]

export function internalSchema(schema: JsonSchema): Record<string, unknown> {
  const said = schema as Record<string, unknown>
  return Object.fromEntries(
    FIELDS.map(([go, name, zero, show = asIs]) => [
      go,
      said[name] === undefined || said[name] === null ? zero : show(said[name] as never),
    ]),
  )
}

/** The fields that a schema says something in, by Go's names and in Go's order. */
export const saidFields = (schema: JsonSchema): string[] =>
  FIELDS.filter(([, name, zero]) => {
    const value = (schema as Record<string, unknown>)[name]
    return value !== undefined && value !== null && value !== zero
  }).map(([go]) => go)

export const internalRule = (rule: ValidationRule): unknown => ({
  Rule: rule.rule ?? '',
  Message: rule.message ?? '',
  MessageExpression: rule.messageExpression ?? '',
  Reason: rule.reason ?? null,
  FieldPath: rule.fieldPath ?? '',
  OptionalOldSelf: rule.optionalOldSelf ?? null,
})
