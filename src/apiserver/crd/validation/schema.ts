import type { FieldError } from '../../../api/index.ts'
import { canonicalJson, checkOf, type JsonObject, type JsonSchema, prune } from '../../../encoding/index.ts'
import { at, forbidden, invalid, notSupported, required } from '../../registry/validation/field.ts'
import { goRegexp } from '../go-regexp.ts'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']

/** Parts of JSON schema that Kubernetes does not support, though its types have room for them. */
const UNSUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref']

const META = ['metadata', 'kind', 'apiVersion']

interface Place {
  /** Why there can be no default here. */
  forbiddenDefault?: string
  inMetadata: boolean
  root: boolean
}

/**
 * What is wrong with a schema beyond its structure.
 * Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation ValidateCustomResourceDefinitionOpenAPISchema
 */
export const schemaProblems = (schema: JsonSchema, path: string): FieldError[] =>
  visit(schema, path, { inMetadata: false, root: true })

function visit(schema: JsonSchema, path: string, place: Place): FieldError[] {
  const { items, properties = {}, additionalProperties, allOf = [], anyOf = [], oneOf = [], not } = schema
  const problems = ownProblems(schema, path, place)
  const inner = { ...place, root: false }
  if (additionalProperties !== undefined) {
    if (Object.keys(properties).length && additionalProperties !== true)
      problems.push(
        forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
      )
    if (additionalProperties === false)
      problems.push(forbidden(`${path}.additionalProperties`, 'additionalProperties cannot be set to false'))
    if (typeof additionalProperties === 'object') {
      const forbiddenDefault = place.inMetadata
        ? 'inside additionalProperties applying to object metadata'
        : place.forbiddenDefault
      problems.push(...visit(additionalProperties, `${path}.additionalProperties`, { ...inner, forbiddenDefault }))
    }
  }
  for (const [name, field] of Object.entries(properties))
    problems.push(...visit(field, at(`${path}.properties`, name), fieldPlace(schema, name, place)))
  if (not) problems.push(...visit(not, `${path}.not`, inner))
  for (const [word, alternatives] of Object.entries({ allOf, oneOf, anyOf }))
    for (const [index, each] of alternatives.entries())
      problems.push(...visit(each, `${path}.${word}[${index}]`, inner))
  if (Array.isArray(items)) problems.push(forbidden(`${path}.items`, 'items must be a schema object and not an array'))
  else if (items) problems.push(...visit(items, `${path}.items`, inner))
  return [...problems, ...listProblems(schema, path), ...mapProblems(schema, path)]
}

function fieldPlace(schema: JsonSchema, name: string, place: Place): Place {
  const isObject = place.root || schema['x-kubernetes-embedded-resource'] === true
  if (!isObject || !META.includes(name)) return { ...place, root: false }
  const forbiddenDefault = place.root ? `in top-level ${name}` : place.forbiddenDefault
  return { forbiddenDefault, inMetadata: true, root: false }
}

function ownProblems(schema: JsonSchema, path: string, place: Place): FieldError[] {
  const said = schema as Record<string, unknown>
  const problems: FieldError[] = []
  if (schema.type && !TYPES.includes(schema.type)) problems.push(notSupported(`${path}.type`, schema.type, TYPES))
  if (schema.default !== undefined && place.forbiddenDefault)
    problems.push(forbidden(`${path}.default`, `must not be set ${place.forbiddenDefault}`))
  for (const word of UNSUPPORTED)
    if (said[word] !== undefined) problems.push(forbidden(`${path}.${word}`, `${word} is not supported`))
  if (schema.type === 'null')
    problems.push(forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'))
  if (place.inMetadata && schema['x-kubernetes-embedded-resource'])
    problems.push(forbidden(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'))
  if (schema.uniqueItems)
    problems.push(
      forbidden(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    problems.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'))
  return problems
}

function needsType(schema: JsonSchema, path: string, wanted: string, word: string): FieldError[] {
  if (schema.type === wanted) return []
  const detail = `must be ${wanted} if ${word} is specified`
  return [schema.type ? invalid(`${path}.type`, schema.type, detail) : required(`${path}.type`, detail)]
}

function mapProblems(schema: JsonSchema, path: string): FieldError[] {
  const word = 'x-kubernetes-map-type'
  const type = schema[word]
  if (type === undefined) return []
  const problems = needsType(schema, path, 'object', word)
  if (type !== 'atomic' && type !== 'granular')
    problems.push(notSupported(`${path}.${word}`, type, ['atomic', 'granular']))
  return problems
}

function listProblems(schema: JsonSchema, path: string): FieldError[] {
  const word = 'x-kubernetes-list-type'
  const type = schema[word]
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const problems: FieldError[] = []
  if (type !== undefined) {
    const wrong = needsType(schema, path, 'array', word)
    problems.push(...wrong)
    if (!wrong.length && type === 'set' && schema.items) problems.push(...setProblems(schema.items, path))
    if (type !== 'atomic' && type !== 'set' && type !== 'map')
      problems.push(notSupported(`${path}.${word}`, type, ['atomic', 'set', 'map']))
  }
  if (keys.length && type !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
    problems.push(type ? invalid(`${path}.${word}`, type, detail) : required(`${path}.${word}`, detail))
  }
  if (type === 'map') problems.push(...listMapProblems(schema, keys, path))
  if ((type === 'map' || type === 'set') && schema.items?.nullable)
    problems.push(forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${type}`))
  return problems
}

function setProblems(items: JsonSchema, path: string): FieldError[] {
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const { type, 'x-kubernetes-list-type': listType, 'x-kubernetes-map-type': mapType } = items
  if (type === 'array' && listType !== undefined && listType !== 'atomic')
    return [invalid(`${path}.items.x-kubernetes-list-type`, listType, detail)]
  if (type === 'object' && mapType !== 'atomic')
    return [invalid(`${path}.items.x-kubernetes-map-type`, mapType ?? 'null', detail)]
  return []
}

function listMapProblems({ items }: JsonSchema, keys: string[], path: string): FieldError[] {
  const word = `${path}.x-kubernetes-list-map-keys`
  const problems: FieldError[] = []
  if (keys.length === 0) problems.push(required(word, 'must not be empty if x-kubernetes-list-type is map'))
  if (!items) return [...problems, required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map')]
  if (items.type !== 'object') {
    const detail = `must be object if parent array's x-kubernetes-list-type is map`
    return [...problems, invalid(`${path}.items.type`, items.type ?? '', detail)]
  }
  const seen = new Set<string>()
  for (const key of keys) {
    const field = items.properties?.[key]
    const fieldPath = `${path}.items.properties[${key}]`
    if (!field) problems.push(invalid(word, keys, 'entries must all be names of item properties'))
    else {
      if (field.type === 'array' || field.type === 'object') {
        const detail = `must be a scalar type if parent array's x-kubernetes-list-type is map`
        problems.push(invalid(`${fieldPath}.type`, items.type, detail))
      }
      if (!items.required?.includes(key) && field.default === undefined) {
        const detail =
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
        problems.push(required(`${fieldPath}.default`, detail))
      }
      if (field.nullable) {
        const detail = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'
        problems.push(forbidden(`${fieldPath}.nullable`, detail))
      }
    }
    if (seen.has(key)) problems.push(invalid(word, keys, 'must not contain duplicate entries'))
    seen.add(key)
  }
  return problems
}

/**
 * Defaults that their own schema would not accept, or not keep as they are.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting ValidateDefaults
 */
export function defaultProblems(schema: JsonSchema, path: string): FieldError[] {
  const { items, properties = {}, additionalProperties } = schema
  const problems = schema.default === undefined ? [] : oneDefault(schema, path)
  if (items) problems.push(...defaultProblems(items, `${path}.items`))
  for (const [name, field] of Object.entries(properties))
    problems.push(...defaultProblems(field, at(`${path}.properties`, name)))
  if (typeof additionalProperties === 'object')
    problems.push(...defaultProblems(additionalProperties, `${path}.additionalProperties`))
  return problems
}

function oneDefault(schema: JsonSchema, path: string): FieldError[] {
  const value = schema.default
  const field = `${path}.default`
  const problems: FieldError[] = []
  // As a field of an object, since what prunes wants one.
  const whole: JsonSchema = { type: 'object', properties: { value: schema } }
  const pruned = prune(whole, { value } as JsonObject, []).value
  if (value !== null && canonicalJson(pruned) !== canonicalJson(value))
    problems.push(invalid(field, value, 'must not have unknown fields'))
  const found: FieldError[] = []
  checkOf(schema, goRegexp)(value, '', found)
  for (const problem of found) {
    const place = problem.field === '' || problem.field === '<nil>' || problem.field.startsWith('[') ? '' : '.'
    problems.push({ ...problem, field: problem.field === '<nil>' ? problem.field : `${field}${place}${problem.field}` })
  }
  return problems
}
