import { type FieldError, type FieldModel, model, type ValueModel } from '../api/index.ts'

/**
 * The closed sets that upstream's validation checks wherever they occur, and reports as unsupported values. Others are
 * checked by some kinds only, or in other words, and belong to those kinds' strategies. Upstream lists what it supports in
 * the order of the alphabet, unless another is given here.
 */
const CHECKED: Record<string, string[] | 'sorted'> = {
  'apps/v1.DaemonSetUpdateStrategyType': ['RollingUpdate', 'OnDelete'],
  'apps/v1.DeploymentStrategyType': 'sorted',
  'batch/v1.CompletionMode': ['NonIndexed', 'Indexed'],
  'batch/v1.ConcurrencyPolicy': 'sorted',
  'core/v1.Protocol': 'sorted',
  'core/v1.ServiceAffinity': 'sorted',
  'core/v1.ServiceType': 'sorted',
}

/** Values outside of their closed set, in the words of upstream's validation. What a status says is not judged. */
export function enumProblems(type: string, object: unknown): FieldError[] {
  const problems: FieldError[] = []
  for (const field of checkedFields(type))
    if (field.name !== 'status') visit(field, (object as Record<string, unknown>)[field.name], field.name, problems)
  return problems
}

function visit(expected: ValueModel, value: unknown, path: string, problems: FieldError[]): void {
  if (value === undefined || value === null) return
  if (expected.kind === 'string') {
    if (!expected.enum!.includes(value as string)) problems.push(unsupported(path, value, expected))
  } else if (expected.kind === 'list') {
    for (const [index, item] of (value as unknown[]).entries())
      visit(expected.items!, item, `${path}[${index}]`, problems)
  } else if (expected.kind === 'map') {
    for (const [key, item] of Object.entries(value)) visit(expected.items!, item, `${path}[${key}]`, problems)
  } else {
    for (const field of checkedFields(expected.type))
      visit(field, (value as Record<string, unknown>)[field.name], `${path}.${field.name}`, problems)
  }
}

function unsupported(field: string, value: unknown, expected: ValueModel): FieldError {
  const order = CHECKED[expected.type]
  const supported = Array.isArray(order) ? order : expected.enum!
  const detail = `supported values: ${supported.map(each => JSON.stringify(each)).join(', ')}`
  return { type: 'NotSupported', field, value, detail }
}

const fieldsOf = new Map<string, FieldModel[]>()

/** The fields of a struct below which there is anything to check. */
function checkedFields(type: string): FieldModel[] {
  let fields = fieldsOf.get(type)
  if (!fields) {
    fields = model.type(type).fields.filter(field => isChecked(field))
    fieldsOf.set(type, fields)
  }
  return fields
}

function isChecked(value: ValueModel, seen = new Set<string>()): boolean {
  if (value.kind === 'string') return value.enum !== undefined && value.type in CHECKED
  if (value.items) return isChecked(value.items, seen)
  if (value.kind !== 'struct' || seen.has(value.type)) return false
  seen.add(value.type)
  return model.type(value.type).fields.some(field => isChecked(field, seen))
}
