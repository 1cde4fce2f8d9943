import type { FieldError } from '../../../api/index.ts'
import {
  canonicalJson,
  checkOf,
  codecFor,
  DecodeError,
  isObject,
  type JsonSchema,
  pruneDefault,
  structureProblems,
} from '../../../encoding/index.ts'
import { goRegexp } from '../../cel/go-regexp.ts'
import { embeddedMetadataProblems } from '../../registry/metadata.ts'
import { at, invalid } from '../../registry/validation/field.ts'
import { rulesOf } from '../rules/rules.ts'

const META = ['metadata', 'kind', 'apiVersion']
const OBJECT = 'meta/v1.PartialObjectMetadata'

/**
 * Defaults that their own schema would not accept, or not keep as they are. `around`: from what is inside metadata, or is
 * the kind of an object, to that object.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting ValidateDefaults
 */
export const defaultProblems = (schema: JsonSchema, path: string): FieldError[] =>
  visit({ ...schema, 'x-kubernetes-embedded-resource': true }, path)

type Around = (value: unknown) => unknown

function visit(schema: JsonSchema, path: string, around?: Around): FieldError[] {
  const { items, properties = {} } = schema
  const isWhole = schema['x-kubernetes-embedded-resource'] === true
  const outer = isWhole ? undefined : around
  const problems = schema.default === undefined ? [] : oneDefault(schema, `${path}.default`, outer)
  // Upstream holds that no default can be below additionalProperties, and does not look.
  if (items) problems.push(...visit(items, `${path}.items`, outer && (value => outer([value]))))
  for (const [name, field] of Object.entries(properties)) {
    const inside: Around | undefined =
      isWhole && META.includes(name)
        ? value => ({ kind: 'Validation', apiVersion: 'validation/v1', [name]: value })
        : outer && (value => outer({ [name]: value }))
    problems.push(...visit(field, at(`${path}.properties`, name), inside))
  }
  return problems
}

function oneDefault(schema: JsonSchema, path: string, around: Around | undefined): FieldError[] {
  const value = schema.default
  const problems: FieldError[] = []
  if (around) {
    const wrong = metadataProblem(around(value))
    if (wrong) return [invalid(path, value, `must result in valid metadata: ${wrong}`)]
  } else {
    if (canonicalJson(pruneDefault(schema, value)) !== canonicalJson(value))
      problems.push(invalid(path, value, 'must not have unknown fields'))
    const embedded = structureProblems(schema, value, { metadata: embeddedMetadataProblems }).filter(
      ({ type }) => type !== 'Duplicate',
    )
    if (embedded.length) return [...problems, ...embedded.map(problem => placed(problem, path))]
  }
  const found: FieldError[] = []
  // Upstream lets anything be the default of an int or string.
  checkOf({ ...schema, 'x-kubernetes-int-or-string': false }, goRegexp)(value, '', found)
  if (found.length) return [...problems, ...found.map(problem => placed(problem, path))]
  return [...problems, ...ruleProblems(schema, value, path)]
}

/** As a value that stays, and if that is fine as one that is new. */
function ruleProblems(schema: JsonSchema, value: unknown, path: string): FieldError[] {
  const rules = rulesOf(schema)
  if (!rules) return []
  const problems = rules(value, value, path)
  return problems.length ? problems : rules(value, undefined, path)
}

function metadataProblem(object: unknown): string | undefined {
  if (!isObject(object) || !isObject(object.metadata ?? {})) return 'metadata: must be an object'
  try {
    codecFor(OBJECT).decode({ metadata: object.metadata ?? {} })
    return undefined
  } catch (error) {
    if (error instanceof DecodeError) return error.message
    throw error
  }
}

function placed(problem: FieldError, path: string): FieldError {
  const { field } = problem
  return { ...problem, field: field === '' || field === '<nil>' ? path : `${path}.${field}` }
}
