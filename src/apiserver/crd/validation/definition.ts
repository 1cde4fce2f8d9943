import { type FieldError, names } from '../../../api/index.ts'
import { canonicalJson, type JsonSchema } from '../../../encoding/index.ts'
import {
  at,
  complaints,
  duplicate,
  forbidden,
  invalid,
  oneOf,
  required,
  tooMany,
} from '../../registry/validation/field.ts'
import { ANNOTATION, approvalOf, isProtected } from '../approval.ts'
import type { Definition } from '../conversion.ts'
import { jsonPath } from '../json-path.ts'
import { fieldAt } from './field-path.ts'
import { ruleProblems } from './rules.ts'
import { defaultProblems, schemaProblems } from './schema.ts'
import { structuralProblems } from './structural.ts'

type Spec = Definition['spec']
type Version = Spec['versions'][number]

/** What is wrong with a definition. Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation */
export function definitionProblems(definition: Definition, old?: Definition): FieldError[] {
  const { metadata, spec } = definition
  const problems: FieldError[] = []
  if (!old && metadata.name !== `${spec.names.plural}.${spec.group}`)
    problems.push(invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'))
  return [
    ...problems,
    ...groupProblems(spec),
    ...oneOf('spec.scope', spec.scope, ['Cluster', 'Namespaced']),
    ...versionsProblems(spec),
    ...namesProblems(spec),
    ...conversionProblems(spec),
    ...preserveProblems(spec, old?.spec),
    ...approvalProblems(definition, old),
  ]
}

function groupProblems({ group }: Spec): FieldError[] {
  if (!group) return [required('spec.group')]
  const wrong = names.dns1123SubdomainProblems(group)
  if (wrong.length) return [invalid('spec.group', group, wrong.join())]
  return group.includes('.') ? [] : [invalid('spec.group', group, 'should be a domain with at least one dot')]
}

function versionsProblems({ versions = [] }: Spec): FieldError[] {
  const problems: FieldError[] = []
  for (const [index, version] of versions.entries()) {
    const path = at('spec.versions', index)
    if (!version.schema?.openAPIV3Schema)
      problems.push(required(`${path}.schema.openAPIV3Schema`, 'schemas are required'))
    const wrong = names.dns1035LabelProblems(version.name)
    if (wrong.length) problems.push(invalid(`${path}.name`, version.name, wrong.join()))
    problems.push(...deprecationProblems(version, path))
  }
  problems.push(...partProblems(versions))
  if (new Set(versions.map(({ name }) => name)).size < versions.length)
    problems.push(invalid('spec.versions', versions, 'must contain unique version names'))
  if (versions.filter(({ storage }) => storage).length !== 1)
    problems.push(invalid('spec.versions', versions, 'must have exactly one version marked as storage version'))
  return problems
}

/** What all versions have in common is to upstream a thing of the definition as a whole, and has its field there. */
function partProblems(versions: Version[]): FieldError[] {
  const places = (pick: (version: Version) => unknown, common: string, own: string): [Version, string][] => {
    const texts = new Set(versions.map(version => canonicalJson(pick(version) ?? null)))
    if (texts.size === 1 && versions[0] && pick(versions[0]) !== undefined) return [[versions[0], `spec.${common}`]]
    return versions.map((version, index) => [version, `${at('spec.versions', index)}.${own}`])
  }
  return [
    ...places(({ schema }) => schema, 'validation', 'schema').flatMap(([version, path]) =>
      version.schema?.openAPIV3Schema
        ? rootProblems(
            version.schema.openAPIV3Schema as JsonSchema,
            Boolean(version.subresources?.status),
            `${path}.openAPIV3Schema`,
          )
        : [],
    ),
    ...places(({ subresources }) => subresources, 'subresources', 'subresources').flatMap(([{ subresources }, path]) =>
      subresources?.scale ? scaleProblems(subresources.scale, `${path}.scale`) : [],
    ),
    ...places(
      ({ additionalPrinterColumns }) => additionalPrinterColumns,
      'additionalPrinterColumns',
      'additionalPrinterColumns',
    ).flatMap(([{ additionalPrinterColumns = [] }, path]) =>
      additionalPrinterColumns.flatMap((column, index) => columnProblems(column, at(path, index))),
    ),
    ...places(({ selectableFields }) => selectableFields, 'selectableFields', 'selectableFields').flatMap(
      ([version, path]) => selectableProblems(version, path),
    ),
  ]
}

/** What a schema may say at its root when the status is written by itself, since the status is judged without it. */
const AT_ROOT =
  'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations'
const NOT_AT_ROOT = [
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'enum',
  'default',
  'nullable',
  'minProperties',
  'maxProperties',
  'additionalProperties',
]

function rootProblems(schema: JsonSchema, hasStatus: boolean, path: string): FieldError[] {
  const problems: FieldError[] = []
  const said = schema as Record<string, unknown>
  if (hasStatus) {
    if (schema.type && schema.type !== 'object') {
      const detail =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
      problems.push(invalid(`${path}.type`, schema.type, detail))
    }
    if (NOT_AT_ROOT.some(word => said[word] !== undefined && said[word] !== false)) {
      const detail = `only [${AT_ROOT}] fields are allowed at the root of the schema if the status subresource is enabled`
      problems.push(invalid(path, schema, detail))
    }
  }
  if (schema.nullable) problems.push(forbidden(`${path}.nullable`, 'nullable cannot be true at the root'))
  const structure = structuralProblems(schema, path).sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
  const defaults = structure.length ? [] : defaultProblems(schema, path)
  const found = [...problems, ...structure, ...defaults, ...schemaProblems(schema, path)]
  // Of a schema that is wrong itself, nobody can tell what a rule may do with its values.
  return found.length ? found : ruleProblems(schema, path)
}

const textOf = ({ field, type, detail }: FieldError) => `${field}: ${type}: ${detail}`

function deprecationProblems({ deprecated, deprecationWarning: warning }: Version, path: string): FieldError[] {
  const field = `${path}.deprecationWarning`
  if (warning === undefined) return []
  if (!deprecated) return [invalid(field, warning, 'can only be set for deprecated versions')]
  const details: string[] = []
  if (Buffer.byteLength(warning) > 256) details.push('must be <= 256 characters long')
  if (warning === '') details.push('must not be an empty string')
  const unprintable = warning.search(/\p{C}/u)
  if (unprintable >= 0)
    details.push(`must only contain printable UTF-8 characters; non-printable character found at index ${unprintable}`)
  return complaints(field, warning, details)
}

function namesProblems({ names: given }: Spec): FieldError[] {
  const path = 'spec.names'
  const problems: FieldError[] = []
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    const name = given[field]
    if (!name) {
      problems.push(required(`${path}.${field}`))
      continue
    }
    const mixed = field === 'kind' || field === 'listKind'
    const wrong = names.dns1035LabelProblems(mixed ? name.toLowerCase() : name)
    const before = mixed ? 'may have mixed case, but should otherwise match: ' : ''
    if (wrong.length) problems.push(invalid(`${path}.${field}`, name, `${before}${wrong.join()}`))
  }
  for (const field of ['shortNames', 'categories'] as const)
    for (const [index, name] of (given[field] ?? []).entries()) {
      const wrong = names.dns1035LabelProblems(name)
      if (wrong.length) problems.push(invalid(at(`${path}.${field}`, index), name, wrong.join()))
    }
  if (given.kind && given.kind === given.listKind)
    problems.push(invalid(`${path}.listKind`, given.listKind, 'kind and listKind may not be the same'))
  return problems
}

type Scale = NonNullable<NonNullable<Version['subresources']>['scale']>

function scaleProblems({ specReplicasPath, statusReplicasPath, labelSelectorPath }: Scale, path: string): FieldError[] {
  const one = (field: string, value: string | undefined, roots: string[], detail: string): FieldError[] => {
    const place = `${path}.${field}`
    if (!value) return [required(place)]
    const wrong = pathProblems(value, place)
    if (wrong.length) return wrong
    return roots.some(root => value.startsWith(root)) ? [] : [invalid(place, value, detail)]
  }
  return [
    ...one('specReplicasPath', specReplicasPath, ['.spec.'], 'should be a json path under .spec'),
    ...one('statusReplicasPath', statusReplicasPath, ['.status.'], 'should be a json path under .status'),
    ...(labelSelectorPath
      ? one(
          'labelSelectorPath',
          labelSelectorPath,
          ['.spec.', '.status.'],
          'should be a json path under either .spec or .status',
        )
      : []),
  ]
}

function pathProblems(text: string, field: string): FieldError[] {
  if (!text.startsWith('.')) return [invalid(field, text, 'must be a simple json path starting with .')]
  try {
    jsonPath(text)
    return []
  } catch (error) {
    return [invalid(field, text, `is an invalid expression: ${(error as Error).message}`)]
  }
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

function columnProblems(
  { name, type, format, jsonPath: path }: NonNullable<Version['additionalPrinterColumns']>[number],
  place: string,
): FieldError[] {
  const problems: FieldError[] = []
  if (!name) problems.push(required(`${place}.name`))
  const types = `must be one of ${COLUMN_TYPES.join()}`
  if (!type) problems.push(required(`${place}.type`, types))
  else if (!COLUMN_TYPES.includes(type)) problems.push(invalid(`${place}.type`, type, types))
  if (format && !COLUMN_FORMATS.includes(format))
    problems.push(invalid(`${place}.format`, format, `must be one of ${COLUMN_FORMATS.join()}`))
  if (!path) problems.push(required(`${place}.JSONPath`))
  else problems.push(...pathProblems(path, `${place}.JSONPath`))
  return problems
}

const MOST_SELECTABLE = 8

function selectableProblems({ schema, selectableFields = [] }: Version, path: string): FieldError[] {
  const problems: FieldError[] = []
  const root = schema?.openAPIV3Schema as JsonSchema | undefined
  const seen = new Set<string>()
  for (const [index, { jsonPath: text }] of selectableFields.entries()) {
    const field = `${at(path, index)}.jsonPath`
    if (!text) {
      problems.push(required(field))
      continue
    }
    const found = fieldAt(root ?? {}, text, false)
    if ('problem' in found) {
      problems.push(invalid(field, text, `is an invalid path: ${found.problem}`))
      continue
    }
    if (/^\.?metadata\b/.test(text)) problems.push(invalid(field, text, 'must not point to fields in metadata'))
    if (!['string', 'boolean', 'integer'].includes(found.schema.type ?? '')) {
      const detail =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
      problems.push(invalid(field, text, detail))
    }
    if (seen.has(text)) problems.push(duplicate(field, text))
    seen.add(text)
  }
  if (seen.size > MOST_SELECTABLE) problems.push(tooMany(path, seen.size, MOST_SELECTABLE))
  return problems
}

function conversionProblems({ conversion }: Spec): FieldError[] {
  if (!conversion) return []
  const path = 'spec.conversion'
  const { strategy, webhook } = conversion
  const problems = oneOf(`${path}.strategy`, strategy, ['None', 'Webhook'])
  if (strategy !== 'Webhook') {
    if (webhook)
      problems.push(forbidden(`${path}.webhookClientConfig`, 'should not be set when strategy is not set to Webhook'))
    return problems
  }
  const config = webhook?.clientConfig
  if (!config) problems.push(required(`${path}.webhookClientConfig`, 'required when strategy is set to Webhook'))
  else if ((config.url === undefined) === (config.service === undefined))
    problems.push(required(`${path}.webhookClientConfig`, 'exactly one of url or service is required'))
  const versions = webhook?.conversionReviewVersions ?? []
  const field = `${path}.conversionReviewVersions`
  if (versions.length === 0) problems.push(required(field))
  else if (!versions.includes('v1') && !versions.includes('v1beta1'))
    problems.push(invalid(field, versions, 'must include at least one of v1, v1beta1'))
  return problems
}

function preserveProblems({ preserveUnknownFields: kept }: Spec, old?: Spec): FieldError[] {
  if (!kept || old?.preserveUnknownFields) return []
  const detail =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
  return [invalid('spec.preserveUnknownFields', true, detail)]
}

function approvalProblems(definition: Definition, old?: Definition): FieldError[] {
  if (!isProtected(definition.spec.group)) return []
  const given = definition.metadata.annotations?.[ANNOTATION]
  if (old && old.metadata.annotations?.[ANNOTATION] === given) return []
  const { state, message } = approvalOf(definition)
  const field = `metadata.annotations[${ANNOTATION}]`
  if (state === 'missing') return [required(field, message)]
  return state === 'invalid' ? [invalid(field, given, message)] : []
}

/** Only on update. */
export function storedVersionProblems({ spec, status }: Definition): FieldError[] {
  const field = 'status.storedVersions'
  const stored = status.storedVersions ?? []
  if (stored.length === 0) return [invalid(field, stored, 'must have at least one stored version')]
  const problems: FieldError[] = []
  for (const { name, storage } of spec.versions)
    if (storage && !stored.includes(name))
      problems.push(invalid(field, stored, `must have the storage version ${name}`))
  for (const [index, name] of stored.entries())
    if (!spec.versions.some(version => version.name === name))
      problems.push(
        invalid(
          at(field, index),
          name,
          `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
        ),
      )
  return problems
}
