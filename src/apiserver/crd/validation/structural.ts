import type { FieldError } from '../../../api/index.ts'
import type { JsonSchema } from '../../../encoding/index.ts'
import { goRegexp } from '../../cel/go-regexp.ts'
import { at, forbidden, invalid, required } from '../../registry/validation/field.ts'

type Level = 'root' | 'item' | 'field'

/**
 * What keeps a schema from being structural: one that tells the type of every value by itself, with its alternatives
 * (allOf, anyOf, oneOf, not) only narrowing it.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation.go and complete.go
 */
export function structuralProblems(schema: JsonSchema, path: string): FieldError[] {
  // Upstream means to look at every level for what only alternatives speak of, and does at the root alone.
  return [...invariants(schema, 'root', path), ...incomplete(schema, schema, path, path)]
}

/** What a structural schema has no room for. */
const UNSUPPORTED = ['id', '$schema', '$ref', 'patternProperties', 'dependencies', 'additionalItems', 'definitions']

/** What keeps a schema from being taken for a structural one at all, there or further below. */
export function structureFault(schema: JsonSchema): string | undefined {
  const { items, properties = {}, additionalProperties, allOf = [], anyOf = [], oneOf = [], not } = schema
  const said = schema as Record<string, unknown>
  const word = UNSUPPORTED.find(each => said[each] !== undefined && said[each] !== '')
  if (word) return `OpenAPIV3Schema '${word === '$schema' ? 'schema' : word}' is not supported`
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
  if (Array.isArray(items)) return "OpenAPIV3Schema 'items' must be a schema, but is an array"
  const below = [not, ...allOf, ...anyOf, ...oneOf, items, ...Object.values(properties), additionalProperties]
  for (const each of below) {
    const fault = each && typeof each === 'object' ? structureFault(each) : undefined
    if (fault) return fault
  }
  return undefined
}

function invariants(schema: JsonSchema, level: Level, path: string): FieldError[] {
  const { type, items, properties = {}, additionalProperties } = schema
  const problems: FieldError[] = []
  if (type === 'array' && !items) problems.push(required(`${path}.items`, 'must be specified'))
  if (items) problems.push(...invariants(items, 'item', `${path}.items`))
  for (const [name, field] of Object.entries(properties))
    problems.push(...invariants(field, 'field', at(`${path}.properties`, name)))
  if (additionalProperties !== undefined) {
    if (level === 'root') problems.push(forbidden(`${path}.additionalProperties`, 'must not be used at the root'))
    if (typeof additionalProperties === 'object')
      problems.push(...invariants(additionalProperties, 'field', `${path}.additionalProperties`))
  }
  return [
    ...problems,
    ...extensionProblems(schema, path),
    ...valueProblems(schema, path, isIntOrString(schema.anyOf)),
    ...typeProblems(schema, level, path),
    ...metadataProblems(schema, level, path),
  ]
}

function extensionProblems(schema: JsonSchema, path: string): FieldError[] {
  if (!schema['x-kubernetes-int-or-string']) return []
  const excluded = ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const
  return excluded
    .filter(name => schema[name])
    .map(name => invalid(`${path}.${name}`, true, 'must be false if x-kubernetes-int-or-string is true'))
}

const NO_TYPE: Record<Level, string> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

function typeProblems(schema: JsonSchema, level: Level, path: string): FieldError[] {
  const { type = '', properties, additionalProperties } = schema
  const embedded = schema['x-kubernetes-embedded-resource']
  const preserves = schema['x-kubernetes-preserve-unknown-fields']
  const field = `${path}.type`
  const problems: FieldError[] = []
  if (embedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true'
    problems.push(type ? invalid(field, type, detail) : required(field, detail))
  } else if (!type && !schema['x-kubernetes-int-or-string'] && !preserves)
    problems.push(required(field, NO_TYPE[level]))
  if (embedded && additionalProperties !== undefined)
    problems.push(
      forbidden(`${path}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set'),
    )
  if (level === 'root' && type && type !== 'object') problems.push(invalid(field, type, 'must be object at the root'))
  if (embedded && !preserves && Object.keys(properties ?? {}).length === 0)
    problems.push(
      required(
        `${path}.properties`,
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    )
  return problems
}

/** Metadata has its own schema; that of an object can only narrow the name. */
function metadataProblems(schema: JsonSchema, level: Level, path: string): FieldError[] {
  if (level !== 'root' && !schema['x-kubernetes-embedded-resource']) return []
  const { kind, apiVersion, metadata } = schema.properties ?? {}
  const problems: FieldError[] = []
  for (const [name, field] of Object.entries({ kind, apiVersion }))
    if (field && field.type !== 'string')
      problems.push(invalid(`${path}.properties[${name}].type`, field.type ?? '', 'must be string'))
  if (!metadata) return problems
  const metadataPath = `${path}.properties[metadata]`
  if (metadata.type !== 'object') problems.push(invalid(`${metadataPath}.type`, metadata.type ?? '', 'must be object'))
  if (level === 'root' && saysMoreThanName(metadata))
    problems.push(
      forbidden(
        metadataPath,
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    )
  return problems
}

function saysMoreThanName({ type: _, default: __, properties = {}, ...rest }: JsonSchema): boolean {
  const names = Object.keys(properties)
  return Object.keys(rest).length > 0 || names.some(name => name !== 'name' && name !== 'generateName')
}

/** The alternatives by which an int-or-string may say so once more. */
function isIntOrString(anyOf: JsonSchema[] | undefined): boolean {
  const [first, second] = anyOf ?? []
  return anyOf?.length === 2 && isOnly(first!, 'integer') && isOnly(second!, 'string')
}

const isOnly = (schema: JsonSchema, type: string) => schema.type === type && Object.keys(schema).length === 1

function valueProblems(schema: JsonSchema, path: string, skipAnyOf: boolean): FieldError[] {
  const { allOf = [], anyOf = [], oneOf = [], not, pattern } = schema
  const problems: FieldError[] = []
  if (!skipAnyOf)
    for (const [index, each] of anyOf.entries()) problems.push(...nestedProblems(each, `${path}.anyOf[${index}]`))
  for (const [index, each] of allOf.entries())
    problems.push(...nestedProblems(each, `${path}.allOf[${index}]`, index === 0 && isIntOrString(each.anyOf)))
  for (const [index, each] of oneOf.entries()) problems.push(...nestedProblems(each, `${path}.oneOf[${index}]`))
  if (not) problems.push(...nestedProblems(not, `${path}.not`))
  if (pattern) problems.push(...patternProblems(pattern, path))
  return problems
}

function patternProblems(pattern: string, path: string): FieldError[] {
  try {
    goRegexp(pattern)
    return []
  } catch (error) {
    const detail = `must be a valid regular expression, but isn't: ${(error as Error).message}`
    return [invalid(`${path}.pattern`, pattern, detail)]
  }
}

const EMPTY = 'must be empty to be structural'
const UNDEFINED = 'must be undefined to be structural'
const FALSE = 'must be false to be structural'

/** What an alternative must not say, since only the schema around it may. */
const OUTSIDE: [keyof JsonSchema, detail: string][] = [
  ['type', EMPTY],
  ['additionalProperties', UNDEFINED],
  ['default', UNDEFINED],
  ['title', EMPTY],
  ['description', EMPTY],
  ['nullable', FALSE],
  ['x-kubernetes-preserve-unknown-fields', FALSE],
  ['x-kubernetes-embedded-resource', FALSE],
  ['x-kubernetes-int-or-string', FALSE],
  ['x-kubernetes-list-map-keys', EMPTY],
  ['x-kubernetes-list-type', UNDEFINED],
  ['x-kubernetes-map-type', UNDEFINED],
  ['x-kubernetes-validations', EMPTY],
]

function nestedProblems(schema: JsonSchema, path: string, skipAnyOf = false): FieldError[] {
  const { items, properties = {} } = schema
  const problems = valueProblems(schema, path, skipAnyOf)
  if (items) problems.push(...nestedProblems(items, `${path}.items`))
  for (const [name, field] of Object.entries(properties))
    problems.push(...nestedProblems(field, at(`${path}.properties`, name)))
  const said = schema as Record<string, unknown>
  for (const [name, detail] of OUTSIDE)
    if (said[name] !== undefined && said[name] !== false && said[name] !== '')
      problems.push(forbidden(`${path}.${name}`, detail))
  if (Object.hasOwn(properties, 'metadata'))
    problems.push(forbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'))
  return problems
}

/** Every field that an alternative speaks of must be there in the schema itself. */
function incomplete(
  nested: JsonSchema,
  schema: JsonSchema | undefined,
  path: string,
  nestedPath: string,
): FieldError[] {
  if (!schema) return [required(path, `because it is defined in ${nestedPath}`)]
  const { allOf = [], anyOf = [], oneOf = [], not } = nested
  const alternatives: [JsonSchema, string][] = [
    ...(not ? [[not, 'not'] as [JsonSchema, string]] : []),
    ...allOf.map((each, index): [JsonSchema, string] => [each, `allOf[${index}]`]),
    ...anyOf.map((each, index): [JsonSchema, string] => [each, `anyOf[${index}]`]),
    ...oneOf.map((each, index): [JsonSchema, string] => [each, `oneOf[${index}]`]),
  ]
  const problems = alternatives.flatMap(([each, place]) =>
    incompleteBelow(each, schema, path, `${nestedPath}.${place}`),
  )
  return problems
}

function incompleteBelow(nested: JsonSchema, schema: JsonSchema, path: string, nestedPath: string): FieldError[] {
  const { items, properties = {} } = nested
  const problems = incomplete(nested, schema, path, nestedPath)
  if (items) problems.push(...below(items, schema.items, `${path}.items`, `${nestedPath}.items`))
  for (const [name, field] of Object.entries(properties))
    problems.push(
      ...below(field, schema.properties?.[name], at(`${path}.properties`, name), at(`${nestedPath}.properties`, name)),
    )
  return problems
}

const below = (nested: JsonSchema, schema: JsonSchema | undefined, path: string, nestedPath: string): FieldError[] =>
  schema
    ? incompleteBelow(nested, schema, path, nestedPath)
    : [required(path, `because it is defined in ${nestedPath}`)]
