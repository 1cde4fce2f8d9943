import { type FieldError, names } from '../../../api/index.ts'
import { canonicalJson, type JsonSchema } from '../../../encoding/index.ts'
import { at, complaints, forbidden, immutable, invalid, oneOf, required } from '../../registry/validation/field.ts'
import { ANNOTATION, approvalOf, isProtected } from '../approval.ts'
import type { Definition } from '../conversion.ts'
import { conversionProblems } from './conversion.ts'
import { defaultProblems } from './defaults.ts'
import { type Common, internalSchema, internalVersions, saidFields } from './internal.ts'
import { columnProblems, scaleProblems, selectableProblems } from './parts.ts'
import { schemaProblems } from './schema.ts'
import { structuralProblems, structureFault } from './structural.ts'

type Spec = Definition['spec']
type Version = Spec['versions'][number]

/** What is wrong with a definition. Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation */
export function definitionProblems(definition: Definition, old?: Definition): FieldError[] {
  const { metadata, spec, status } = definition
  const problems: FieldError[] = []
  if (!old && metadata.name && metadata.name !== `${spec.names.plural}.${spec.group}`)
    problems.push(invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'))
  const established = isEstablished(old)
  return [
    ...problems,
    ...groupProblems(spec),
    ...oneOf('spec.scope', spec.scope, ['Cluster', 'Namespaced']),
    ...versionsProblems(spec),
    ...conversionProblems(spec.conversion, old && established ? { old: old.spec.conversion } : undefined),
    ...(old ? changeProblems(spec, old.spec, established) : []),
    ...statusProblems(definition),
    ...storedVersionProblems(status, spec),
    ...approvalProblems(definition, old),
    ...preserveProblems(spec, old?.spec),
  ]
}

const isEstablished = (definition: Definition | undefined): boolean =>
  definition?.status.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false

/** What objects are stored under stays once there may be some. */
const changeProblems = (spec: Spec, old: Spec, established: boolean): FieldError[] => [
  ...(established
    ? [
        ...immutable('spec.scope', spec.scope, old.scope),
        ...immutable('spec.names.kind', spec.names.kind, old.names.kind),
      ]
    : []),
  ...immutable('spec.group', spec.group, old.group),
  ...immutable('spec.names.plural', spec.names.plural, old.names.plural),
]

function groupProblems({ group }: Spec): FieldError[] {
  if (!group) return [required('spec.group')]
  const wrong = names.dns1123SubdomainProblems(group)
  if (wrong.length) return [invalid('spec.group', group, wrong.join())]
  return group.includes('.') ? [] : [invalid('spec.group', group, 'should be a domain with at least one dot')]
}

/** Parts that are to upstream a thing of the definition as a whole where all versions have the same. */
const PARTS = ['subresources', 'schema', 'additionalPrinterColumns', 'selectableFields'] as const

function commonParts([first, ...others]: Version[]): Common {
  const textOf = (version: Version, part: keyof Version) => canonicalJson(version[part] ?? null)
  return new Set(PARTS.filter(part => first && others.every(version => textOf(version, part) === textOf(first, part))))
}

function versionsProblems(spec: Spec): FieldError[] {
  const versions = spec.versions ?? []
  const problems: FieldError[] = []
  for (const [index, { schema }] of versions.entries())
    if (!schema?.openAPIV3Schema) problems.push(required(`${at('spec.versions', index)}.schema.openAPIV3Schema`))
  const common = commonParts(versions)
  for (const [index, version] of versions.entries()) {
    const path = at('spec.versions', index)
    const wrong = names.dns1035LabelProblems(version.name)
    if (wrong.length) problems.push(invalid(`${path}.name`, version.name, wrong.join()))
    problems.push(...deprecationProblems(version, path), ...ownPartProblems(version, path, common))
  }
  const shown = () => internalVersions(spec.versions, common)
  if (new Set(versions.map(({ name }) => name)).size < versions.length)
    problems.push(invalid('spec.versions', shown(), 'must contain unique version names'))
  if (versions.filter(({ storage }) => storage).length !== 1)
    problems.push(invalid('spec.versions', shown(), 'must have exactly one version marked as storage version'))
  const [first] = versions
  const wrong = first ? names.dns1035LabelProblems(first.name) : []
  if (first && wrong.length) problems.push(invalid('spec.version', first.name, wrong.join()))
  return [...problems, ...namesProblems(spec), ...(first ? commonPartProblems(versions, common) : [])]
}

function ownPartProblems(version: Version, path: string, common: Common): FieldError[] {
  const { schema, subresources, additionalPrinterColumns = [], selectableFields = [] } = version
  const root = schema?.openAPIV3Schema as JsonSchema | undefined
  const problems: FieldError[] = []
  if (root && !common.has('schema'))
    problems.push(...rootProblems(root, Boolean(subresources?.status), `${path}.schema`))
  if (subresources?.scale && !common.has('subresources'))
    problems.push(...scaleProblems(subresources.scale, `${path}.subresources.scale`))
  if (!common.has('additionalPrinterColumns'))
    for (const [index, column] of additionalPrinterColumns.entries())
      problems.push(...columnProblems(column, at(`${path}.additionalPrinterColumns`, index)))
  if (selectableFields.length && !common.has('selectableFields')) {
    const field = `${path}.selectableFields`
    const detail = 'may only be set when `version.schema.openAPIV3Schema` is not included'
    if (!root || common.has('schema')) problems.push(invalid(field, '', detail))
    else problems.push(...selectableProblems(root, selectableFields, field))
  }
  return problems
}

function commonPartProblems(versions: Version[], common: Common): FieldError[] {
  const [{ schema, subresources, additionalPrinterColumns = [], selectableFields = [] }] = versions as [Version]
  const root = schema?.openAPIV3Schema as JsonSchema | undefined
  const problems: FieldError[] = []
  if (root && common.has('schema')) {
    const hasStatus = versions.some(version => version.subresources?.status)
    problems.push(...rootProblems(root, hasStatus, 'spec.validation'))
  }
  if (subresources?.scale && common.has('subresources'))
    problems.push(...scaleProblems(subresources.scale, 'spec.subresources.scale'))
  if (common.has('additionalPrinterColumns'))
    for (const [index, column] of additionalPrinterColumns.entries())
      problems.push(...columnProblems(column, at('spec.additionalPrinterColumns', index)))
  if (selectableFields.length && common.has('selectableFields')) {
    const field = 'spec.selectableFields'
    if (!root || !common.has('schema'))
      problems.push(invalid(field, '', 'may only be set when validations.schema is included'))
    else problems.push(...selectableProblems(root, selectableFields, field))
  }
  return problems
}

/** What a schema may say at its root when the status is written by itself, since the status is judged without it. */
const AT_ROOT =
  'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations'
const MAY_BE_AT_ROOT = new Set(AT_ROOT.split(' '))

function rootProblems(schema: JsonSchema, hasStatus: boolean, above: string): FieldError[] {
  const path = `${above}.openAPIV3Schema`
  const problems = hasStatus ? rootWithStatusProblems(schema, path) : []
  if (schema.nullable) problems.push(forbidden(`${path}.nullable`, 'nullable cannot be true at the root'))
  const fault = structureFault(schema)
  const structural = fault === undefined ? structureProblems(schema, path) : []
  // Of a schema that is wrong itself, nobody can tell what a rule may do with its values.
  const withRules = fault === undefined && structural.length === 0
  const found = [...problems, ...structural, ...schemaProblems(schema, path, withRules)]
  return found.length || fault === undefined ? found : [invalid(path, '', fault)]
}

function structureProblems(schema: JsonSchema, path: string): FieldError[] {
  const problems = structuralProblems(schema, path).sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
  return problems.length ? problems : defaultProblems(schema, path)
}

function rootWithStatusProblems(schema: JsonSchema, path: string): FieldError[] {
  for (const field of saidFields(schema)) {
    if (field === 'Type' && schema.type !== 'object') {
      const detail =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
      return [invalid(`${path}.type`, schema.type, detail)]
    }
    if (!MAY_BE_AT_ROOT.has(field)) {
      const detail = `only [${AT_ROOT}] fields are allowed at the root of the schema if the status subresource is enabled`
      return [invalid(path, internalSchema(schema), detail)]
    }
  }
  return []
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
  const needed = (['plural', 'singular', 'kind', 'listKind'] as const).filter(field => !given[field])
  return [...needed.map(field => required(`spec.names.${field}`)), ...nameFormProblems(given, 'spec.names')]
}

function nameFormProblems(given: Partial<Spec['names']>, path: string): FieldError[] {
  const problems: FieldError[] = []
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    const name = given[field]
    if (!name) continue
    const mixed = field === 'kind' || field === 'listKind'
    const wrong = names.dns1035LabelProblems(mixed ? name.toLowerCase() : name)
    const before = mixed ? 'may have mixed case, but should otherwise match: ' : ''
    if (wrong.length) problems.push(invalid(`${path}.${field}`, name, `${before}${wrong.join()}`))
  }
  const lists = (field: 'shortNames' | 'categories') => {
    for (const [index, name] of (given[field] ?? []).entries()) {
      const wrong = names.dns1035LabelProblems(name)
      if (wrong.length) problems.push(invalid(at(`${path}.${field}`, index), name, wrong.join()))
    }
  }
  lists('shortNames')
  if (given.kind && given.kind === given.listKind)
    problems.push(invalid(`${path}.listKind`, given.listKind, 'kind and listKind may not be the same'))
  lists('categories')
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
  const { state, message } = approvalOf(definition)
  if (old && approvalOf(old).state === state) return []
  const field = `metadata.annotations[${ANNOTATION}]`
  if (state === 'missing') return [required(field, message)]
  return state === 'invalid' ? [invalid(field, given, message)] : []
}

export const statusProblems = ({ status }: Definition): FieldError[] =>
  nameFormProblems(status.acceptedNames ?? {}, 'status.acceptedNames')

function storedVersionProblems({ storedVersions }: Definition['status'], spec: Spec): FieldError[] {
  const field = 'status.storedVersions'
  const stored = storedVersions ?? []
  if (stored.length === 0) return [invalid(field, null, 'must have at least one stored version')]
  const versions = spec.versions ?? []
  const problems: FieldError[] = []
  for (const { name, storage } of versions)
    if (storage && !stored.includes(name))
      problems.push(invalid(field, stored, `must have the storage version ${name}`))
  for (const [index, name] of stored.entries())
    if (!versions.some(version => version.name === name))
      problems.push(
        invalid(
          at(field, index),
          name,
          `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
        ),
      )
  return problems
}
