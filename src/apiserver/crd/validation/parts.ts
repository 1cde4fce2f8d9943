import type { FieldError } from '../../../api/index.ts'
import type { JsonSchema } from '../../../encoding/index.ts'
import { at, duplicate, invalid, required, tooMany } from '../../registry/validation/field.ts'
import type { Definition } from '../conversion.ts'
import { fieldAt } from './field-path.ts'

type Version = Definition['spec']['versions'][number]
type Scale = NonNullable<NonNullable<Version['subresources']>['scale']>

export function scaleProblems(
  { specReplicasPath, statusReplicasPath, labelSelectorPath }: Scale,
  path: string,
): FieldError[] {
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

/** Upstream looks no further: a path that cannot be read shows when it is used. */
const pathProblems = (text: string, field: string): FieldError[] =>
  text.startsWith('.') ? [] : [invalid(field, text, 'must be a simple json path starting with .')]

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

export function columnProblems(
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
const SELECTABLE_TYPES = ['string', 'boolean', 'integer']

export function selectableProblems(
  root: JsonSchema,
  fields: NonNullable<Version['selectableFields']>,
  path: string,
): FieldError[] {
  const problems: FieldError[] = []
  const seen = new Set<string>()
  for (const [index, { jsonPath: text }] of fields.entries()) {
    const field = `${at(path, index)}.jsonPath`
    if (!text) {
      problems.push(required(field))
      continue
    }
    const found = fieldAt(root, text, false)
    if ('problem' in found) {
      problems.push(invalid(field, text, `is an invalid path: ${found.problem}`))
      continue
    }
    if (/^metadata\b/.test(found.path)) problems.push(invalid(field, text, 'must not point to fields in metadata'))
    if (!SELECTABLE_TYPES.includes(found.schema.type ?? '')) {
      const detail =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
      problems.push(invalid(field, text, detail))
    }
    if (seen.has(found.path)) problems.push(duplicate(field, text))
    seen.add(found.path)
  }
  if (seen.size > MOST_SELECTABLE) problems.push(tooMany(path, seen.size, MOST_SELECTABLE))
  return problems
}
