/**
 * Exact resource quantities: `100m`, `1.5Gi`, `2e3`.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export interface Quantity {
  /** The amount in units of 10^-9, finer than which none is kept: what is smaller is rounded up, away from zero. */
  readonly nano: bigint
  /** How it is written. */
  readonly format: QuantityFormat
}

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

const ONE = 10n ** 9n
/** Larger amounts in binary units are cut to this one, as upstream does. */
const LARGEST = (2n ** 63n - 1n) * ONE

const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const DECIMAL_SUFFIX = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']
const BINARY_SUFFIX = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

/** Beyond any amount there is, and small enough to reckon with. */
const LARGEST_EXPONENT = 1000

const WRONG_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/

/**
 * Throws an Error with upstream's text unless the text is a quantity. As upstream has it, a text without any digit (`.`,
 * `Ki`) is zero.
 */
export function parseQuantity(text: string | number): Quantity {
  const parts = SHAPE.exec(String(text))
  if (!parts || parts[0] === '') throw new Error(WRONG_FORMAT)
  const [, sign, whole = '', fraction = '', suffix = ''] = parts
  const { base, exponent, format } = parseSuffix(suffix)
  const digits = BigInt(whole + fraction)
  const amount = base === 2 ? digits * 2n ** BigInt(exponent) : digits
  const nano = scale(amount, (base === 10 ? exponent : 0) - fraction.length + 9)
  const cut = format === 'BinarySI' && nano > LARGEST ? LARGEST : nano
  return { nano: sign === '-' ? -cut : cut, format }
}

function parseSuffix(suffix: string): { base: 2 | 10; exponent: number; format: QuantityFormat } {
  const decimal = DECIMAL[suffix]
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: 'DecimalSI' }
  const binary = BINARY_SUFFIX.indexOf(suffix)
  if (binary > 0) return { base: 2, exponent: binary * 10, format: 'BinarySI' }
  const exponent = /^[eE]([+-]?\d+)$/.exec(suffix)?.[1]
  if (exponent === undefined || Math.abs(+exponent) > LARGEST_EXPONENT)
    throw new Error("unable to parse quantity's suffix")
  return { base: 10, exponent: +exponent, format: 'DecimalExponent' }
}

/** Multiplies a positive amount by a power of ten, rounding up. */
function scale(amount: bigint, power: number): bigint {
  if (power >= 0) return amount * 10n ** BigInt(power)
  const divisor = 10n ** BigInt(-power)
  return (amount + divisor - 1n) / divisor
}

/** The one way to write it: no fraction, the largest suffix that needs none. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0'
  const sign = nano < 0n ? '-' : ''
  const amount = nano < 0n ? -nano : nano
  const whole = amount % ONE === 0n
  if (format === 'BinarySI' && whole && amount >= 1024n * ONE) return sign + formatBinary(amount / ONE)
  return sign + formatDecimal(amount, format === 'DecimalExponent')
}

function formatBinary(amount: bigint): string {
  let power = 0
  while (amount % 1024n === 0n && power < BINARY_SUFFIX.length - 1) {
    amount /= 1024n
    power++
  }
  return `${amount}${BINARY_SUFFIX[power]}`
}

function formatDecimal(nano: bigint, withExponent: boolean): string {
  const largest = withExponent ? Number.POSITIVE_INFINITY : DECIMAL_SUFFIX.length - 1
  let power = 0
  while (nano % 1000n === 0n && power < largest) {
    nano /= 1000n
    power++
  }
  const exponent = power * 3 - 9
  if (withExponent) return exponent ? `${nano}e${exponent}` : `${nano}`
  return `${nano}${DECIMAL_SUFFIX[power]}`
}

const roundUp = (nano: bigint, unit: bigint): number => {
  const towardsZero = nano / unit
  if (towardsZero * unit === nano) return Number(towardsZero)
  return Number(towardsZero + (nano > 0n ? 1n : -1n))
}

type Amount = Quantity | string | number
const read = (amount: Amount): Quantity => (typeof amount === 'object' ? amount : parseQuantity(amount))

/** Arithmetic. Every function takes quantities as texts too. */
export const quantity = {
  zero: { nano: 0n, format: 'DecimalSI' } as Quantity,

  /** `quantity.of(3)`, `quantity.of(1536 * 1024 ** 2, 'BinarySI')`; `amount` is an integer. */
  of: (amount: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity => ({
    nano: BigInt(amount) * ONE,
    format,
  }),

  /** `quantity.ofMilli(250)` is `250m`. */
  ofMilli: (amount: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity => ({
    nano: BigInt(amount) * 1_000_000n,
    format,
  }),

  /** Negative when `a` is less than `b`, 0 when equal. */
  compare(a: Amount, b: Amount): number {
    const difference = read(a).nano - read(b).nano
    return difference < 0n ? -1 : difference > 0n ? 1 : 0
  },

  /** The sum is written as `a` was, unless that was zero. */
  add(a: Amount, b: Amount): Quantity {
    const [left, right] = [read(a), read(b)]
    return { nano: left.nano + right.nano, format: left.nano === 0n ? right.format : left.format }
  },

  subtract(a: Amount, b: Amount): Quantity {
    const [left, right] = [read(a), read(b)]
    return { nano: left.nano - right.nano, format: left.nano === 0n ? right.format : left.format }
  },

  max: (a: Amount, b: Amount): Quantity => (quantity.compare(a, b) < 0 ? read(b) : read(a)),

  isZero: (amount: Amount): boolean => read(amount).nano === 0n,

  /** Whole units, rounded up, away from zero. */
  value: (amount: Amount): number => roundUp(read(amount).nano, ONE),

  /** Thousandths, rounded up, away from zero: the unit of CPU. */
  milliValue: (amount: Amount): number => roundUp(read(amount).nano, 1_000_000n),
}

/** Short amounts that are already written in the one way. */
const CANONICAL = /^(?:0|[1-9]\d{0,2}(?:m|k|M|G|T|Ki|Mi|Gi|Ti)?)$/

/** How an API object keeps the amount that `text` says. Throws as `parseQuantity` does. */
export function canonicalQuantity(text: string): string {
  if (CANONICAL.test(text)) return text
  const parsed = parseQuantity(text)
  return keepsItsText(text, parsed.format) ? text : formatQuantity(parsed)
}

/**
 * Upstream keeps a text that its parser takes for canonical, and takes some for it that are not: `+1`, `01`, `1.500`.
 * Programs that compare what they applied with what they read rely on it.
 */
function keepsItsText(text: string, format: QuantityFormat): boolean {
  const [, , whole = '', point = '', fraction = '', suffix = ''] = /^([+-]?)0*(\d*)(\.?)(\d*)(.*)$/.exec(text) ?? []
  const digits = (whole || '0') + fraction
  if (format === 'BinarySI') {
    const exponent = BINARY_SUFFIX.indexOf(suffix) * 10
    return !point && digits.length + Math.trunc(exponent * 0.3) < 15 && Number(digits) % 8 !== 0
  }
  const power = parseSuffix(suffix).exponent - fraction.length
  return digits.length <= 18 && power >= -9 && power % 3 === 0 && !digits.endsWith('000') && digits[0] !== '0'
}
