import { CompileError } from './errors.ts'

export type TokenKind = 'identifier' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'symbol' | 'end'

export interface Token {
  kind: TokenKind
  /** As it is written; of strings and bytes, what they mean. */
  text: string
  /** Of bytes. */
  bytes?: Uint8Array
  /** Where it begins, from 0. */
  at: number
}

const BLANK = /(?:[ \t\r\n\f]|\/\/[^\n]*)+/y
const NUMBER = /0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?|\d+[uU]?/y
const QUOTED = /([rR][bB]?|[bB][rR]?)?("""|'''|"|')/y
const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y
const ESCAPED = /`([A-Za-z0-9_.\-/ ]+)`/y
const SYMBOL = /\[\?|\.\?|==|!=|<=|>=|&&|\|\||\.\.\.|[-+*/%!<>?:.,()[\]{}]/y

/** The tokens of an expression, the last being its end. Throws a CompileError. */
export function tokens(text: string): Token[] {
  const found: Token[] = []
  let at = 0
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at
    return pattern.exec(text)
  }
  while (at < text.length) {
    const blank = match(BLANK)
    if (blank) {
      at += blank[0].length
      continue
    }
    const quoted = match(QUOTED)
    if (quoted) {
      const { token, end } = literal(text, at, quoted)
      found.push(token)
      at = end
      continue
    }
    const number = match(NUMBER)
    const escaped = match(ESCAPED)
    const other = number ?? match(IDENTIFIER) ?? escaped ?? match(SYMBOL)
    if (!other) throw syntaxError(text, at, `token recognition error at: '${text[at]}'`)
    const kind = number ? kindOfNumber(other[0]) : /^[\w`]/.test(other[0]) ? 'identifier' : 'symbol'
    found.push({ kind, text: escaped && !number ? (escaped[1] as string) : other[0], at })
    at += other[0].length
  }
  found.push({ kind: 'end', text: '<EOF>', at })
  return found
}

function kindOfNumber(text: string): TokenKind {
  if (/^0[xX]/.test(text)) return /[uU]$/.test(text) ? 'uint' : 'int'
  if (/[uU]$/.test(text)) return 'uint'
  return /[.eE]/.test(text) ? 'double' : 'int'
}

function literal(text: string, at: number, [opening, prefix = '', quote = '']: RegExpExecArray) {
  const raw = /r/i.test(prefix)
  const start = at + opening.length
  let end = start
  while (!text.startsWith(quote, end)) {
    if (end >= text.length || (quote.length === 1 && text[end] === '\n'))
      throw syntaxError(text, at, `token recognition error at: '${text.slice(at)}'`)
    end += !raw && text[end] === '\\' ? 2 : 1
  }
  const inner = text.slice(start, end)
  const isBytes = /b/i.test(prefix)
  const meant = raw ? inner : unescaped(inner, isBytes, text, at)
  const token: Token = { kind: isBytes ? 'bytes' : 'string', text: meant, at }
  if (isBytes) token.bytes = raw ? Buffer.from(inner) : Buffer.from(meant, 'latin1')
  return { token, end: end + quote.length }
}

const SIMPLE: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]))/g

function unescaped(inner: string, isBytes: boolean, text: string, at: number): string {
  // Of bytes every character stands for one, so what is written plainly becomes its UTF-8 first.
  const source = isBytes ? Buffer.from(inner).toString('latin1') : inner
  return source.replace(ESCAPE, (_, x, bigX, u, bigU, octal, simple) => {
    const hex = x ?? bigX ?? u ?? bigU
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
    if (simple in SIMPLE) return SIMPLE[simple]!
    if ('\\?"\'`'.includes(simple)) return simple
    throw syntaxError(text, at, `token recognition error at: '\\${simple}'`)
  })
}

/** As cel-go shows it: the place, the complaint, the line and a mark below it. */
export function located(text: string, at: number, complaint: string): CompileError {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const column = at - (before.lastIndexOf('\n') + 1)
  const shown = text.split('\n')[line - 1] ?? ''
  return new CompileError(`ERROR: <input>:${line}:${column + 1}: ${complaint}\n | ${shown}\n | ${'.'.repeat(column)}^`)
}

export const syntaxError = (text: string, at: number, complaint: string): CompileError =>
  located(text, at, `Syntax error: ${complaint}`)
