import { located } from '../../cel/lexer.ts'
import { type Node, parse } from '../../cel/parser.ts'
import { resultOf, SHOWN } from './signatures.ts'
import { BOOL, BYTES, DOUBLE, DYN, INT, isDyn, NULL, STRING, type Type, typeName, UINT } from './types.ts'

/**
 * The type that an expression evaluates to. Throws a CompileError where it names a field that is not there, or does with a
 * value what its type does not allow.
 * Source: github.com/google/cel-go/checker
 */
export function check(expression: string, variables: Record<string, Type>): Type {
  return new Checker(expression, new Map(Object.entries(variables))).check(parse(expression))
}

/** Whether an expression has anything to do with a variable. */
export function mentions(expression: string, variable: string): boolean {
  const found = (node: Node): boolean => (node.is === 'name' && node.name === variable) || childrenOf(node).some(found)
  return found(parse(expression))
}

/** The nodes right below a node. */
function childrenOf(node: Node): Node[] {
  switch (node.is) {
    case 'select':
      return [node.of]
    case 'index':
      return [node.of, node.key]
    case 'call':
      return [...(node.target ? [node.target] : []), ...node.args]
    case 'list':
      return node.items.map(({ value }) => value)
    case 'map':
      return node.entries.flatMap(({ key, value }) => [key, value])
    case 'message':
      return node.fields.map(({ value }) => value)
    default:
      return []
  }
}

class Checker {
  readonly #text: string
  readonly #scope: Map<string, Type>

  constructor(text: string, scope: Map<string, Type>) {
    this.#text = text
    this.#scope = scope
  }

  check(node: Node): Type {
    switch (node.is) {
      case 'literal':
        return literalType(node)
      case 'name':
        return this.#scope.get(node.name) ?? DYN
      case 'select':
        return this.#select(node)
      case 'index':
        return this.#index(node)
      case 'list':
        return { is: 'list', of: this.#common(node.items.map(({ value }) => value)) }
      case 'map':
        return {
          is: 'map',
          key: this.#common(node.entries.map(({ key }) => key)),
          of: this.#common(node.entries.map(({ value }) => value)),
        }
      case 'message':
        return DYN
      case 'call':
        return this.#call(node)
    }
  }

  /** The type that all have, or none that can be told. */
  #common(nodes: Node[]): Type {
    const types = nodes.map(node => this.check(node))
    const [first = DYN] = types
    return types.every(type => typeName(type) === typeName(first)) ? first : DYN
  }

  #select({ of, field, optional, at }: Node & { is: 'select' }): Type {
    const whole = this.check(of)
    const inner = whole.is === 'optional' ? whole.of : whole
    const found = this.#field(inner, field, at)
    return optional || whole.is === 'optional' ? { is: 'optional', of: found } : found
  }

  #field(type: Type, field: string, at: number): Type {
    if (isDyn(type)) return DYN
    if (type.is === 'map') return type.of
    if (type.is !== 'object') throw located(this.#text, at, `type '${typeName(type)}' does not support field selection`)
    const found = type.fields.get(field)
    if (!found) throw located(this.#text, at, `undefined field '${field}'`)
    return found
  }

  #index({ of, key, optional, at }: Node & { is: 'index' }): Type {
    const whole = this.check(of)
    const inner = whole.is === 'optional' ? whole.of : whole
    const keyType = this.check(key)
    const found = inner.is === 'list' || inner.is === 'map' ? inner.of : isDyn(inner) ? DYN : undefined
    const fits = inner.is !== 'list' || isDyn(keyType) || isNumber(keyType)
    if (!found || !fits) throw this.#noOverload('_[_]', [inner, keyType], at)
    return optional || whole.is === 'optional' ? { is: 'optional', of: found } : found
  }

  #call(node: Node & { is: 'call' }): Type {
    const { name, target, args, at } = node
    const macro = this.#macro(node)
    if (macro) return macro
    const operator = target ? undefined : OPERATORS[name]
    if (operator) {
      const types = args.map(arg => this.check(arg))
      const result = operator(types)
      if (!result) throw this.#noOverload(SHOWN[name] ?? name, types, at)
      return result
    }
    const library = target?.is === 'name' && !this.#scope.has(target.name) ? `${target.name}.${name}` : undefined
    const receiver = target && !library ? this.check(target) : undefined
    const types = args.map(arg => this.check(arg))
    const result = resultOf(library ?? name, receiver, types)
    if (!result) throw this.#noOverload(library ?? name, types, at, receiver)
    return result
  }

  #noOverload(name: string, types: Type[], at: number, receiver?: Type) {
    const applied = `${receiver ? `${typeName(receiver)}.` : ''}(${types.map(typeName).join(', ')})`
    return located(this.#text, at, `found no matching overload for '${name}' applied to '${applied}'`)
  }

  #macro({ name, target, args }: Node & { is: 'call' }): Type | undefined {
    if (name === 'has' && !target && args.length === 1) {
      this.check(args[0]!)
      return BOOL
    }
    if (!target || args[0]?.is !== 'name') return undefined
    const [first, second, third] = args
    if (name === 'bind' && target.is === 'name' && target.name === 'cel' && args.length === 3)
      return this.#within([[first!, this.check(second!)]], () => this.check(third!))
    if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) {
      const of = this.check(target)
      const inner = of.is === 'optional' ? of.of : DYN
      const made = this.#within([[first!, inner]], () => this.check(second!))
      return name === 'optMap' ? { is: 'optional', of: made } : made
    }
    const resultOfMacro = MACROS[name]
    if (!resultOfMacro || args.length < 2) return undefined
    const range = this.check(target)
    const two = args.length > 2 && second?.is === 'name' && name !== 'map'
    const names: [Node, Type][] = two
      ? [
          [first!, range.is === 'map' ? range.key : INT],
          [second, range.is === 'map' || range.is === 'list' ? range.of : DYN],
        ]
      : [[first!, range.is === 'list' ? range.of : range.is === 'map' ? range.key : DYN]]
    return this.#within(names, () => {
      const bodies = args.slice(names.length).map(arg => this.check(arg))
      return resultOfMacro(range, bodies.at(-1) ?? DYN)
    })
  }

  #within(names: [Node, Type][], run: () => Type): Type {
    const before = new Map(this.#scope)
    for (const [node, type] of names) if (node.is === 'name') this.#scope.set(node.name, type)
    const result = run()
    this.#scope.clear()
    for (const [name, type] of before) this.#scope.set(name, type)
    return result
  }
}

function literalType({ value, unsigned }: Node & { is: 'literal' }): Type {
  if (value === null) return NULL
  if (typeof value === 'bigint') return unsigned ? UINT : INT
  if (typeof value === 'number') return DOUBLE
  if (typeof value === 'boolean') return BOOL
  return typeof value === 'string' ? STRING : BYTES
}

const MACROS: Record<string, (range: Type, body: Type) => Type> = {
  all: () => BOOL,
  exists: () => BOOL,
  exists_one: () => BOOL,
  existsOne: () => BOOL,
  filter: range => range,
  map: (_, body) => ({ is: 'list', of: body }),
  transformList: (_, body) => ({ is: 'list', of: body }),
  transformMap: (range, body) => ({ is: 'map', key: range.is === 'map' ? range.key : INT, of: body }),
  transformMapEntry: () => DYN,
  sortBy: range => range,
}

const NUMBERS = new Set(['int', 'uint', 'double'])
const isNumber = (type: Type) => type.is === 'scalar' && NUMBERS.has(type.name)
const isNull = (type: Type) => type.is === 'scalar' && type.name === 'null'
const isBool = (type: Type) => isDyn(type) || typeName(type) === 'bool'

/** Whether values of two types can be compared at all. */
function comparable(a: Type, b: Type): boolean {
  if (isDyn(a) || isDyn(b) || isNull(a) || isNull(b)) return true
  if (isNumber(a) && isNumber(b)) return true
  if (a.is !== b.is) return a.is !== 'scalar' && b.is !== 'scalar' && a.is !== 'list' && b.is !== 'list'
  if (a.is === 'scalar' && b.is === 'scalar') return a.name === b.name
  if (a.is === 'list' && b.is === 'list') return comparable(a.of, b.of)
  if (a.is === 'map' && b.is === 'map') return comparable(a.of, b.of)
  return true
}

const ORDERED = new Set(['int', 'uint', 'double', 'string', 'bytes', 'bool', 'timestamp', 'duration'])
const hasOrder = (type: Type) => isDyn(type) || (type.is === 'scalar' && ORDERED.has(type.name))

type Operator = (types: Type[]) => Type | undefined

const equality: Operator = ([a, b]) => (comparable(a!, b!) ? BOOL : undefined)
const order: Operator = ([a, b]) => (comparable(a!, b!) && hasOrder(a!) && hasOrder(b!) ? BOOL : undefined)
const logic: Operator = types => (types.every(isBool) ? BOOL : undefined)

/** Of two numbers of one type, or of what else `further` says by the names of the types. */
const arithmetic =
  (further: Record<string, string> = {}, lists = false): Operator =>
  ([a, b]) => {
    if (isDyn(a!) || isDyn(b!)) return DYN
    const [left, right] = [typeName(a!), typeName(b!)]
    if (NUMBERS.has(left) && left === right) return a
    const result = further[`${left} ${right}`]
    if (result) return { is: 'scalar', name: result }
    return lists && a!.is === 'list' && b!.is === 'list' ? (left === right ? a : { is: 'list', of: DYN }) : undefined
  }

const OPERATORS: Record<string, Operator> = {
  '==': equality,
  '!=': equality,
  '<': order,
  '<=': order,
  '>': order,
  '>=': order,
  '&&': logic,
  '||': logic,
  '!_': logic,
  '-_': ([type]) => (isDyn(type!) || isNumber(type!) || typeName(type!) === 'duration' ? type : undefined),
  '?:': ([condition, yes, no]) =>
    isBool(condition!) && comparable(yes!, no!) ? (typeName(yes!) === typeName(no!) ? yes : DYN) : undefined,
  in: ([item, of]) =>
    isDyn(of!) || (of!.is === 'list' && comparable(item!, of!.of)) || (of!.is === 'map' && comparable(item!, of!.key))
      ? BOOL
      : undefined,
  '+': arithmetic(
    {
      'string string': 'string',
      'bytes bytes': 'bytes',
      'timestamp duration': 'timestamp',
      'duration timestamp': 'timestamp',
      'duration duration': 'duration',
    },
    true,
  ),
  '-': arithmetic({
    'timestamp timestamp': 'duration',
    'timestamp duration': 'timestamp',
    'duration duration': 'duration',
  }),
  '*': arithmetic(),
  '/': arithmetic(),
  '%': ([a, b]) => ([a!, b!].some(type => typeName(type) === 'double') ? undefined : arithmetic()([a!, b!])),
}
