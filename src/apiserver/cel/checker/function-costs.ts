import type { Expr } from './expand.ts'
import type { Overload } from './overloads.ts'
import { ENDLESS, fixed, product, type Range, sum, times, UNKNOWN } from './ranges.ts'
import { type Type, typeName } from './types.ts'
import { isSame } from './unify.ts'

/** What a function is called with. */
export interface Operand {
  type: Type
  expr?: Expr
  path?: string[]
  size?: Range
}

/** Of a call alone; `size`: of what it gives. */
export interface CallCost {
  cost: Range
  size?: Range
}

type LookUp = (path: string[] | undefined) => Range | undefined

interface Call {
  overload: Overload
  target: Operand | undefined
  args: Operand[]
  sizeOf(operand: Operand): Range
  itemsOf(list: Operand): Operand | undefined
}

type Cost = (call: Call) => CallCost | undefined

/** To look at a character once, or to try a regular expression of so many at one. */
const PER_CHARACTER = 0.1
const PER_REGEXP_CHARACTER = 0.25
const LONGEST_FORMAT_REGEXP = 128
const LONGEST_FORMAT = 64

const ONE = fixed(1)

/** Source: github.com/google/cel-go/checker/cost.go, k8s.io/apiserver/pkg/cel/library/cost.go */
export function callCost(overload: Overload, target: Operand | undefined, args: Operand[], lookUp: LookUp): CallCost {
  const call: Call = {
    overload,
    target,
    args,
    sizeOf: ({ size, path }) => size ?? lookUp(path) ?? UNKNOWN,
    itemsOf: list => itemsOf(list),
  }
  const cost = Object.hasOwn(COSTS, overload.name) ? COSTS[overload.name]!(call) : undefined
  return cost ?? { cost: ONE }
}

function itemsOf({ type, path }: Operand): Operand | undefined {
  const of = type.is === 'list' || type.is === 'optional' ? type.of : type.is === 'map' ? type.key : undefined
  return of && { type: of, ...(path ? { path: [...path, '@items'] } : {}) }
}

const nominal: Cost = () => ({ cost: ONE })

const of = (operand: Operand | undefined, call: Call, use: (size: Range) => CallCost): CallCost | undefined =>
  operand && use(call.sizeOf(operand))

/** One look at the text that is given, or at the receiver. */
const traversal =
  (which: 'target' | 'arg', factor = 1, keepsSize = false): Cost =>
  call =>
    of(which === 'target' ? call.target : call.args[0], call, size => ({
      cost: times(size, factor * PER_CHARACTER),
      ...(keepsSize ? { size } : {}),
    }))

const isText = (type: Type | undefined) => type?.is === 'scalar' && (type.name === 'string' || type.name === 'bytes')

/** Compares each item of a list, or each character of a text. */
const perItem: Cost = call =>
  of(call.target, call, size => {
    const item = call.itemsOf(call.target!)
    if (!item) return { cost: times(size, PER_CHARACTER) }
    const each = isText(item.type) ? sum(ONE, times(call.sizeOf(item), PER_CHARACTER)) : ONE
    return { cost: product(size, each) }
  })

/** Every part of the expression is tried at every character. */
const search = (text: Range, expression: Range): Range =>
  product(times(sum(text, ONE), PER_CHARACTER), times(expression, PER_REGEXP_CHARACTER))

const find: Cost = call =>
  of(call.target, call, size => ({
    cost: search(size, call.sizeOf(call.args[0]!)),
    size: { min: 0, max: size.max },
  }))

const comparison: Cost = call => {
  const [left, right] = call.args.map(arg => arg.size ?? UNKNOWN) as [Range, Range]
  const most = Math.min(left.max, right.max)
  return { cost: times({ min: most > 0 ? 1 : 0, max: most }, PER_CHARACTER) }
}

/** Only texts take time to put in order. */
const order: Cost = call => (call.overload.params.every(isText) ? comparison(call) : undefined)

const AT_ONCE = new Set(['net.IP', 'net.CIDR', 'kubernetes.Quantity', 'kubernetes.Semver'])

const equality: Cost = call => {
  const [left, right] = call.args as [Operand, Operand]
  if (isSame(left.type, right.type)) {
    const name = typeName(left.type)
    if (AT_ONCE.has(name) || name.startsWith('kubernetes.authorization.')) return { cost: ONE }
    if (name === 'kubernetes.NamedFormat') return { cost: times({ min: 1, max: LONGEST_FORMAT }, PER_CHARACTER) }
    if (name === 'kubernetes.URL') return { cost: times({ min: 1, max: right.size?.max ?? 1 }, PER_CHARACTER) }
  }
  return comparison(call)
}

const addition: Cost = call => {
  const [first] = call.overload.params
  if (first?.is !== 'list' && !isText(first)) return undefined
  const size = sum(...call.args.map(arg => arg.size ?? UNKNOWN))
  return { cost: first?.is === 'list' ? ONE : times(size, PER_CHARACTER), size }
}

const membership: Cost = ({ overload, args }) =>
  overload.params[1]?.is === 'list' ? { cost: args[1]?.size ?? UNKNOWN } : undefined

const replacement: Cost = call => {
  const { target, args } = call
  if (!target || args.length < 2) return undefined
  const size = call.sizeOf(target)
  const [from, to] = [call.sizeOf(args[0]!), call.sizeOf(args[1]!)]
  // An empty text is found before, between and after all characters.
  const most = from.min === 0 ? size.max + 1 : to.max <= from.min ? 0 : Math.ceil(size.max / from.min)
  const least = from.max === 0 ? size.min + 1 : from.max <= to.min ? 0 : Math.ceil(size.min / from.max)
  const kept = {
    min: from.max === 0 || from.max <= to.min ? size.min : 0,
    max: from.min === 0 || to.max <= from.min ? size.max : 0,
  }
  return {
    cost: times(size, 2 * PER_CHARACTER),
    size: sum(product({ min: least, max: most }, to), kept),
  }
}

const splitting: Cost = call =>
  of(call.target, call, size => {
    const limit = call.args[1]?.expr
    const most = limit?.is === 'literal' && typeof limit.value === 'bigint' ? Number(limit.value) : size.max
    return { cost: times(size, 2 * PER_CHARACTER), size: { min: 0, max: most < 0 ? ENDLESS : most } }
  })

const joining: Cost = call =>
  of(call.target, call, count => {
    const item = call.itemsOf(call.target!)
    let size = item ? product(count, call.sizeOf(item)) : fixed(0)
    const [separator] = call.args
    if (separator) {
      const between = { min: Math.max(count.min - 1, 0), max: Math.max(count.max - 1, 0) }
      size = sum(size, product(call.sizeOf(separator), between))
    }
    return { cost: times(size, PER_CHARACTER), size }
  })

/** Bytes of an address. */
const ADDRESS: Range = { min: 4, max: 16 }

/** What is given as a text has to be read first. */
const reading = (call: Call): Range =>
  isText(call.overload.params[1]) ? times(call.sizeOf(call.args[0]!), PER_CHARACTER) : fixed(0)

const containsIp: Cost = call => ({ cost: sum(times(sum(ADDRESS, ADDRESS), PER_CHARACTER), reading(call)) })

const containsCidr: Cost = call => ({
  cost: sum(times(sum(ADDRESS, ADDRESS), PER_CHARACTER), times(ADDRESS, PER_CHARACTER), ONE, reading(call)),
})

/** Labels or fields: two characters may be a requirement of its own. */
const selector: Cost = call =>
  of(call.args[0], call, size => ({
    cost: sum(fixed(10), times(size, PER_CHARACTER), times(times(size, 0.5), 50)),
  }))

const converted: Cost = ({ overload, args }) => {
  const [from] = overload.params
  const size = args[0]?.size ?? UNKNOWN
  if (overload.name === 'bytes' && from?.is === 'scalar' && from.name === 'string')
    return { cost: times(size, PER_CHARACTER), size: { min: size.min, max: Math.min(size.max * 4, ENDLESS) } }
  if (overload.name === 'string' && from?.is === 'scalar' && from.name === 'bytes')
    return { cost: times(size, PER_CHARACTER), size: { min: Math.floor(size.min / 4), max: size.max } }
  return undefined
}

/** Makes a list, of which `size` is known; `factor`: how often each item is looked at. */
const listMade = (size: Range, factor = 1): CallCost => ({
  cost: sum(times(size, factor), ONE, fixed(10)),
  size,
})

const numberIn = (operand: Operand | undefined, otherwise: number): number =>
  operand?.expr?.is === 'literal' && typeof operand.expr.value === 'bigint' ? Number(operand.expr.value) : otherwise

const slice: Cost = call =>
  of(call.target, call, size => {
    const [from, to] = [numberIn(call.args[0], 0), numberIn(call.args[1], size.max)]
    return listMade(fixed(to < from ? ENDLESS : to - from))
  })

/** Each item is compared with each. */
const sorting =
  (keys: 'target' | 'arg'): Cost =>
  call =>
    of(keys === 'target' ? call.target : call.args[0], call, size => {
      const [list] = call.overload.params.slice(keys === 'target' ? 0 : 1)
      const item = list?.is === 'list' ? list.of : undefined
      return listMade(product(size, size), isText(item) ? 2 + PER_CHARACTER : 2)
    })

const sets =
  (factor: number): Cost =>
  call => ({
    cost: sum(times(product(call.sizeOf(call.args[0]!), call.sizeOf(call.args[1]!)), factor), ONE),
  })

const ofText = (operand: Operand | undefined) => operand?.size ?? UNKNOWN

const named = (names: string, cost: Cost): Record<string, Cost> =>
  Object.fromEntries(names.split(' ').map(name => [name, cost]))

const COSTS: Record<string, Cost> = {
  ...named('check', () => ({ cost: fixed(350_000) })),
  ...named('fieldSelector labelSelector', selector),
  ...named('isSorted sum max min indexOf lastIndexOf', perItem),
  ...named('url', traversal('arg', 1, true)),
  ...named('lowerAscii upperAscii substring trim', traversal('target', 1, true)),
  ...named('cidr isIP isCIDR quantity isQuantity semver isSemver', traversal('arg')),
  'ip.isCanonical': traversal('arg', 2),
  ip: call => (call.overload.method ? nominal(call) : traversal('arg')(call)),
  replace: replacement,
  split: splitting,
  join: joining,
  ...named('find findAll', find),
  containsIP: containsIp,
  containsCIDR: containsCidr,
  validate: call =>
    of(call.args[0], call, size => ({
      cost: times(times(size, PER_CHARACTER), LONGEST_FORMAT_REGEXP * PER_REGEXP_CHARACTER),
    })),
  '_==_': equality,
  '_!=_': comparison,
  ...named('_<_ _<=_ _>_ _>=_', order),
  '_+_': addition,
  '@in': membership,
  ...named('bytes string', converted),
  slice,
  'lists.range': ({ args }) => listMade(fixed(numberIn(args[0], ENDLESS))),
  reverse: call => of(call.target, call, size => listMade(size)),
  flatten: call => of(call.target, call, size => listMade(size, numberIn(call.args[0], call.args[0] ? ENDLESS : 1))),
  distinct: call => of(call.target, call, size => listMade(product(size, size), 2)),
  sort: sorting('target'),
  '@sortByAssociatedKeys': sorting('arg'),
  ...named('sets.contains sets.intersects', sets(1)),
  'sets.equivalent': sets(2),
  'strings.quote': ({ args: [arg] }) => ({
    cost: times(ofText(arg), PER_CHARACTER),
    size: sum(product(ofText(arg), { min: 1, max: 2 }), fixed(2)),
  }),
  format: ({ target }) => ({ cost: times(ofText(target), PER_CHARACTER) }),
  ...named('startsWith endsWith', ({ args: [arg] }) => ({ cost: times(ofText(arg), PER_CHARACTER) })),
  matches: ({ target, args: [arg] }) => target && { cost: search(ofText(target), ofText(arg)) },
  contains: ({ target, args: [arg] }) => ({
    cost: product(times(ofText(target), PER_CHARACTER), times(ofText(arg), PER_CHARACTER)),
  }),
}
