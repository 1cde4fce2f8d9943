import { CompileError } from '../errors.ts'
import { located } from '../lexer.ts'
import { parse } from '../parser.ts'
import { childrenOf, type Expr, expand, type Loop } from './expand.ts'
import { literalProblem } from './literals.ts'
import { isDeclared, type Overload, overloadsOf } from './overloads.ts'
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  ERROR,
  INT,
  isDyn,
  NULL,
  STRING,
  TIMESTAMP,
  type Type,
  typeName,
  typeOf,
  UINT,
} from './types.ts'
import { instance, isSame, mostGeneral, Unifier } from './unify.ts'

/** An expression that was found good, with what is known of each part of it. */
export interface Checked {
  root: Expr
  type: Type
  types: Map<Expr, Type>
  /** The ways in which each call may be meant: more than one where only evaluation tells. */
  overloads: Map<Expr, Overload[]>
  /** The variables that it has to do with. */
  names: Set<string>
}

/**
 * The type that an expression evaluates to. Throws a CompileError where it names a field that is not there, or does with a
 * value what its type does not allow.
 * Source: github.com/google/cel-go/checker
 */
export const check = (expression: string, variables: Record<string, Type>, made?: Made): Type =>
  checked(expression, variables, made).type

/** The objects that an expression can make, by their names: `Object{}`. */
export type Made = (name: string) => Type | undefined

/** As `check`, with all that was found out on the way. */
export function checked(expression: string, variables: Record<string, Type>, made: Made = () => undefined): Checked {
  const scope = new Map([...TYPES, ...Object.entries(variables)])
  const dotted = new Set([...scope.keys()].filter(name => name.includes('.')))
  return new Checker(expression, scope, made).run(expand(expression, parse(expression), dotted))
}

/** Types can be named, to compare with what `type()` gives. */
const TYPES: [string, Type][] = [
  ...'int uint double bool string bytes list map null_type type optional_type'
    .split(' ')
    .map((name): [string, Type] => [name, { is: 'type', of: NAMED_TYPE(name) }]),
  ['google.protobuf.Timestamp', { is: 'type', of: TIMESTAMP }],
  ['google.protobuf.Duration', { is: 'type', of: DURATION }],
  ...'net.IP net.CIDR kubernetes.URL kubernetes.Quantity kubernetes.Semver kubernetes.NamedFormat'
    .split(' ')
    .map((name): [string, Type] => [name, { is: 'type', of: typeOf(name) }]),
]

function NAMED_TYPE(name: string): Type {
  if (name === 'list') return typeOf('list(dyn)')
  if (name === 'map') return typeOf('map(dyn, dyn)')
  if (name === 'null_type') return NULL
  return name === 'optional_type' ? typeOf('optional_type(dyn)') : typeOf(name)
}

class Checker {
  readonly #text: string
  readonly #scope: Map<string, Type>
  readonly #made: Made
  readonly #unifier = new Unifier()
  readonly #types = new Map<Expr, Type>()
  readonly #overloads = new Map<Expr, Overload[]>()
  readonly #names = new Set<string>()
  readonly #complaints: { at: number; text: string }[] = []

  constructor(text: string, scope: Map<string, Type>, made: Made) {
    this.#text = text
    this.#scope = scope
    this.#made = made
  }

  run(root: Expr): Checked {
    this.#check(root)
    if (!this.#complaints.length) {
      for (const [expr, type] of this.#types) this.#types.set(expr, this.#unifier.resolve(type, DYN))
      for (const expr of this.#types.keys()) {
        const problem = literalProblem(expr, part => this.#types.get(part) ?? DYN)
        if (problem) this.#complain(problem.at, problem.text)
      }
      this.#checkUniform(root)
    }
    if (this.#complaints.length) throw this.#error()
    return {
      root,
      type: this.#types.get(root)!,
      types: this.#types,
      overloads: this.#overloads,
      names: this.#names,
    }
  }

  #error(): CompileError {
    const inOrder = this.#complaints.toSorted((one, other) => one.at - other.at)
    return new CompileError(inOrder.map(({ at, text }) => located(this.#text, at, text).message).join('\n'))
  }

  #complain(at: number, text: string): Type {
    this.#complaints.push({ at, text })
    return ERROR
  }

  #check(expr: Expr): Type {
    const type = this.#typeOf(expr)
    this.#types.set(expr, type)
    return type
  }

  #typeOf(expr: Expr): Type {
    switch (expr.is) {
      case 'literal':
        return literalType(expr)
      case 'name':
        return this.#name(expr)
      case 'select': {
        const type = this.#field(expr, expr.of, expr.field, false)
        return expr.test ? BOOL : this.#unifier.resolve(type)
      }
      case 'call':
        return this.#call(expr)
      case 'list':
        return { is: 'list', of: this.#joined(expr.items) ?? this.#unifier.fresh() }
      case 'map': {
        const key = this.#joined(expr.entries.map(entry => ({ value: entry.key, optional: false })))
        const of = this.#joined(expr.entries)
        return { is: 'map', key: key ?? this.#unifier.fresh(), of: of ?? this.#unifier.fresh() }
      }
      case 'message':
        return this.#message(expr)
      case 'loop':
        return this.#loop(expr)
    }
  }

  #message({ type: name, fields, at }: Expr & { is: 'message' }): Type {
    const type = this.#made(name)
    for (const { name: field, value, at: colon } of fields) {
      const given = this.#check(value)
      if (type?.is !== 'object') continue
      const wanted = type.fields.get(field)
      if (!wanted || !this.#unifier.assign([wanted], [given]))
        this.#complain(
          colon,
          `expected type of field '${field}' is '${wanted ? typeName(wanted) : ''}' but provided type is '${typeName(given)}'`,
        )
    }
    return type ?? this.#complain(at, `undeclared reference to '${name}' (in container '')`)
  }

  #name({ name, at }: Expr & { is: 'name' }): Type {
    const type = this.#scope.get(name)
    if (!type) return this.#complain(at, `undeclared reference to '${name}' (in container '')`)
    this.#names.add(name)
    return type
  }

  #field({ at }: Expr, of: Expr, field: string, optional: boolean): Type {
    const whole = this.#unifier.resolve(this.#check(of))
    const inner = whole.is === 'optional' ? whole.of : whole
    const found = this.#fieldOf(inner, field, at)
    return optional || whole.is === 'optional' ? { is: 'optional', of: found } : found
  }

  #fieldOf(type: Type, field: string, at: number): Type {
    if (type.is === 'map') return type.of
    if (type.is === 'object')
      // A word of the language needs no marks after a dot.
      return (
        type.fields.get(field) ?? type.fields.get(`__${field}__`) ?? this.#complain(at, `undefined field '${field}'`)
      )
    if (type.is === 'param') this.#unifier.assign([DYN], [type])
    else if (!isDyn(type)) this.#complain(at, `type '${typeName(type)}' does not support field selection`)
    return DYN
  }

  #call(expr: Expr & { is: 'call' }): Type {
    const { name, target, args, at } = expr
    if (name === '_?._') {
      const [of, field] = args as [Expr, Expr & { is: 'literal' }]
      const type = this.#field(expr, of, String(field.value), true)
      this.#types.set(field, STRING)
      this.#overloads.set(expr, overloadsOf(name, false))
      return this.#unifier.resolve(type)
    }
    const types = args.map(arg => this.#check(arg))
    if (target) types.unshift(this.#check(target))
    if (!isDeclared(name)) return this.#complain(at, `undeclared reference to '${name}' (in container '')`)
    if (name === '_&&_' || name === '_||_') return this.#logic(expr, types)
    return this.#resolve(expr, types)
  }

  #logic(expr: Expr & { is: 'call' }, types: Type[]): Type {
    let wrong = false
    for (const [index, type] of types.entries()) {
      if (this.#unifier.assign([type], [BOOL])) continue
      this.#mismatch(expr.args[index]!, BOOL, type)
      wrong = true
    }
    this.#overloads.set(expr, overloadsOf(expr.name, false))
    return wrong ? ERROR : BOOL
  }

  /** All ways in which a call may be meant, given the types of what it is about. */
  #resolve(expr: Expr & { is: 'call' }, types: Type[]): Type {
    const { name, target, at } = expr
    const fitting: Overload[] = []
    let result: Type | undefined
    for (const overload of overloadsOf(name, target !== undefined)) {
      const [wanted, ...params] = instance([overload.result, ...overload.params], this.#unifier.fresh)
      if (!this.#unifier.assign(types, params)) continue
      fitting.push(overload)
      const made = this.#unifier.resolve(wanted!)
      if (!result) result = made
      else if (!isDyn(result) && !isSame(result, made)) result = DYN
    }
    if (result) {
      this.#overloads.set(expr, fitting)
      return result
    }
    const shown = types.map(type => typeName(this.#unifier.resolve(type, DYN)))
    const applied = target ? `${shown[0]}.(${shown.slice(1).join(', ')})` : `(${shown.join(', ')})`
    return this.#complain(at, `found no matching overload for '${name}' applied to '${applied}'`)
  }

  /** What a list or a map is written of has to be of one type, but for what is only to be shown. */
  #checkUniform(expr: Expr): void {
    if (expr.is === 'call' && expr.name === 'format') return
    if (expr.is === 'list') this.#checkSame(expr.items.map(({ value, optional }) => [value, optional]))
    if (expr.is === 'map') {
      this.#checkSame(expr.entries.map(({ key }) => [key, false]))
      this.#checkSame(expr.entries.map(({ value, optional }) => [value, optional]))
    }
    for (const child of childrenOf(expr)) this.#checkUniform(child)
  }

  #checkSame(values: [Expr, optional: boolean][]): void {
    const typeOf = ([value, optional]: [Expr, boolean]): Type => {
      const type = this.#types.get(value)!
      return optional && type.is === 'optional' ? type.of : type
    }
    const [first] = values
    const other = values.find(each => !isSame(typeOf(each), typeOf(first!)))
    if (other) this.#mismatch(other[0], typeOf(first!), typeOf(other))
  }

  #mismatch({ at }: Expr, wanted: Type, found: Type): Type {
    return this.#complain(at, `expected type '${typeName(wanted)}' but found '${typeName(found)}'`)
  }

  /** The type that all values have; undefined without any. */
  #joined(items: { value: Expr; optional: boolean }[]): Type | undefined {
    let joined: Type | undefined
    for (const { value, optional } of items) {
      let type = this.#check(value)
      if (optional) {
        if (type.is === 'optional') type = type.of
        else if (!isDyn(type)) this.#mismatch(value, { is: 'optional', of: type }, type)
      }
      if (!joined) joined = type
      else if (this.#unifier.assign([joined], [type])) joined = mostGeneral(joined, type)
      else joined = DYN
    }
    return joined
  }

  #loop(expr: Expr & Loop): Type {
    const { range, names, accu, init, condition, step, result } = expr
    this.#check(range)
    const accuType = this.#check(init)
    const over = this.#unifier.resolve(this.#types.get(range)!)
    const named = this.#namedBy(over, names, range)
    return this.#within([[accu, accuType]], () => {
      this.#within(named, () => {
        this.#expect(condition, BOOL)
        this.#expect(step, accuType)
      })
      return this.#unifier.resolve(this.#check(result))
    })
  }

  #namedBy(over: Type, names: string[], range: Expr): [string, Type][] {
    const two = names.length === 2
    if (over.is === 'list')
      return two
        ? [
            [names[0]!, INT],
            [names[1]!, over.of],
          ]
        : [[names[0]!, over.of]]
    if (over.is === 'map')
      return two
        ? [
            [names[0]!, over.key],
            [names[1]!, over.of],
          ]
        : [[names[0]!, over.key]]
    if (over.is === 'param') this.#unifier.assign([DYN], [over])
    else if (!isDyn(over))
      this.#complain(
        range.at,
        `expression of type '${typeName(over)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
      )
    return names.map(name => [name, isDyn(over) || over.is === 'param' ? DYN : ERROR])
  }

  #expect(expr: Expr, wanted: Type): void {
    const type = this.#check(expr)
    if (!this.#unifier.assign([wanted], [type])) this.#mismatch(expr, wanted, type)
  }

  #within<T>(names: [string, Type][], run: () => T): T {
    const before = names.map(([name]) => [name, this.#scope.get(name)] as const)
    for (const [name, type] of names) this.#scope.set(name, type)
    const result = run()
    for (const [name, type] of before) {
      if (type) this.#scope.set(name, type)
      else this.#scope.delete(name)
    }
    return result
  }
}

function literalType({ value, unsigned }: Expr & { is: 'literal' }): Type {
  if (value === null) return NULL
  if (typeof value === 'bigint') return unsigned ? UINT : INT
  if (typeof value === 'number') return DOUBLE
  if (typeof value === 'boolean') return BOOL
  return typeof value === 'string' ? STRING : BYTES
}
