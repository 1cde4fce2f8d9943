/** A least and a most: of a size, or of what something costs. */
export interface Range {
  min: number
  max: number
}

/** As much as Go can count. */
export const ENDLESS = 2 ** 64

export const UNKNOWN: Range = { min: 0, max: ENDLESS }

export const fixed = (value: number): Range => ({ min: value, max: value })

const capped = (min: number, max: number): Range => ({ min: Math.min(min, ENDLESS), max: Math.min(max, ENDLESS) })

export const sum = (...ranges: Range[]): Range =>
  ranges.reduce((total, { min, max }) => capped(total.min + min, total.max + max), fixed(0))

export const product = (one: Range, other: Range): Range => capped(one.min * other.min, one.max * other.max)

/** Rounded up. */
export const times = ({ min, max }: Range, factor: number): Range =>
  capped(Math.ceil(min * factor), Math.ceil(max * factor))

/** What holds both. */
export const union = (one: Range, other: Range): Range => ({
  min: Math.min(one.min, other.min),
  max: Math.max(one.max, other.max),
})
