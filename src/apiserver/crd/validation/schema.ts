import type { FieldError } from '../../../api/index.ts'
import type { JsonSchema } from '../../../encoding/index.ts'
import { at, forbidden, invalid, notSupported, required } from '../../registry/validation/field.ts'
import { type RulePlace, rootRules, ruleFormProblems, ruleProblems, rulesBelow, totalProblems } from './rules.ts'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']

/** Parts of JSON schema that Kubernetes does not support, though its types have room for them. */
const UNSUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref']

const META = ['metadata', 'kind', 'apiVersion']

interface Place {
  /** Why there can be no default here. */
  forbiddenDefault?: string
  inMetadata: boolean
  root: boolean
  /** Where the first list or object is whose items cannot be told to be those of before. */
  fixed?: string
  /** Absent where rules are not looked at. */
  rules?: RulePlace | undefined
}

/** What is wrong with a schema itself, and with its rules. */
interface Found {
  schema: FieldError[]
  rules: FieldError[]
}

/**
 * What is wrong with a schema beyond its structure; `withRules`: the structure is sound, so that rules can be judged.
 * Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation ValidateCustomResourceDefinitionOpenAPISchema
 */
export function schemaProblems(schema: JsonSchema, path: string, withRules: boolean): FieldError[] {
  const rules = withRules ? rootRules() : undefined
  const found = visit(schema, path, { inMetadata: false, root: true, rules })
  return [...found.schema, ...found.rules, ...(rules ? totalProblems(rules, path) : [])]
}

function visit(schema: JsonSchema, path: string, place: Place): Found {
  const { properties = {}, additionalProperties, allOf = [], anyOf = [], oneOf = [], not } = schema
  const found: Found = { schema: ownProblems(schema, path, place), rules: [] }
  const below = (child: JsonSchema, childPath: string, childPlace: Place) => {
    const { schema: problems, rules } = visit(child, childPath, childPlace)
    found.schema.push(...problems)
    found.rules.push(...rules)
  }
  const rules = place.rules && rulesBelow(schema, place.rules)
  const inner: Place = { ...place, root: false, rules }
  const alternative: Place = { ...inner, rules: undefined }
  if (additionalProperties !== undefined) {
    if (Object.keys(properties).length && additionalProperties !== true)
      found.schema.push(
        forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
      )
    if (typeof additionalProperties === 'object') {
      const forbiddenDefault = place.inMetadata
        ? 'inside additionalProperties applying to object metadata'
        : place.forbiddenDefault
      below(additionalProperties, `${path}.additionalProperties`, { ...inner, ...optional({ forbiddenDefault }) })
    }
  }
  for (const [name, field] of Object.entries(properties))
    below(field, at(`${path}.properties`, name), fieldPlace(schema, name, inner, place.root))
  if (not) below(not, `${path}.not`, alternative)
  for (const [word, alternatives] of Object.entries({ allOf, oneOf, anyOf }))
    for (const [index, each] of alternatives.entries()) below(each, `${path}.${word}[${index}]`, alternative)
  const { items } = schema
  if (items && !Array.isArray(items)) {
    const correlated = schema['x-kubernetes-list-type'] === 'map'
    below(items, `${path}.items`, { ...inner, ...optional({ fixed: place.fixed ?? (correlated ? undefined : path) }) })
  }
  found.schema.push(
    ...typeProblems(schema, path),
    ...mapProblems(schema, path),
    ...listProblems(schema, path),
    ...ruleFormProblems(schema, path),
  )
  if (found.schema.length === 0 && place.rules)
    found.rules.push(...ruleProblems(schema, path, place.root, place.rules, place.fixed))
  return found
}

const optional = <T extends object>(fields: T): { [Key in keyof T]?: NonNullable<T[Key]> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never

function fieldPlace(schema: JsonSchema, name: string, inner: Place, root: boolean): Place {
  const isObject = root || schema['x-kubernetes-embedded-resource'] === true
  if (!isObject || !META.includes(name)) return inner
  const forbiddenDefault = root ? `in top-level ${name}` : inner.forbiddenDefault
  return { ...inner, ...optional({ forbiddenDefault }), inMetadata: true }
}

function ownProblems(schema: JsonSchema, path: string, place: Place): FieldError[] {
  const said = schema as Record<string, unknown>
  const problems: FieldError[] = []
  if (schema.type && !TYPES.includes(schema.type)) problems.push(notSupported(`${path}.type`, schema.type, TYPES))
  if (schema.default !== undefined && place.forbiddenDefault)
    problems.push(forbidden(`${path}.default`, `must not be set ${place.forbiddenDefault}`))
  for (const word of UNSUPPORTED)
    if (isSaid(word, said[word])) problems.push(forbidden(`${path}.${word}`, `${word} is not supported`))
  if (schema.type === 'null')
    problems.push(forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'))
  if (Array.isArray(schema.items))
    problems.push(forbidden(`${path}.items`, 'items must be a schema object and not an array'))
  if (place.inMetadata && schema['x-kubernetes-embedded-resource'])
    problems.push(forbidden(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'))
  if (schema.uniqueItems)
    problems.push(
      forbidden(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  return problems
}

/** An empty map says nothing, but for one. */
const isSaid = (word: string, value: unknown): boolean =>
  value !== undefined &&
  value !== '' &&
  (word === 'dependencies' || typeof value !== 'object' || value === null || Object.keys(value).length > 0)

function typeProblems(schema: JsonSchema, path: string): FieldError[] {
  if (schema['x-kubernetes-preserve-unknown-fields'] !== false) return []
  return [invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined')]
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
    problems.push(type === undefined ? required(`${path}.${word}`, detail) : invalid(`${path}.${word}`, type, detail))
  }
  if (type === 'map') problems.push(...listMapProblems(schema, keys, path))
  if ((type === 'map' || type === 'set') && schema.items?.nullable)
    problems.push(forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${type}`))
  if (type === 'map' && schema.items) problems.push(...keyProblems(schema.items, keys, path))
  return problems
}

function setProblems(items: JsonSchema, path: string): FieldError[] {
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const { type, 'x-kubernetes-list-type': listType, 'x-kubernetes-map-type': mapType } = items
  if (type === 'array' && listType !== undefined && listType !== 'atomic')
    return [invalid(`${path}.items.x-kubernetes-list-type`, listType, detail)]
  // What upstream shows of an object is its type as a list.
  if (type === 'object' && mapType !== 'atomic')
    return [invalid(`${path}.items.x-kubernetes-map-type`, listType ?? null, detail)]
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
    if (!field) problems.push(invalid(word, keys, 'entries must all be names of item properties'))
    else if (field.type === 'array' || field.type === 'object') {
      const detail = `must be a scalar type if parent array's x-kubernetes-list-type is map`
      problems.push(invalid(`${path}.items.properties[${key}].type`, items.type, detail))
    }
    if (seen.has(key)) problems.push(invalid(word, keys, 'must not contain duplicate entries'))
    seen.add(key)
  }
  return problems
}

/** What tells items apart has to be there. */
function keyProblems(items: JsonSchema, keys: string[], path: string): FieldError[] {
  const problems: FieldError[] = []
  for (const key of keys) {
    const field = items.properties?.[key]
    if (!field) continue
    const fieldPath = `${path}.items.properties[${key}]`
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
  return problems
}
