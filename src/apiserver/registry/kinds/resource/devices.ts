import { type core, type FieldError, names, type resource } from '../../../../api/index.ts'
import { check } from '../../../cel/checker/check.ts'
import { DYN, typeName } from '../../../cel/checker/types.ts'
import { CompileError } from '../../../cel/index.ts'
import {
  complaints,
  duplicate,
  each,
  invalid,
  notSupported,
  oneOf,
  required,
  tooLong,
  tooMany,
} from '../../validation/field.ts'

import { validateNodeSelector } from '../../validation/selectors.ts'
import { validateDriverName } from '../../validation/volumes.ts'

/** What claims, classes and slices have in common. Source: k8s.io/kubernetes/pkg/apis/resource/validation */

const LONGEST_POOL = 253
const LONGEST_ID = 32
const LONGEST_PARAMETERS = 10 * 1024
const LONGEST_EXPRESSION = 10 * 1024
const MOST_SELECTORS = 32
const MOST_CONDITIONS = 4
const EFFECTS = ['NoExecute', 'NoSchedule', 'None']
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A list that is too long is not looked into. */
export const limited = <T>(
  items: T[] | undefined,
  most: number,
  path: string,
  validate: (item: T, path: string) => FieldError[],
): FieldError[] => (items && items.length > most ? [tooMany(path, items.length, most)] : each(items, path, validate))

/** As `limited`, where no two items may have the same key; which one does is told last. */
export function set<T>(
  items: T[] | undefined,
  most: number,
  path: string,
  keyOf: (item: T) => string | undefined,
  validate: (item: T, path: string) => FieldError[],
): FieldError[] {
  if (items && items.length > most) return [tooMany(path, items.length, most)]
  const seen = new Set<string>()
  return [
    ...each(items, path, validate),
    ...each(items, path, (item, field) => {
      const key = keyOf(item) ?? ''
      if (seen.has(key)) return [duplicate(field, key)]
      seen.add(key)
      return []
    }),
  ]
}

export const validateLabelName = (name: string, field: string): FieldError[] =>
  complaints(field, name, names.qualifiedNameProblems(name))

export const validateLabel = (name: string | undefined, field: string): FieldError[] =>
  complaints(field, name ?? '', names.dns1123LabelProblems(name ?? ''))

export function validatePool(name: string | undefined, field: string): FieldError[] {
  if (!name) return [required(field)]
  return [
    ...(Buffer.byteLength(name) > LONGEST_POOL ? [tooLong(field, '', LONGEST_POOL)] : []),
    ...name.split('/').flatMap(part => complaints(field, part, names.dns1123SubdomainProblems(part))),
  ]
}

export function validateShareId(id: string, field: string): FieldError[] {
  if (UUID.test(id)) return []
  return UUID.test(id.toLowerCase())
    ? [
        invalid(
          field,
          id,
          'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters',
        ),
      ]
    : [invalid(field, id, `error validating uid: invalid UUID length: ${id.length}`)]
}

function validateIdentifier(id: string, field: string): FieldError[] {
  return [
    ...(Buffer.byteLength(id) > LONGEST_ID ? [tooLong(field, '', LONGEST_ID)] : []),
    ...complaints(field, id, names.cIdentifierProblems(id)),
  ]
}

/** `name` or `domain/name`. */
export function validateQualified(name: string, field: string): FieldError[] {
  const [domain = '', id, ...more] = name.split('/')
  if (id === undefined) return validateIdentifier(domain, field)
  if (more.length) return []
  return [
    ...(domain ? validateDriverName(domain, field) : [invalid(field, '', 'the domain must not be empty')]),
    ...(id ? validateIdentifier(id, field) : [invalid(field, '', 'the name must not be empty')]),
  ]
}

export const validateFullyQualified = (name: string, field: string): FieldError[] => [
  ...validateQualified(name, field),
  ...(name.includes('/')
    ? []
    : [invalid(field, name, 'a fully qualified name must be a domain and a name separated by a slash')]),
]

/** A value whose form only the driver knows, but for its being an object. */
export function validateParameters(value: unknown, field: string, kept: boolean): FieldError[] {
  if (value === undefined || value === null) return [required(field)]
  if (!kept && Buffer.byteLength(JSON.stringify(value)) > LONGEST_PARAMETERS)
    return [tooLong(field, '', LONGEST_PARAMETERS)]
  return typeof value === 'object' && !Array.isArray(value)
    ? []
    : [invalid(field, '<value omitted>', 'must be a valid JSON object')]
}

export function validateConfiguration(config: resource.DeviceConfiguration, path: string, kept: boolean): FieldError[] {
  const { opaque } = config
  if (!opaque) return [required(`${path}.opaque`)]
  return [
    ...validateDriverName(opaque.driver, `${path}.opaque.driver`),
    ...validateParameters(opaque.parameters, `${path}.opaque.parameters`, kept),
  ]
}

export const validateSelectors = (selectors: resource.DeviceSelector[] | undefined, path: string): FieldError[] =>
  limited(selectors, MOST_SELECTORS, path, ({ cel }, field) => {
    if (!cel) return [required(`${field}.cel`)]
    const { expression = '' } = cel
    const at = `${field}.cel.expression`
    if (Buffer.byteLength(expression) > LONGEST_EXPRESSION) return [tooLong(at, '', LONGEST_EXPRESSION)]
    const problem = selectorProblem(expression)
    return problem ? [invalid(at, expression, problem)] : []
  })

/** An expression about `device`. Source: k8s.io/dynamic-resource-allocation/cel */
function selectorProblem(expression: string): string | undefined {
  try {
    const type = typeName(check(expression, { device: DYN }))
    return type === 'bool' || type === 'dyn' ? undefined : `must evaluate to bool or the unknown type, not ${type}`
  } catch (error) {
    if (error instanceof CompileError) return `compilation failed: ${error.message}`
    throw error
  }
}

export function validateTaint({ key = '', value, effect }: resource.DeviceTaint, path: string): FieldError[] {
  return [
    ...validateLabelName(key, `${path}.key`),
    ...(value ? complaints(`${path}.value`, value, names.labelValueProblems(value)) : []),
    ...oneOf(`${path}.effect`, effect, EFFECTS),
  ]
}

export function validateToleration(toleration: resource.DeviceToleration, path: string): FieldError[] {
  const { key, operator, value = '', effect } = toleration
  const problems: FieldError[] = []
  if (operator === 'Exists' && value)
    problems.push(invalid(`${path}.value`, value, 'must be empty for operator `Exists`'))
  if (operator === 'Equal') problems.push(...complaints(`${path}.value`, value, names.labelValueProblems(value)))
  return [
    ...problems,
    ...(key ? validateLabelName(key, `${path}.key`) : []),
    ...oneOf(`${path}.operator`, operator, ['Equal', 'Exists']),
    ...(effect && !EFFECTS.includes(effect) ? [notSupported(`${path}.effect`, effect, EFFECTS)] : []),
  ]
}

/** A node selector, whose values have to be such as labels have. */
export const validateNodes = (selector: core.NodeSelector, path: string): FieldError[] => [
  ...validateNodeSelector(selector, path),
  ...each(selector.nodeSelectorTerms, `${path}.nodeSelectorTerms`, ({ matchExpressions }, term) =>
    each(matchExpressions, `${term}.matchExpressions`, ({ values }, field) =>
      each(values, `${field}.values`, (value, at) => complaints(at, value, names.labelValueProblems(value))),
    ),
  ),
]

/** Conditions that a device needs and those that say it has failed: both or none. */
export function validateBinding(
  {
    bindingConditions: good = [],
    bindingFailureConditions: bad = [],
  }: Pick<resource.Device, 'bindingConditions' | 'bindingFailureConditions'>,
  path: string,
): FieldError[] {
  const [goodField, badField] = [`${path}.bindingConditions`, `${path}.bindingFailureConditions`]
  const repeated = (items: string[]) => (item: string, field: string, index: number) =>
    items.indexOf(item) < index ? [duplicate(field, item)] : []
  return [
    ...limited(good, MOST_CONDITIONS, goodField, validateLabelName),
    ...limited(bad, MOST_CONDITIONS, badField, validateLabelName),
    ...each(good, goodField, repeated(good)),
    ...each(bad, badField, (item, field, index) => [
      ...repeated(bad)(item, field, index),
      ...(good.includes(item)
        ? [invalid(field, item, 'bindingFailureConditions must not overlap with bindingConditions')]
        : []),
    ]),
    ...(bad.length && !good.length
      ? [invalid(goodField, null, 'bindingConditions are required to use bindingFailureConditions')]
      : []),
    ...(good.length && !bad.length
      ? [invalid(badField, null, 'bindingFailureConditions are required to use bindingConditions')]
      : []),
  ]
}
