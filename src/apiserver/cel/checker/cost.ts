import type { Checked } from './check.ts'
import type { Expr, Loop } from './expand.ts'
import { RESULT } from './expand.ts'
import { type CallCost, callCost, type Operand } from './function-costs.ts'
import type { Overload } from './overloads.ts'
import { fixed, product, type Range, sum, UNKNOWN, union } from './ranges.ts'
import { DYN, type Type } from './types.ts'

/** The size of what a path of fields leads to: `['self', 'spec', '@items']`; undefined when nobody knows. */
export type SizeOf = (path: string[]) => number | undefined

/** Sizes of what a list or a map holds. */
interface Contents {
  is: 'list' | 'map'
  key: Range
  of: Range
}

interface Local {
  path: string[]
  size?: Range
  contents?: Contents
}

const ONE = fixed(1)
const LIST_COST = fixed(10)
const MAP_COST = fixed(30)
const MESSAGE_COST = fixed(40)

/**
 * What evaluating an expression may cost, at least and at most, in units of some 50 nanoseconds.
 * Source: github.com/google/cel-go/checker/cost.go
 */
export const estimateCost = (checked: Checked, sizeOf: SizeOf): Range =>
  new Estimator(checked, sizeOf).cost(checked.root)

class Estimator {
  readonly #checked: Checked
  readonly #sizeOf: SizeOf
  readonly #paths = new Map<Expr, string[]>()
  readonly #sizes = new Map<Expr, Range>()
  readonly #contents = new Map<Expr, Contents>()
  readonly #locals = new Map<string, Local[]>()

  constructor(checked: Checked, sizeOf: SizeOf) {
    this.#checked = checked
    this.#sizeOf = sizeOf
  }

  cost(expr: Expr): Range {
    switch (expr.is) {
      case 'literal':
        return fixed(0)
      case 'name':
        this.#paths.set(expr, this.#local(expr.name)?.path ?? [expr.name])
        return ONE
      case 'select':
        return this.#select(expr)
      case 'call':
        return this.#call(expr)
      case 'list':
        return this.#list(expr)
      case 'map':
        return this.#map(expr)
      case 'message':
        return sum(...expr.fields.map(({ value }) => this.cost(value)), MESSAGE_COST)
      case 'loop':
        return isBind(expr) ? this.#bind(expr) : this.#loop(expr)
    }
  }

  #select(expr: Expr & { is: 'select' }): Range {
    const { of, field, test } = expr
    const cost = this.cost(of)
    // To ask whether something is there costs nothing by itself.
    if (test) return cost
    this.#paths.set(expr, [...this.#pathOf(of), field])
    const { is } = this.#typeOf(of)
    return is === 'map' || is === 'object' || is === 'param' ? sum(cost, ONE) : cost
  }

  #list(expr: Expr & { is: 'list' }): Range {
    const costs = expr.items.map(({ value }) => this.cost(value))
    const sizes = expr.items.map(({ value }) => this.#sizeOr(value))
    this.#contents.set(expr, { is: 'list', key: ONE, of: sizes.length ? sizes.reduce(union) : fixed(0) })
    return sum(...costs, LIST_COST)
  }

  #map(expr: Expr & { is: 'map' }): Range {
    const costs = expr.entries.flatMap(({ key, value }) => [this.cost(key), this.cost(value)])
    const sizes = (parts: Expr[]) => (parts.length ? parts.map(part => this.#sizeOr(part)).reduce(union) : fixed(0))
    this.#contents.set(expr, {
      is: 'map',
      key: sizes(expr.entries.map(({ key }) => key)),
      of: sizes(expr.entries.map(({ value }) => value)),
    })
    return sum(...costs, MAP_COST)
  }

  #call(expr: Expr & { is: 'call' }): Range {
    const { name, target, args } = expr
    if (name === 'dyn' && args[0]) {
      const cost = sum(ONE, this.cost(args[0]))
      this.#copySizes(expr, args[0])
      return cost
    }
    const costs = args.map(arg => this.cost(arg))
    const operands = args.map(arg => this.#operand(arg))
    const ofTarget = target && this.cost(target)
    const receiver = target && this.#operand(target)
    let cost: Range | undefined
    let size: Range | undefined
    for (const overload of this.#checked.overloads.get(expr) ?? []) {
      const one = this.#overloadCost(expr, overload, receiver, operands, costs)
      cost = cost ? union(cost, one.cost) : one.cost
      if (one.size) size = size ? union(size, one.size) : one.size
      size = this.#indexed(expr, overload) ?? size ?? this.#size(expr)
    }
    if (size) this.#sizes.set(expr, size)
    return sum(ofTarget ?? fixed(0), cost ?? fixed(0))
  }

  /** Notes where an index leads to; its size is that of the list's items or the map's values, if they are known. */
  #indexed(expr: Expr & { is: 'call' }, { name, params }: Overload): Range | undefined {
    const [of] = expr.args
    if (name !== '_[_]' || !of) return undefined
    const [first] = params
    if (first?.is === 'list') this.#paths.set(expr, [...this.#pathOf(of), '@items'])
    else if (first?.is === 'map') this.#paths.set(expr, [...this.#pathOf(of), '@values'])
    else return undefined
    return this.#contentsOf(of)?.of
  }

  #overloadCost(
    expr: Expr & { is: 'call' },
    overload: Overload,
    receiver: Operand | undefined,
    operands: Operand[],
    costs: Range[],
  ): CallCost {
    const all = sum(...costs)
    const [left, right] = costs
    if (overload.name === '_&&_' || overload.name === '_||_')
      return { cost: { min: left!.min, max: sum(left!, right!).max } }
    if (overload.name === '_?_:_') {
      const [, yes, no] = expr.args as [Expr, Expr, Expr]
      const [ofYes, ofNo] = [this.#contentsOf(yes), this.#contentsOf(no)]
      if (ofYes && ofNo) this.#contents.set(expr, bothContents(ofYes, ofNo))
      return {
        cost: sum(costs[0]!, union(costs[1]!, costs[2]!)),
        size: union(sizeOr(operands[1]!), sizeOr(operands[2]!)),
      }
    }
    if (overload.name === '_+_') {
      const [one, other] = expr.args.map(arg => this.#contentsOf(arg))
      if (one && other) this.#contents.set(expr, bothContents(one, other))
    }
    const { cost, size } = callCost(overload, receiver, operands, path => this.#lookUp(path))
    return { cost: sum(cost, all), ...(size ? { size } : {}) }
  }

  #bind({ range, accu, init, result, ...rest }: Expr & Loop): Range {
    const costs = [this.cost(range), this.cost(init)]
    const ofResult = this.#with(accu, this.#localOf(init), () => this.cost(result))
    this.#copySizes({ range, accu, init, result, ...rest } as Expr, result)
    return sum(...costs, ofResult)
  }

  #loop(expr: Expr & Loop): Range {
    const { range, names, accu, init, condition, step, result } = expr
    const before = sum(this.cost(range), this.cost(init))
    const inside = this.#with(accu, this.#localOf(init), () => {
      const [first, second] = this.#iterated(range, names.length === 2)
      const turn = this.#with(names[0]!, first!, () => {
        const run = () => sum(this.cost(condition), this.cost(step))
        return second ? this.#with(names[1]!, second, run) : run()
      })
      return { turn, after: this.cost(result) }
    })
    const turns = this.#sizeOr(range)
    if (init.is === 'literal') {
      const size = this.#size(init)
      if (size) this.#sizes.set(expr, size)
    } else if (init.is === 'list' || init.is === 'map') {
      this.#sizes.set(expr, turns)
      const contents = this.#contentsOf(step)
      if (contents) this.#contents.set(expr, contents)
    }
    return sum(before, inside.after, product(turns, inside.turn))
  }

  /** What the names of a loop stand for. */
  #iterated(range: Expr, two: boolean): Local[] {
    const contents = this.#contentsOf(range)
    const isList = (contents?.is ?? this.#typeOf(range).is) === 'list'
    const path = this.#pathOf(range)
    const local = (step: string, size: Range | undefined): Local => ({
      path: [...path, step],
      ...(size ? { size } : {}),
    })
    const key = local(isList ? '@indices' : '@keys', contents?.key)
    const value = local(isList ? '@items' : '@values', contents?.of)
    if (two) return [key, value]
    return [isList ? value : key]
  }

  #localOf(init: Expr): Local {
    const [size, contents] = [this.#size(init), this.#contentsOf(init)]
    return { path: this.#pathOf(init), ...(size ? { size } : {}), ...(contents ? { contents } : {}) }
  }

  #with<T>(name: string, local: Local, run: () => T): T {
    const stack = this.#locals.get(name) ?? []
    this.#locals.set(name, [...stack, local])
    const result = run()
    this.#locals.set(name, stack)
    return result
  }

  #local = (name: string): Local | undefined => this.#locals.get(name)?.at(-1)

  #typeOf = (expr: Expr): Type => this.#checked.types.get(expr) ?? DYN

  #pathOf(expr: Expr): string[] {
    const local = expr.is === 'name' ? this.#local(expr.name) : undefined
    return local?.path ?? this.#paths.get(expr) ?? []
  }

  #operand(expr: Expr): Operand {
    const path = this.#pathOf(expr)
    const size = this.#size(expr)
    return {
      type: this.#typeOf(expr),
      expr,
      ...(path.length && path[0] !== RESULT ? { path } : {}),
      ...(size ? { size } : {}),
    }
  }

  #sizeOr = (expr: Expr): Range => this.#size(expr) ?? UNKNOWN

  #lookUp(path: string[] | undefined): Range | undefined {
    const most = path?.length ? this.#sizeOf(path) : undefined
    return most === undefined ? undefined : { min: 0, max: most }
  }

  #size(expr: Expr): Range | undefined {
    const known = this.#sizes.get(expr) ?? ownSize(expr)
    if (known) return known
    const found = this.#lookUp(this.#pathOf(expr))
    if (found) {
      this.#sizes.set(expr, found)
      return found
    }
    if (isScalar(this.#typeOf(expr))) return ONE
    return expr.is === 'name' ? this.#local(expr.name)?.size : undefined
  }

  #contentsOf(expr: Expr): Contents | undefined {
    return this.#contents.get(expr) ?? (expr.is === 'name' ? this.#local(expr.name)?.contents : undefined)
  }

  #copySizes(to: Expr, from: Expr): void {
    const [size, contents] = [this.#size(from), this.#contentsOf(from)]
    if (size) this.#sizes.set(to, size)
    if (contents) this.#contents.set(to, contents)
  }
}

const sizeOr = ({ size }: Operand): Range => size ?? UNKNOWN

const bothContents = (one: Contents, other: Contents): Contents => ({
  is: one.is,
  key: union(one.key, other.key),
  of: union(one.of, other.of),
})

/** A loop that only gives a name to a value. */
const isBind = ({ range, condition, accu }: Loop): boolean =>
  range.is === 'list' &&
  range.items.length === 0 &&
  condition.is === 'literal' &&
  condition.value === false &&
  accu !== RESULT

/** Of what is written out. */
function ownSize(expr: Expr): Range | undefined {
  if (expr.is === 'list') return fixed(expr.items.length)
  if (expr.is === 'map') return fixed(expr.entries.length)
  if (expr.is !== 'literal') return undefined
  if (typeof expr.value === 'string') return fixed([...expr.value].length)
  return fixed(expr.value instanceof Uint8Array ? expr.value.length : 1)
}

const SCALARS = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint'])

const isScalar = (type: Type): boolean =>
  type.is === 'optional' ? isScalar(type.of) : type.is === 'scalar' && SCALARS.has(type.name)
