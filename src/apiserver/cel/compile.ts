import { type Budget, CelError, CompileError, createBudget, spend } from './errors.ts'
import { isFunction, lookUp } from './functions.ts'
import { located } from './lexer.ts'
import { type Node, parse } from './parser.ts'
import { compare, Dict, equal, List, Optional, TypeValue, Uint, type Value } from './values.ts'

export interface CompileOptions {
  /** What the expression may name. */
  variables: string[]
}

/** What a variable is: a value, or what makes it when it is first looked at. */
export type Variables = Record<string, Value | undefined | (() => Value)>

export interface Program {
  /** Throws a CelError. */
  evaluate(variables: Variables, budget?: Budget): Value
}

/** What one evaluation works on: the variables and what macros bind, by their places. */
export interface Frame {
  slots: (Value | (() => Value))[]
  budget: Budget
}

type Eval = (frame: Frame) => Value

/** Throws a CompileError. */
export function compile(expression: string, { variables }: CompileOptions): Program {
  const run = shallow(
    () => new Compiler(expression, variables).compile(parse(expression)),
    () => new CompileError('expression is nested too deeply'),
  )
  return {
    evaluate(given, budget = createBudget()) {
      const slots = variables.map(name => given[name] ?? null)
      return shallow(
        () => run({ slots, budget }),
        () => new CelError('expression is nested too deeply'),
      )
    },
  }
}

/** A chain of thousands of operators is within all limits but the stack's. */
function shallow<T>(run: () => T, problem: () => Error): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof RangeError ? problem() : error
  }
}

const TYPES = new Set(
  'int uint double bool string bytes list map null_type type optional_type google.protobuf.Timestamp google.protobuf.Duration'.split(
    ' ',
  ),
)

class Compiler {
  readonly #text: string
  readonly #scope: Map<string, number>
  #slots: number

  constructor(text: string, variables: string[]) {
    this.#text = text
    this.#scope = new Map(variables.map((name, index) => [name, index]))
    this.#slots = variables.length
  }

  compile(node: Node): Eval {
    switch (node.is) {
      case 'literal': {
        const value = node.unsigned ? new Uint(node.value as bigint) : node.value
        return () => value
      }
      case 'name':
        return this.#variable(node.name) ?? this.#type(node.name) ?? this.#undeclared(node, node.name)
      case 'select':
        return this.#select(node)
      case 'index':
        return this.#index(node)
      case 'list':
        return this.#list(node)
      case 'map':
        return this.#map(node)
      case 'message':
        return this.#message(node)
      case 'call':
        return this.#call(node)
    }
  }

  #variable(name: string): Eval | undefined {
    const slot = this.#scope.get(name)
    if (slot === undefined) return undefined
    return frame => {
      spend(frame.budget, 1)
      const value = frame.slots[slot]!
      if (typeof value !== 'function') return value
      const made = value()
      frame.slots[slot] = made
      return made
    }
  }

  #type(name: string): Eval | undefined {
    if (!TYPES.has(name)) return undefined
    const type = new TypeValue(name)
    return () => type
  }

  #undeclared({ at }: Node, name: string): never {
    throw located(this.#text, at, `undeclared reference to '${name}' (in container '')`)
  }

  #select(node: Node & { is: 'select' }): Eval {
    const path = chain(node)
    // `authorizer.requestResource` is one name.
    const whole = path && this.#variable(path)
    if (whole) return whole
    if (path && !this.#scope.has(path.split('.', 1)[0]!)) {
      const type = this.#type(path)
      if (type) return type
    }
    const of = this.compile(node.of)
    const { field, optional } = node
    return frame => {
      spend(frame.budget, 1)
      const value = of(frame)
      if (!optional && !(value instanceof Optional)) return fieldOf(value, field)
      const inner = value instanceof Optional ? value.value : value
      if (inner === undefined) return new Optional()
      return new Optional(memberOf(inner, field))
    }
  }

  #index({ of: ofNode, key: keyNode, optional }: Node & { is: 'index' }): Eval {
    const of = this.compile(ofNode)
    const key = this.compile(keyNode)
    return frame => {
      spend(frame.budget, 1)
      const value = of(frame)
      const wanted = key(frame)
      if (!optional && !(value instanceof Optional)) return itemOf(value, wanted)
      const inner = value instanceof Optional ? value.value : value
      return inner === undefined ? new Optional() : new Optional(found(inner, wanted))
    }
  }

  #list({ items }: Node & { is: 'list' }): Eval {
    const compiled = items.map(({ value, optional }) => ({ value: this.compile(value), optional }))
    return frame => {
      spend(frame.budget, 1)
      const values: Value[] = []
      for (const { value, optional } of compiled) {
        const one = optional ? contentOf(value(frame)) : value(frame)
        if (one !== undefined) values.push(one)
      }
      return new List(values)
    }
  }

  #map({ entries }: Node & { is: 'map' }): Eval {
    const compiled = entries.map(({ key, value, optional }) => ({
      key: this.compile(key),
      value: this.compile(value),
      optional,
    }))
    return frame => {
      spend(frame.budget, 1)
      return Dict.of(pairs(compiled, frame))
    }
  }

  #message({ type, fields }: Node & { is: 'message' }): Eval {
    const compiled = fields.map(({ name, value, optional }) => ({
      key: () => name,
      value: this.compile(value),
      optional,
    }))
    return frame => {
      spend(frame.budget, 1)
      return Dict.of(pairs(compiled, frame), type)
    }
  }

  #call(node: Node & { is: 'call' }): Eval {
    const macro = this.#macro(node)
    if (macro) return macro
    const { name, target, args } = node
    const operator = OPERATORS[name]
    if (operator && !target) return operator(args.map(arg => this.compile(arg)))
    const path = target && chain(target)
    const qualified = path !== undefined && !this.#scope.has(path.split('.', 1)[0]!) ? `${path}.${name}` : name
    const receiver = qualified === name && target ? [target] : []
    if (!isFunction(qualified, receiver.length > 0)) this.#undeclared(node, qualified)
    const run = lookUp(qualified, receiver.length > 0)
    const compiled = [...receiver, ...args].map(arg => this.compile(arg))
    return frame => {
      spend(frame.budget, 1)
      return run(
        compiled.map(arg => arg(frame)),
        frame.budget,
      )
    }
  }

  /** What binds names of its own, and so is no function. */
  #macro({ name, target, args, at }: Node & { is: 'call' }): Eval | undefined {
    if (name === 'has' && !target && args.length === 1) return this.#has(args[0]!)
    if (!target) return undefined
    if (name === 'bind' && target.is === 'name' && target.name === 'cel' && args.length === 3) return this.#bind(args)
    const names = args.slice(0, 2).map(arg => (arg.is === 'name' ? arg.name : undefined))
    if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2 && names[0])
      return this.#optional(target, names[0], args[1]!, name === 'optFlatMap')
    const macro = MACROS[name]
    if (!macro || !names[0]) return undefined
    const two = macro.two === args.length || (macro.twoFiltered === args.length && !!names[1])
    if (!two && args.length !== macro.one && args.length !== macro.oneFiltered) return undefined
    if (two && !names[1]) throw located(this.#text, at, 'argument must be a simple name')
    const bound = two ? [names[0], names[1]!] : [names[0]]
    const range = this.compile(target)
    return this.#within(bound, slots => {
      const bodies = args.slice(bound.length).map(arg => this.compile(arg))
      return comprehension(range, slots, bodies, macro.run)
    })
  }

  #has(arg: Node): Eval {
    if (arg.is !== 'select') throw located(this.#text, arg.at, 'invalid argument to has() macro')
    const of = this.compile(arg.of)
    const { field, optional } = arg
    return frame => {
      spend(frame.budget, 1)
      const value = of(frame)
      const inner = value instanceof Optional ? value.value : value
      if (inner === undefined) return false
      if (optional && inner === null) return false
      return memberOf(inner, field) !== undefined
    }
  }

  #bind(args: Node[]): Eval {
    const [name, init, body] = args as [Node, Node, Node]
    if (name.is !== 'name') throw located(this.#text, name.at, 'cel.bind() variable names must be simple identifiers')
    const value = this.compile(init)
    return this.#within([name.name], ([slot]) => {
      const run = this.compile(body)
      return frame => {
        frame.slots[slot!] = value(frame)
        return run(frame)
      }
    })
  }

  #optional(target: Node, name: string, body: Node, flat: boolean): Eval {
    const of = this.compile(target)
    return this.#within([name], ([slot]) => {
      const run = this.compile(body)
      return frame => {
        const value = contentOf(of(frame))
        if (value === undefined) return new Optional()
        frame.slots[slot!] = value
        return flat ? run(frame) : new Optional(run(frame))
      }
    })
  }

  /** Compiles with further names in scope, which hide those of the same name outside. */
  #within(names: string[], make: (slots: number[]) => Eval): Eval {
    const before = names.map(name => [name, this.#scope.get(name)] as const)
    const slots = names.map(name => {
      const slot = this.#slots++
      this.#scope.set(name, slot)
      return slot
    })
    const made = make(slots)
    for (const [name, slot] of before) {
      if (slot === undefined) this.#scope.delete(name)
      else this.#scope.set(name, slot)
    }
    return made
  }
}

/** `a.b.c` of a chain of names. */
function chain(node: Node): string | undefined {
  if (node.is === 'name') return node.name
  if (node.is !== 'select' || node.optional) return undefined
  const of = chain(node.of)
  return of && `${of}.${node.field}`
}

const noOverload = () => new CelError('no such overload')

function dictOf(value: Value): Dict {
  if (value instanceof Dict) return value
  throw noOverload()
}

/** Of what is no object, null too, nothing is there. */
function memberOf(value: Value, field: string): Value | undefined {
  if (value instanceof Dict) return value.get(field)
  if (value instanceof List) throw new CelError("unsupported index type 'string' in list")
  return undefined
}

function fieldOf(value: Value, field: string): Value {
  const content = memberOf(value, field)
  if (content === undefined) throw new CelError(`no such key: ${field}`)
  return content
}

function found(value: Value, key: Value): Value | undefined {
  if (value instanceof Dict) return value.get(key)
  if (!(value instanceof List)) return undefined
  const index = indexOf(key)
  return index >= 0 && index < value.size ? value.at(index) : undefined
}

function itemOf(value: Value, key: Value): Value {
  const item = found(value, key)
  if (item !== undefined) return item
  throw new CelError(value instanceof List ? `index out of bounds: ${shown(key)}` : `no such key: ${shown(key)}`)
}

function indexOf(key: Value): number {
  if (key instanceof Uint) return Number(key.value)
  if (typeof key === 'bigint' || (typeof key === 'number' && Number.isInteger(key))) return Number(key)
  throw new CelError(`unsupported index type '${typeof key}' in list`)
}

const shown = (key: Value) => (key instanceof Uint ? String(key.value) : String(key))

/** What an optional holds. */
function contentOf(value: Value): Value | undefined {
  if (value instanceof Optional) return value.value
  throw noOverload()
}

function* pairs(entries: { key: Eval; value: Eval; optional: boolean }[], frame: Frame): Generator<[Value, Value]> {
  for (const { key, value, optional } of entries) {
    const one = optional ? contentOf(value(frame)) : value(frame)
    if (one !== undefined) yield [key(frame), one]
  }
}

function truth(value: Value): boolean {
  if (typeof value === 'boolean') return value
  throw noOverload()
}

/** Either side decides alone, whatever is wrong with the other. */
const logical =
  (decides: boolean) =>
  ([left, right]: Eval[]): Eval =>
  frame => {
    let failure: CelError | undefined
    for (const side of [left!, right!]) {
      try {
        if (truth(side(frame)) === decides) return decides
      } catch (error) {
        if (!(error instanceof CelError) || frame.budget.left < 0) throw error
        failure ??= error
      }
    }
    if (failure) throw failure
    return !decides
  }

const binary =
  (run: (a: Value, b: Value, frame: Frame) => Value) =>
  ([left, right]: Eval[]): Eval =>
  frame => {
    spend(frame.budget, 1)
    return run(left!(frame), right!(frame), frame)
  }

const arithmetic = (name: string) => {
  const run = lookUp(name, false)
  return binary((a, b, { budget }) => run([a, b], budget))
}

const OPERATORS: Record<string, (args: Eval[]) => Eval> = {
  '||': logical(true),
  '&&': logical(false),
  '?:':
    ([condition, yes, no]) =>
    frame =>
      truth(condition!(frame)) ? yes!(frame) : no!(frame),
  '!_':
    ([operand]) =>
    frame =>
      !truth(operand!(frame)),
  '-_':
    ([operand]) =>
    frame => {
      const value = operand!(frame)
      if (value === -(2n ** 63n)) throw new CelError('integer overflow')
      if (typeof value === 'number' || typeof value === 'bigint') return -value
      throw noOverload()
    },
  '==': binary(equal),
  '!=': binary((a, b) => !equal(a, b)),
  '<': binary((a, b) => compare(a, b) < 0),
  '<=': binary((a, b) => compare(a, b) <= 0),
  '>': binary((a, b) => compare(a, b) > 0),
  '>=': binary((a, b) => compare(a, b) >= 0),
  in: binary((item, of, { budget }) => {
    if (of instanceof Dict) return of.get(item) !== undefined
    if (!(of instanceof List)) throw noOverload()
    for (const each of of) {
      spend(budget, 1)
      if (equal(each, item)) return true
    }
    return false
  }),
  '+': arithmetic('_+_'),
  '-': arithmetic('_-_'),
  '*': arithmetic('_*_'),
  '/': arithmetic('_/_'),
  '%': arithmetic('_%_'),
}

/** One turn after another: what to do at each item, and what comes out in the end. */
type Comprehension = (turns: Iterable<{ value: Value; key: Value }>, bodies: (() => Value)[]) => Value

/** How many arguments a macro has with one bound name and with two, without and with a filter. */
interface Macro {
  one?: number
  oneFiltered?: number
  two?: number
  twoFiltered?: number
  run: Comprehension
}

/** All turns are taken until one decides; what went wrong counts only when none does. */
const until =
  (decides: boolean): Comprehension =>
  (turns, [body]) => {
    let failure: CelError | undefined
    for (const _ of turns) {
      try {
        if (truth(body!()) === decides) return decides
      } catch (error) {
        if (!(error instanceof CelError) || error.message.includes('cost limit')) throw error
        failure ??= error
      }
    }
    if (failure) throw failure
    return !decides
  }

const exactlyOne: Comprehension = (turns, [body]) => {
  let count = 0
  for (const _ of turns) if (truth(body!())) count++
  return count === 1
}

const mapped: Comprehension = (turns, bodies) => {
  const made = bodies.at(-1)!
  const values: Value[] = []
  for (const _ of turns) if (bodies.length === 1 || truth(bodies[0]!())) values.push(made())
  return new List(values)
}

const MACROS: Record<string, Macro> = {
  all: { one: 2, two: 3, run: until(false) },
  exists: { one: 2, two: 3, run: until(true) },
  exists_one: { one: 2, two: 3, run: exactlyOne },
  existsOne: { one: 2, two: 3, run: exactlyOne },
  map: { one: 2, oneFiltered: 3, run: mapped },
  filter: {
    one: 2,
    run(turns, [body]) {
      const values: Value[] = []
      for (const { value } of turns) if (truth(body!())) values.push(value)
      return new List(values)
    },
  },
  transformList: { two: 3, twoFiltered: 4, run: mapped },
  transformMap: {
    two: 3,
    twoFiltered: 4,
    run(turns, bodies) {
      const made = bodies.at(-1)!
      const entries: [Value, Value][] = []
      for (const { key } of turns) if (bodies.length === 1 || truth(bodies[0]!())) entries.push([key, made()])
      return Dict.of(entries)
    },
  },
  transformMapEntry: {
    two: 3,
    twoFiltered: 4,
    run(turns, bodies) {
      const made = bodies.at(-1)!
      const entries = new Map<Value, Value>()
      for (const _ of turns) {
        if (bodies.length > 1 && !truth(bodies[0]!())) continue
        const entry = dictOf(made())
        for (const key of entry.keys()) {
          if ([...entries.keys()].some(known => equal(known, key)))
            throw new CelError(`insert failed: key ${shown(key)} already exists`)
          entries.set(key, entry.get(key)!)
        }
      }
      return Dict.of(entries)
    },
  },
  sortBy: {
    one: 2,
    run(turns, [body]) {
      const keyed: { key: Value; value: Value }[] = []
      for (const { value } of turns) keyed.push({ value, key: body!() })
      return new List(keyed.sort((a, b) => compare(a.key, b.key)).map(({ value }) => value))
    },
  },
}

function comprehension(range: Eval, slots: number[], bodies: Eval[], run: Comprehension): Eval {
  return frame => {
    const over = range(frame)
    function* turns() {
      for (const turn of itemsOf(over)) {
        spend(frame.budget, 1)
        const { key, value } = turn
        if (slots.length === 2) {
          frame.slots[slots[0]!] = key
          frame.slots[slots[1]!] = value
        } else frame.slots[slots[0]!] = over instanceof Dict ? key : value
        yield over instanceof Dict && slots.length === 1 ? { key, value: key } : turn
      }
    }
    return run(
      turns(),
      bodies.map(body => () => body(frame)),
    )
  }
}

function* itemsOf(over: Value): Generator<{ key: Value; value: Value }> {
  if (over instanceof List) {
    let index = 0n
    for (const value of over) yield { key: index++, value }
  } else if (over instanceof Dict) for (const key of over.keys()) yield { key, value: over.get(key)! }
  else throw noOverload()
}
