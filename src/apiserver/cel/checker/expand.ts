import { located } from '../lexer.ts'
import type { Node } from '../parser.ts'
import { isDeclared } from './overloads.ts'

/**
 * An expression with its macros written out: what is checked and estimated are plain calls and one kind of loop. `accu` is
 * what a loop carries from turn to turn.
 */
export type Expr = { at: number } & (
  | { is: 'literal'; value: bigint | number | string | boolean | null | Uint8Array; unsigned?: boolean }
  | { is: 'name'; name: string }
  | { is: 'select'; of: Expr; field: string; test: boolean }
  | { is: 'call'; name: string; target?: Expr; args: Expr[] }
  | { is: 'list'; items: { value: Expr; optional: boolean }[] }
  | { is: 'map'; entries: { key: Expr; value: Expr; optional: boolean }[] }
  | { is: 'message'; type: string; fields: { name: string; value: Expr; optional: boolean; at: number }[] }
  | Loop
)

export interface Loop {
  is: 'loop'
  range: Expr
  names: string[]
  accu: string
  init: Expr
  condition: Expr
  step: Expr
  result: Expr
}

/** What a loop carries unless a name was given to it. */
export const RESULT = '@result'

/** Operators as complaints name them. */
const OPERATORS: Record<string, string> = { '!_': '!_', '-_': '-_', '?:': '_?_:_', in: '@in' }

const operatorName = (name: string) => OPERATORS[name] ?? (/^\W+$/.test(name) ? `_${name}_` : name)

/** `names`: those with dots, which are not taken apart. Throws a CompileError for a macro that is not used as it is meant to. */
export function expand(text: string, node: Node, names: ReadonlySet<string>): Expr {
  return new Expander(text, names).expand(node)
}

class Expander {
  readonly #text: string
  readonly #names: ReadonlySet<string>

  constructor(text: string, names: ReadonlySet<string>) {
    this.#text = text
    this.#names = names
  }

  expand(node: Node): Expr {
    const { at } = node
    switch (node.is) {
      case 'literal':
      case 'name':
        return { ...node }
      case 'select':
        return this.#select(node)
      case 'index':
        return call(at, node.optional ? '_[?_]' : '_[_]', [this.expand(node.of), this.expand(node.key)])
      case 'list':
        return { at, is: 'list', items: node.items.map(item => ({ ...item, value: this.expand(item.value) })) }
      case 'map':
        return {
          at,
          is: 'map',
          entries: node.entries.map(entry => ({
            ...entry,
            key: this.expand(entry.key),
            value: this.expand(entry.value),
          })),
        }
      case 'message':
        return { ...node, fields: node.fields.map(field => ({ ...field, value: this.expand(field.value) })) }
      case 'call':
        return this.#macro(node) ?? this.#call(node)
    }
  }

  #select(node: Node & { is: 'select' }): Expr {
    const { at, field, optional } = node
    const path = chain(node)
    if (path && this.#names.has(path)) return { at, is: 'name', name: path }
    const of = this.expand(node.of)
    return optional
      ? call(at, '_?._', [of, { at, is: 'literal', value: field }])
      : { at, is: 'select', of, field, test: false }
  }

  #call({ at, name, target, args: given }: Node & { is: 'call' }): Expr {
    const args = given.map(arg => this.expand(arg))
    if (!target) return call(at, operatorName(name), args)
    const path = chain(target)
    if (path && isDeclared(`${path}.${name}`)) return call(at, `${path}.${name}`, args)
    return { at, is: 'call', name, target: this.expand(target), args }
  }

  #macro(node: Node & { is: 'call' }): Expr | undefined {
    const { at, name, target, args } = node
    if (name === 'has' && !target && args.length === 1) return this.#has(at, args[0]!)
    if (!target) return undefined
    const [first, second] = args
    if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) {
      if (first!.is !== 'name') throw this.#wrong(first!, `${name}() variable name must be a simple identifier`)
      return this.#optional(at, target, first!.name, second!, name === 'optFlatMap')
    }
    if (name === 'sortBy' && args.length === 2) return this.#sortBy(at, target, args)
    const macro = MACROS[`${name}/${args.length}`]
    if (!macro) return undefined
    const names = args.slice(0, macro.names).map(arg => {
      if (arg.is === 'name') return arg.name
      throw this.#wrong(arg, macro.fault ?? 'argument must be a simple name')
    })
    if (names.length === 2 && names[0] === names[1]) throw this.#wrong(second!, `duplicate variable name: ${names[1]}`)
    const range = this.expand(target)
    return macro.make(
      at,
      range,
      names,
      args.slice(macro.names).map(arg => this.expand(arg)),
    )
  }

  #has(at: number, arg: Node): Expr {
    if (arg.is !== 'select' || arg.optional) throw this.#wrong(arg, 'invalid argument to has() macro')
    return { at, is: 'select', of: this.expand(arg.of), field: arg.field, test: true }
  }

  #optional(at: number, target: Node, name: string, body: Node, flat: boolean): Expr {
    const value = bind(at, name, method(at, this.expand(target), 'value', []), this.expand(body))
    return call(at, '_?_:_', [
      method(at, this.expand(target), 'hasValue', []),
      flat ? value : call(at, 'optional.of', [value]),
      call(at, 'optional.none', []),
    ])
  }

  #sortBy(at: number, target: Node, [key, body]: Node[]): Expr {
    if (key!.is !== 'name') throw this.#wrong(key!, 'argument is not an identifier')
    const input = '@__sortBy_input__'
    const name: Expr = { at, is: 'name', name: input }
    const keys = mapped(at, { ...name }, [key!.name], [this.expand(body!)])
    return bind(at, input, this.expand(target), method(at, name, '@sortByAssociatedKeys', [keys]))
  }

  #wrong(node: Node, complaint: string) {
    return located(this.#text, node.at, complaint)
  }
}

const call = (at: number, name: string, args: Expr[]): Expr => ({ at, is: 'call', name, args })
const method = (at: number, target: Expr, name: string, args: Expr[]): Expr => ({ at, is: 'call', name, target, args })
const literal = (at: number, value: bigint | boolean): Expr => ({ at, is: 'literal', value })
const accu = (at: number): Expr => ({ at, is: 'name', name: RESULT })

/** A loop without a turn, for the sake of the name that it gives to a value. */
const bind = (at: number, name: string, init: Expr, result: Expr): Expr => ({
  at,
  is: 'loop',
  range: { at, is: 'list', items: [] },
  names: ['#unused'],
  accu: name,
  init,
  condition: literal(at, false),
  step: { at, is: 'name', name },
  result,
})

type Make = (at: number, range: Expr, names: string[], bodies: Expr[]) => Expr

const loop = (at: number, range: Expr, names: string[], more: Pick<Loop, 'init' | 'condition' | 'step' | 'result'>) =>
  ({ at, is: 'loop', range, names, accu: RESULT, ...more }) as const

const all: Make = (at, range, names, [body]) =>
  loop(at, range, names, {
    init: literal(at, true),
    condition: call(at, '@not_strictly_false', [accu(at)]),
    step: call(at, '_&&_', [accu(at), body!]),
    result: accu(at),
  })

const exists: Make = (at, range, names, [body]) =>
  loop(at, range, names, {
    init: literal(at, false),
    condition: call(at, '@not_strictly_false', [call(at, '!_', [accu(at)])]),
    step: call(at, '_||_', [accu(at), body!]),
    result: accu(at),
  })

const existsOne: Make = (at, range, names, [body]) =>
  loop(at, range, names, {
    init: literal(at, 0n),
    condition: literal(at, true),
    step: call(at, '_?_:_', [body!, call(at, '_+_', [accu(at), literal(at, 1n)]), accu(at)]),
    result: call(at, '_==_', [accu(at), literal(at, 1n)]),
  })

/** Puts together a list or a map, of all or of those that a filter lets through. */
const collected =
  (init: (at: number) => Expr, add: (at: number, names: string[], made: Expr) => Expr): Make =>
  (at, range, names, bodies) => {
    const [filter] = bodies.length > 1 ? bodies : []
    const step = add(at, names, bodies.at(-1)!)
    return loop(at, range, names, {
      init: init(at),
      condition: literal(at, true),
      step: filter ? call(at, '_?_:_', [filter, step, accu(at)]) : step,
      result: accu(at),
    })
  }

const emptyList = (at: number): Expr => ({ at, is: 'list', items: [] })
const emptyMap = (at: number): Expr => ({ at, is: 'map', entries: [] })
const added = (at: number, value: Expr) =>
  call(at, '_+_', [accu(at), { at, is: 'list', items: [{ value, optional: false }] }])

const mapped = collected(emptyList, (at, _, made) => added(at, made))
const keyed = collected(emptyMap, (at, [key], made) =>
  call(at, 'cel.@mapInsert', [accu(at), { at, is: 'name', name: key! }, made]),
)
const merged = collected(emptyMap, (at, _, made) => call(at, 'cel.@mapInsert', [accu(at), made]))

const filtered: Make = (at, range, [name], [body]) =>
  mapped(at, range, [name!], [body!, { at, is: 'name', name: name! }])

interface Macro {
  names: number
  make: Make
  fault?: string
}

const NOT_A_NAME = 'argument is not an identifier'

/** By their names and numbers of arguments. Source: github.com/google/cel-go/parser/macro.go and ext/comprehensions.go */
const MACROS: Record<string, Macro> = {
  'all/2': { names: 1, make: all },
  'exists/2': { names: 1, make: exists },
  'exists_one/2': { names: 1, make: existsOne },
  'map/2': { names: 1, make: mapped, fault: NOT_A_NAME },
  'map/3': { names: 1, make: mapped, fault: NOT_A_NAME },
  'filter/2': { names: 1, make: filtered, fault: NOT_A_NAME },
  'all/3': { names: 2, make: all },
  'exists/3': { names: 2, make: exists },
  'existsOne/3': { names: 2, make: existsOne },
  'exists_one/3': { names: 2, make: existsOne },
  'transformList/3': { names: 2, make: mapped },
  'transformList/4': { names: 2, make: mapped },
  'transformMap/3': { names: 2, make: keyed },
  'transformMap/4': { names: 2, make: keyed },
  'transformMapEntry/3': { names: 2, make: merged },
  'transformMapEntry/4': { names: 2, make: merged },
}

/** `a.b.c` of a chain of names. */
function chain(node: Node): string | undefined {
  if (node.is === 'name') return node.name
  if (node.is !== 'select' || node.optional) return undefined
  const of = chain(node.of)
  return of && `${of}.${node.field}`
}

/** The parts right below an expression. */
export function childrenOf(expr: Expr): Expr[] {
  switch (expr.is) {
    case 'select':
      return [expr.of]
    case 'call':
      return [...(expr.target ? [expr.target] : []), ...expr.args]
    case 'list':
      return expr.items.map(({ value }) => value)
    case 'map':
      return expr.entries.flatMap(({ key, value }) => [key, value])
    case 'message':
      return expr.fields.map(({ value }) => value)
    case 'loop':
      return [expr.range, expr.init, expr.condition, expr.step, expr.result]
    default:
      return []
  }
}
