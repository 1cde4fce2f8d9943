import { CompileError } from './errors.ts'
import { located, syntaxError, type Token, tokens } from './lexer.ts'

/** An expression as it is written; `at` is where it begins. */
export type Node = { at: number } & (
  | { is: 'literal'; value: bigint | number | string | boolean | null | Uint8Array; unsigned?: boolean }
  | { is: 'name'; name: string }
  | { is: 'select'; of: Node; field: string; optional: boolean }
  | { is: 'index'; of: Node; key: Node; optional: boolean }
  | { is: 'call'; name: string; target?: Node; args: Node[] }
  | { is: 'list'; items: { value: Node; optional: boolean }[] }
  | { is: 'map'; entries: { key: Node; value: Node; optional: boolean }[] }
  | { is: 'message'; type: string; fields: { name: string; value: Node; optional: boolean; at: number }[] }
)

/** How deeply an expression may be nested. Source: github.com/google/cel-go/parser maxRecursionDepth */
const MAX_DEPTH = 250

/** Binary operators, the loosest first. */
const LEVELS = [['||'], ['&&'], ['<', '<=', '>=', '>', '==', '!=', 'in'], ['+', '-'], ['*', '/', '%']]

/** Words that are no names. */
const RESERVED = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(' '),
)

/** Throws a CompileError. Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax */
export function parse(text: string): Node {
  return new Parser(text).parse()
}

class Parser {
  readonly #text: string
  readonly #tokens: Token[]
  /** What could not be read at all. */
  readonly #unreadable: CompileError[] = []
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = tokens(text, this.#unreadable)
  }

  parse(): Node {
    const problems = this.#unreadable
    try {
      const node = this.#expression()
      if (this.#peek().kind !== 'end') problems.push(this.#unexpected('<EOF>', ({ kind }) => kind === 'end'))
      if (!problems.length) return node
    } catch (error) {
      if (!(error instanceof CompileError) || !problems.length) throw error
      problems.push(error)
    }
    throw new CompileError(problems.map(({ message }) => message).join('\n'))
  }

  #expression(): Node {
    if (++this.#depth > MAX_DEPTH)
      throw syntaxError(this.#text, this.#peek().at, `expression recursion limit exceeded: ${MAX_DEPTH}`)
    const condition = this.#binary(0)
    const { at } = this.#peek()
    if (this.#take('?')) {
      const yes = this.#binary(0)
      this.#expect(':')
      const no = this.#expression()
      this.#depth--
      return { is: 'call', name: '?:', args: [condition, yes, no], at }
    }
    this.#depth--
    return condition
  }

  #binary(level: number): Node {
    const operators = LEVELS[level]
    if (!operators) return this.#unary()
    let left = this.#binary(level + 1)
    for (;;) {
      const { text, kind, at } = this.#peek()
      if (kind === 'string' || kind === 'bytes' || !operators.includes(text)) return left
      this.#at++
      const right = this.#binary(level + 1)
      left = { is: 'call', name: text, args: [left, right], at }
    }
  }

  #unary(): Node {
    const { text, kind, at } = this.#peek()
    if (kind !== 'symbol' || (text !== '!' && text !== '-')) return this.#member()
    this.#at++
    const next = this.#peek()
    if (text === '-' && (next.kind === 'int' || next.kind === 'double')) {
      next.text = `-${next.text}`
      return this.#member()
    }
    if (++this.#depth > MAX_DEPTH)
      throw syntaxError(this.#text, at, `expression recursion limit exceeded: ${MAX_DEPTH}`)
    const operand = this.#unary()
    this.#depth--
    return { is: 'call', name: text === '!' ? '!_' : '-_', args: [operand], at }
  }

  #member(): Node {
    let node = this.#primary()
    for (;;) {
      const { at } = this.#peek()
      if (this.#take('.?')) node = { is: 'select', of: node, field: this.#name(), optional: true, at }
      else if (this.#take('.')) {
        const field = this.#name()
        const { at: opening } = this.#peek()
        node = this.#take('(')
          ? { is: 'call', name: field, target: node, args: this.#arguments(), at: opening }
          : { is: 'select', of: node, field, optional: false, at }
      } else if (this.#take('[?')) node = this.#index(node, true, at)
      else if (this.#take('[')) node = this.#index(node, false, at)
      else if (this.#peek().text === '{' && this.#peek().kind === 'symbol' && typeName(node)) node = this.#message(node)
      else return node
    }
  }

  #index(of: Node, optional: boolean, at: number): Node {
    const key = this.#expression()
    this.#expect(']')
    return { is: 'index', of, key, optional, at }
  }

  #primary(): Node {
    const token = this.#peek()
    const { kind, text, at } = token
    this.#at++
    switch (kind) {
      case 'int':
      case 'uint':
        return this.#integer(token)
      case 'double':
        return { is: 'literal', value: Number(text), at }
      case 'string':
        return { is: 'literal', value: token.meant!, at }
      case 'bytes':
        return { is: 'literal', value: token.bytes!, at }
      case 'identifier':
        return this.#identifier(text, at)
      default:
        break
    }
    if (kind === 'symbol') {
      if (text === '(') {
        const inner = this.#expression()
        this.#expect(')')
        return inner
      }
      if (text === '[' || text === '[?') return this.#list(at, text === '[?')
      if (text === '{') return this.#map(at)
      if (text === '.') return this.#primary()
    }
    this.#at--
    throw this.#unexpected(BEGINNINGS, beginsValue)
  }

  #integer({ text, kind, at }: Token): Node {
    const digits = text.replace(/[uU]$/, '')
    const negative = digits.startsWith('-')
    const value = negative ? -BigInt(digits.slice(1)) : BigInt(digits)
    const unsigned = kind === 'uint'
    const fits = unsigned ? value < 2n ** 64n : value < 2n ** 63n && value >= -(2n ** 63n)
    if (!fits) throw located(this.#text, at, `invalid ${unsigned ? 'uint' : 'int'} literal`)
    return { is: 'literal', value, at, ...(unsigned ? { unsigned } : {}) }
  }

  #identifier(text: string, at: number): Node {
    if (text === 'true' || text === 'false') return { is: 'literal', value: text === 'true', at }
    if (text === 'null') return { is: 'literal', value: null, at }
    if (RESERVED.has(text)) throw located(this.#text, at, `reserved identifier: ${text}`)
    const { at: opening } = this.#peek()
    if (this.#take('(')) return { is: 'call', name: text, args: this.#arguments(), at: opening }
    return { is: 'name', name: text, at }
  }

  #arguments(): Node[] {
    const args: Node[] = []
    while (!this.#take(')')) {
      if (args.length) this.#expect(',')
      args.push(this.#expression())
    }
    return args
  }

  /** `optional`: the mark of the first item was read together with the bracket. */
  #list(at: number, optional: boolean): Node {
    const items: { value: Node; optional: boolean }[] = []
    if (optional) items.push({ optional, value: this.#expression() })
    while (!this.#take(']')) {
      if (items.length) {
        this.#expect(',')
        if (this.#take(']')) break
      }
      items.push({ optional: this.#take('?'), value: this.#expression() })
    }
    return { is: 'list', items, at }
  }

  #map(at: number): Node {
    const entries: { key: Node; value: Node; optional: boolean }[] = []
    while (!this.#take('}')) {
      if (entries.length) {
        this.#expect(',')
        if (this.#take('}')) break
      }
      const optional = this.#take('?')
      const key = this.#expression()
      this.#expect(':')
      entries.push({ key, value: this.#expression(), optional })
    }
    return { is: 'map', entries, at }
  }

  #message(of: Node): Node {
    const { at } = this.#peek()
    this.#expect('{')
    const fields: (Node & { is: 'message' })['fields'] = []
    while (!this.#take('}')) {
      if (fields.length) {
        this.#expect(',')
        if (this.#take('}')) break
      }
      const optional = this.#take('?')
      const name = this.#name()
      const colon = this.#peek().at
      this.#expect(':')
      fields.push({ name, value: this.#expression(), optional, at: colon })
    }
    return { is: 'message', type: typeName(of)!, fields, at }
  }

  #name(): string {
    const { kind, text, at } = this.#peek()
    if (kind !== 'identifier') {
      const before = this.#tokens[this.#at - 1]?.text ?? ''
      const input = `${before}${kind === 'end' ? '' : text}`
      throw syntaxError(this.#text, at, `no viable alternative at input '${input}'`)
    }
    this.#at++
    return text
  }

  #peek(): Token {
    return this.#tokens[this.#at]!
  }

  #take(symbol: string): boolean {
    const { kind, text } = this.#peek()
    if (kind !== 'symbol' || text !== symbol) return false
    this.#at++
    return true
  }

  #expect(symbol: string): void {
    if (this.#take(symbol)) return
    const { kind, text, at } = this.#peek()
    if (kind === 'end') throw syntaxError(this.#text, at, `missing '${symbol}' at '${text}'`)
    throw this.#unexpected(`'${symbol}'`, next => next.kind === 'symbol' && next.text === symbol)
  }

  /** `fits`: what would have been all right; where it comes right after, what is there is one too many. */
  #unexpected(wanted: string, fits: (token: Token) => boolean) {
    const { text, at } = this.#peek()
    const next = this.#tokens[this.#at + 1]
    const what = next && fits(next) ? 'extraneous' : 'mismatched'
    return syntaxError(this.#text, at, `${what} input '${text}' expecting ${wanted}`)
  }
}

/** What a value can begin with. */
const BEGINNINGS =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"

const beginsValue = ({ kind, text }: Token): boolean => (kind === 'symbol' ? '[{(.-!'.includes(text) : kind !== 'end')

/** `Object.spec.template` of a chain of names; undefined of anything else. */
function typeName(node: Node): string | undefined {
  if (node.is === 'name') return node.name
  if (node.is !== 'select' || node.optional) return undefined
  const of = typeName(node.of)
  return of && `${of}.${node.field}`
}
