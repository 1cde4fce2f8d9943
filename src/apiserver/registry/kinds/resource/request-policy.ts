import { type FieldError, formatQuantity, quantity, type resource } from '../../../../api/index.ts'
import { duplicate, each, forbidden, invalid, required, tooMany } from '../../validation/field.ts'

/** How much of a device's capacity may be asked for. Source: k8s.io/kubernetes/pkg/apis/resource/validation validateRequestPolicy */

const MOST_OPTIONS = 10

const above = (a: string, b: string) => quantity.compare(a, b) > 0

export function validateRequestPolicy(
  capacity: string,
  policy: resource.CapacityRequestPolicy,
  path: string,
): FieldError[] {
  const { default: usual, validValues, validRange } = policy
  if (validValues?.length && validRange)
    return [
      forbidden(
        path,
        'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time',
      ),
    ]
  const field = validValues?.length ? 'validValues' : 'validRange'
  if (!policy[field]) return []
  if (usual === undefined || usual === null) return [required(`${path}.default`, `required when ${field} is defined`)]
  return field === 'validValues'
    ? validateValues(usual, capacity, validValues!, `${path}.${field}`)
    : validateRange(usual, capacity, validRange!, `${path}.${field}`)
}

function validateValues(usual: string, capacity: string, values: string[], path: string): FieldError[] {
  const unsorted = each(values, path, (value, field, index) =>
    index > 0 && above(values[index - 1]!, value)
      ? [invalid(field, value, 'values must be sorted in ascending order')]
      : [],
  )
  const usualMissing = invalid(path, usual, 'default value is not valid according to the requestPolicy')
  if (values.length > MOST_OPTIONS) return [...unsorted, tooMany(path, values.length, MOST_OPTIONS), usualMissing]
  const keys = values.map(value => String(quantity.value(value)))
  return [
    ...unsorted,
    ...each(values, path, (value, field) =>
      above(value, capacity) ? [invalid(field, value, `option is larger than capacity value: ${capacity}`)] : [],
    ),
    ...each(keys, path, (key, field, index) => (keys.indexOf(key) < index ? [duplicate(field, key)] : [])),
    ...(values.some(value => quantity.compare(value, usual) === 0) ? [] : [usualMissing]),
  ]
}

function validateRange(usual: string, capacity: string, range: resource.CapacityRequestPolicyRange, path: string) {
  const { min, max, step } = range
  if (min === undefined) return [required(`${path}.min`, 'required when validRange is defined')]
  const problems: FieldError[] = []
  const complain = (field: string, value: string, detail: string) =>
    problems.push(invalid(`${path}.${field}`, value, detail))
  if (above(min, capacity)) complain('min', min, `min is larger than capacity value: ${capacity}`)
  if (above(min, usual)) complain('min', usual, `default is less than min: ${min}`)
  if (max !== undefined) {
    if (above(min, max)) complain('max', min, `min is larger than max: ${max}`)
    if (above(max, capacity)) complain('max', max, `max is larger than capacity value: ${capacity}`)
    if (above(usual, max)) complain('max', usual, `default is more than max: ${max}`)
  }
  if (step !== undefined) {
    const next = formatQuantity(quantity.add(min, step))
    if (above(next, capacity)) complain('step', step, `one step ${next} is larger than capacity value: ${capacity}`)
    for (const value of [usual, ...(max === undefined ? [] : [max])])
      if ((quantity.milliValue(value) - quantity.milliValue(min)) % (quantity.milliValue(step) || 1) !== 0)
        complain('step', value, `value is not a multiple of a given step (${step}) from (${min})`)
  }
  return problems
}
