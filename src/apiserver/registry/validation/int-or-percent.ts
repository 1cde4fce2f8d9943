import type { FieldError } from '../../../api/index.ts'
import { invalid, nonNegative } from './field.ts'

/** A number of pods, or a share of them in percent. */
type Amount = number | string | undefined

const PERCENT = /^[0-9]+%$/
const NOT_PERCENT =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"

export function validateAmount(amount: Amount, field: string): FieldError[] {
  if (typeof amount !== 'string') return nonNegative(field, amount)
  return PERCENT.test(amount) ? [] : [invalid(field, amount, NOT_PERCENT)]
}

export const validateAtMostAll = (amount: Amount, field: string): FieldError[] =>
  typeof amount === 'string' && PERCENT.test(amount) && Number.parseInt(amount, 10) > 100
    ? [invalid(field, amount, 'must not be greater than 100%')]
    : []

/** What is no number counts for none, as upstream reads it. */
export const isZero = (amount: Amount): boolean => !Number.parseInt(String(amount ?? 0), 10)
