/** What a careful reading of a JSON text finds. */
export interface Scan {
  /** What Go's decoder says of the first fault. */
  problem?: string
  /** Paths of the keys that repeat an earlier key of their object. */
  duplicates: string[]
}

/** One open object or list. */
interface Level {
  /** The keys so far; absent for a list. */
  keys?: Set<string>
  path: string
  /** Which item of a list comes next. */
  index: number
  /** Where in the object or list the scan stands. */
  expects: 'first' | 'key' | 'colon' | 'value' | 'comma'
  key: string
}

const WHITESPACE = /[ \t\r\n]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const LITERAL = /true|false|null/y

const END = 'unexpected end of JSON input'

/**
 * Reads a JSON text with care instead of speed, for two questions that JSON.parse leaves open: what exactly is wrong
 * with it, and which keys it repeats. Keeps its own stack, so that no text can exhaust the program's.
 */
export function scanJson(text: string, maxDepth: number, onField: OnField = () => {}): Scan {
  return new Scanner(text, maxDepth, onField).scan()
}

/** Told of every key where it stands, with its path and whether it repeats an earlier key of its object. */
export type OnField = (path: string, repeats: boolean) => void

class Scanner {
  readonly #text: string
  readonly #maxDepth: number
  readonly #onField: OnField
  readonly #levels: Level[] = []
  readonly #duplicates = new Set<string>()
  #at = 0

  constructor(text: string, maxDepth: number, onField: OnField) {
    this.#text = text
    this.#maxDepth = maxDepth
    this.#onField = onField
  }

  scan(): Scan {
    let problem: string | undefined
    let started = false
    for (;;) {
      this.#match(WHITESPACE)
      const level = this.#levels.at(-1)
      if (!level && started) {
        if (this.#at < this.#text.length) problem = this.#invalid('after top-level value')
        break
      }
      if (this.#at >= this.#text.length) {
        problem = END
        break
      }
      started = true
      problem = level ? this.#inside(level) : this.#value('')
      if (problem) break
    }
    return { problem, duplicates: [...this.#duplicates] }
  }

  #inside(level: Level): string | undefined {
    const next = this.#text[this.#at]
    const object = level.keys !== undefined
    const closes = next === (object ? '}' : ']')
    switch (level.expects) {
      case 'comma':
        if (closes) return this.#close()
        if (next !== ',') return this.#invalid(object ? 'after object key:value pair' : 'after array element')
        this.#at++
        level.expects = object ? 'key' : 'value'
        return undefined
      case 'colon':
        if (next !== ':') return this.#invalid('after object key')
        this.#at++
        level.expects = 'value'
        return undefined
      case 'first':
        if (closes) return this.#close()
        level.expects = object ? 'key' : 'value'
        return this.#inside(level)
      case 'key':
        return this.#key(level)
      case 'value':
        level.expects = 'comma'
        return this.#value(object ? join(level.path, level.key) : `${level.path}[${level.index++}]`)
    }
  }

  #key(level: Level): string | undefined {
    if (this.#text[this.#at] !== '"') return this.#invalid('looking for beginning of object key string')
    const start = this.#at
    const problem = this.#string()
    if (problem) return problem
    level.key = JSON.parse(this.#text.slice(start, this.#at))
    const path = join(level.path, level.key)
    const repeats = level.keys!.has(level.key)
    if (repeats) this.#duplicates.add(path)
    this.#onField(path, repeats)
    level.keys!.add(level.key)
    level.expects = 'colon'
    return undefined
  }

  #value(path: string): string | undefined {
    const first = this.#text[this.#at]!
    if (first === '{' || first === '[') return this.#open(first, path)
    if (first === '"') return this.#string()
    if (first === '-' || (first >= '0' && first <= '9')) return this.#number()
    if (first === 't' || first === 'f' || first === 'n') return this.#literal()
    return this.#invalid('looking for beginning of value')
  }

  #open(bracket: string, path: string): string | undefined {
    if (this.#levels.length >= this.#maxDepth) return this.#invalid('exceeded max depth')
    this.#at++
    this.#levels.push({ keys: bracket === '{' ? new Set() : undefined, path, index: 0, expects: 'first', key: '' })
    return undefined
  }

  #close(): undefined {
    this.#at++
    this.#levels.pop()
  }

  #string(): string | undefined {
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at]!
      if (character === '"') {
        this.#at++
        return undefined
      }
      if (character < ' ') return this.#invalid('in string literal')
      if (character !== '\\') continue
      const escaped = this.#text[++this.#at]
      if (escaped === undefined) return END
      if (escaped === 'u') {
        for (let digit = 0; digit < 4; digit++) {
          if (++this.#at >= this.#text.length) return END
          if (!/[0-9a-fA-F]/.test(this.#text[this.#at]!)) return this.#invalid('in \\u hexadecimal character escape')
        }
      } else if (!'"\\/bfnrt'.includes(escaped)) return this.#invalid('in string escape code')
    }
    return END
  }

  #number(): string | undefined {
    const negative = this.#text[this.#at] === '-'
    if (!this.#match(NUMBER)) {
      this.#at++
      return this.#at < this.#text.length ? this.#invalid('in numeric literal') : END
    }
    const next = this.#text[this.#at] ?? ''
    const decimal = next === '.'
    if (decimal || next === 'e' || next === 'E') {
      this.#at++
      if (!decimal && /[+-]/.test(this.#text[this.#at] ?? '')) this.#at++
      if (this.#at >= this.#text.length) return END
      return this.#invalid(decimal ? 'after decimal point in numeric literal' : 'in exponent of numeric literal')
    }
    // `01`: what follows a complete number is for whoever is around to judge.
    return negative && next === '-' ? this.#invalid('in numeric literal') : undefined
  }

  #literal(): string | undefined {
    if (this.#match(LITERAL)) return undefined
    const word = { t: 'true', f: 'false', n: 'null' }[this.#text[this.#at]!]!
    for (let index = 0; index < word.length; index++, this.#at++) {
      if (this.#at >= this.#text.length) return END
      if (this.#text[this.#at] !== word[index])
        return this.#invalid(`in literal ${word} (expecting ${goQuote(word[index]!)})`)
    }
    return undefined
  }

  #match(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    const found = pattern.test(this.#text)
    if (found) this.#at = pattern.lastIndex
    return found
  }

  #invalid(where: string): string {
    return `invalid character ${goQuote(String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0))} ${where}`
  }
}

const join = (path: string, key: string) => (path ? `${path}.${key}` : key)

const ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', "'": "\\'", '\\': '\\\\' }

/** A character as Go shows it, which reads bytes: `'x'`, `'\n'`, `'\x00'`, and for a larger one its first byte. */
function goQuote(character: string): string {
  const byte = Buffer.from(character)[0] ?? 0
  const shown = byte < 32 ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte)
  return `'${ESCAPES[character] ?? shown}'`
}
