import { CompileError } from './errors.ts'

export type TokenKind = 'identifier' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'symbol' | 'end'

export interface Token {
  kind: TokenKind
  /** As it is written. */
  text: string
  /** Of strings and bytes: what they stand for. */
  meant?: string
  /** Of bytes. */
  bytes?: Uint8Array
  /** Where it begins, from 0. */
  at: number
}

const BLANK = /(?:[ \t\r\n\f]|\/\/[^\n]*)+/y
const NUMBER = /0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?|\d+[uU]?/y
const QUOTED = /([rR][bB]?|[bB][rR]?)?("""|'''|"|')/y
const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y
const ESCAPED = /`[A-Za-z0-9_.\-/ ]+`/y
const SYMBOL = /\[\?|\.\?|==|!=|<=|>=|&&|\|\||\.\.\.|[-+*/%!<>?:.,()[\]{}]/y

/**
 * The tokens of an expression, the last being its end. What cannot be read is left out and told of in `problems`. Throws a
 * CompileError for what can be read and is not allowed.
 */
export function tokens(text: string, problems: CompileError[]): Token[] {
  const found: Token[] = []
  const unreadable = (from: number, to: number) => {
    problems.push(syntaxError(text, from, `token recognition error at: '${text.slice(from, to)}'`))
    return to
  }
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
      if (token) found.push(token)
      at = token ? end : unreadable(at, end)
      continue
    }
    const number = match(NUMBER)
    if (match(ESCAPED)) throw located(text, at, "unsupported syntax: '`'")
    const other = number ?? match(IDENTIFIER) ?? match(SYMBOL)
    if (!other) {
      // A sign of two characters is given up at the second.
      at = unreadable(at, Math.min(at + ('=&|'.includes(text[at]!) ? 2 : 1), text.length))
      continue
    }
    const kind = number ? kindOfNumber(other[0]) : /^\w/.test(other[0]) ? 'identifier' : 'symbol'
    found.push({ kind, text: other[0], at })
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

/** Without a token: where it was given up. */
function literal(
  text: string,
  at: number,
  [opening, prefix = '', quote = '']: RegExpExecArray,
): { token?: Token; end: number } {
  const raw = /r/i.test(prefix)
  const isBytes = /b/i.test(prefix)
  const start = at + opening.length
  let end = start
  while (!text.startsWith(quote, end)) {
    if (end >= text.length || (quote.length === 1 && text[end] === '\n')) return { end }
    if (!raw && text[end] === '\\') {
      ESCAPE.lastIndex = end
      const match = ESCAPE.exec(text)
      if (!match || match.index !== end || !isKnown(match)) return { end: Math.min(end + 2, text.length) }
    }
    end += !raw && text[end] === '\\' ? 2 : 1
  }
  const inner = text.slice(start, end)
  const meant = raw ? inner : unescaped(inner, isBytes)
  const token: Token = { kind: isBytes ? 'bytes' : 'string', text: text.slice(at, end + quote.length), meant, at }
  if (isBytes) token.bytes = raw ? Buffer.from(inner) : Buffer.from(meant, 'latin1')
  return { token, end: end + quote.length }
}

const SIMPLE: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]))/g

const isKnown = ([, , , , , octal, simple]: RegExpExecArray) =>
  simple === undefined || octal !== undefined || simple in SIMPLE || '\\?"\'`'.includes(simple)

function unescaped(inner: string, isBytes: boolean): string {
  // Of bytes every character stands for one, so what is written plainly becomes its UTF-8 first.
  const source = isBytes ? Buffer.from(inner).toString('latin1') : inner
  return source.replace(ESCAPE, (_, x, bigX, u, bigU, octal, simple) => {
    const hex = x ?? bigX ?? u ?? bigU
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
    if (simple in SIMPLE) return SIMPLE[simple]!
    return simple
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
