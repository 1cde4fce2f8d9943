import { formatQuantity, quantity } from './quantity.ts'

/** Amounts by what they are of: `{ cpu: '500m', memory: '1Gi' }`. */
export type ResourceList = Record<string, string>

const ZERO = '0'

/** Clients name resources as they like: `constructor` is not found where nobody put it. */
const amountOf = (list: ResourceList, name: string): string | undefined =>
  Object.hasOwn(list, name) ? list[name] : undefined

/** Arithmetic. None changes what it is given, and an amount that nothing is added to keeps its text. */
export const resourceList = {
  add(a: ResourceList, b: ResourceList): ResourceList {
    const sum = { ...a }
    for (const [name, amount] of Object.entries(b)) {
      const before = amountOf(sum, name)
      sum[name] = before === undefined ? amount : formatQuantity(quantity.add(before, amount))
    }
    return sum
  },

  /** The greater amount of each. */
  max(a: ResourceList, b: ResourceList): ResourceList {
    const greater = { ...a }
    for (const [name, amount] of Object.entries(b)) {
      const other = amountOf(greater, name)
      if (other === undefined || quantity.compare(amount, other) > 0) greater[name] = amount
    }
    return greater
  },

  /** By how much `a` is more than `b`, of all that `a` names. */
  growth(a: ResourceList, b: ResourceList): ResourceList {
    const grown = Object.entries(a).map(([name, amount]) => {
      const more = quantity.subtract(amount, amountOf(b, name) ?? ZERO)
      return [name, more.nano > 0n ? formatQuantity(more) : ZERO]
    })
    return Object.fromEntries(grown)
  },

  /** Those of the list that are named. */
  pick(list: ResourceList, names: Iterable<string>): ResourceList {
    const picked: ResourceList = {}
    for (const name of names) {
      const amount = amountOf(list, name)
      if (amount !== undefined) picked[name] = amount
    }
    return picked
  },

  /** Nothing of any of them. */
  zeros: (names: string[]): ResourceList => Object.fromEntries(names.map(name => [name, ZERO])),

  withoutZeros: (list: ResourceList): ResourceList =>
    Object.fromEntries(Object.entries(list).filter(([, amount]) => !quantity.isZero(amount))),

  /** Whether both name the same, with the same amounts, however these are written. */
  same(a: ResourceList = {}, b: ResourceList = {}): boolean {
    const names = Object.keys(a)
    return (
      names.length === Object.keys(b).length &&
      names.every(name => Object.hasOwn(b, name) && quantity.compare(a[name]!, b[name]!) === 0)
    )
  },

  /** The names of which there is more in `a` than in `b`. */
  exceeding: (a: ResourceList, b: ResourceList): string[] =>
    Object.keys(b).filter(name => Object.hasOwn(a, name) && quantity.compare(a[name]!, b[name]!) > 0),
}
