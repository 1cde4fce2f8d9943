import { labelKeyProblems, labelValueProblems } from './names.ts'
import type { meta } from './types/index.ts'

export type Operator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

export interface Requirement {
  key: string
  operator: Operator
  /** Sorted; empty for `exists` and `!`. */
  values: string[]
}

type Labels = Record<string, string> | undefined

/** A selector that does not parse; the message is upstream's. */
export class SelectorError extends Error {
  override name = 'SelectorError'
}

/**
 * Which labels are wanted: all requirements must hold.
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
 */
export class LabelSelector {
  /** Matches every object. */
  static readonly everything = new LabelSelector([])
  /** Matches no object. */
  static readonly nothing = new LabelSelector([], true)

  readonly requirements: Requirement[]
  readonly #nothing: boolean

  private constructor(requirements: Requirement[], nothing = false) {
    this.requirements = requirements
    this.#nothing = nothing
  }

  /** From a query: `app=web,tier in (a, b),!legacy`. Throws a SelectorError. */
  static parse(text: string): LabelSelector {
    const requirements = new Parser(text).parse()
    return requirements.length ? new LabelSelector(requirements) : LabelSelector.everything
  }

  /**
   * From the field of an object. None selects nothing, an empty one everything. Throws a SelectorError.
   * Source: k8s.io/apimachinery/pkg/apis/meta/v1 LabelSelectorAsSelector
   */
  static of(selector: meta.LabelSelector | undefined): LabelSelector {
    if (!selector) return LabelSelector.nothing
    const requirements = Object.entries(selector.matchLabels ?? {}).map(([key, value]) =>
      requirement(key, '=', [value]),
    )
    for (const { key, operator, values } of selector.matchExpressions ?? []) {
      const known = Object.hasOwn(EXPRESSIONS, operator) && EXPRESSIONS[operator]
      if (!known) throw new SelectorError(`"${operator}" is not a valid label selector operator`)
      requirements.push(requirement(key, known, values ?? []))
    }
    return requirements.length ? new LabelSelector(requirements.sort(byKey)) : LabelSelector.everything
  }

  /** From equal labels, as Services and ReplicationControllers have them. */
  static ofLabels(labels: Record<string, string> | undefined): LabelSelector {
    const requirements = Object.entries(labels ?? {}).map(
      ([key, value]): Requirement => ({ key, operator: '=', values: [value] }),
    )
    return requirements.length ? new LabelSelector(requirements.sort(byKey)) : LabelSelector.everything
  }

  get isEverything(): boolean {
    return !this.#nothing && this.requirements.length === 0
  }

  matches(labels: Labels): boolean {
    return !this.#nothing && this.requirements.every(requirement => holds(requirement, labels))
  }

  /** The query that says the same. */
  toString(): string {
    return this.requirements.map(write).join(',')
  }
}

const EXPRESSIONS: Record<string, Operator> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' }

const byKey = (a: Requirement, b: Requirement) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = labels && Object.hasOwn(labels, key) ? labels[key]! : undefined
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value)
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value)
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case 'gt':
    case 'lt':
      return value !== undefined && isInteger(value) && compareIntegers(value, values[0]!, operator)
  }
}

const isInteger = (text: string) => /^[+-]?\d+$/.test(text)

const compareIntegers = (a: string, b: string, operator: 'gt' | 'lt') =>
  operator === 'gt' ? BigInt(a) > BigInt(b) : BigInt(a) < BigInt(b)

function write({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`
    case 'gt':
      return `${key}>${values[0]}`
    case 'lt':
      return `${key}<${values[0]}`
    default:
      return `${key}${operator}${values[0]}`
  }
}

/** A requirement after upstream's checks of its parts. */
function requirement(key: string, operator: Operator, values: string[]): Requirement {
  const problems = [...keyProblems(key, 'key'), ...valueSetProblems(operator, values)]
  for (const [index, value] of values.entries()) {
    const complaints = labelValueProblems(value)
    if (complaints.length) problems.push(invalid(`values[${index}][${key}]`, value, complaints.join('; ')))
  }
  if (problems.length) throw new SelectorError(problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`)
  return { key, operator, values: [...new Set(values)].sort() }
}

const invalid = (field: string, value: unknown, detail: string) =>
  `${field}: Invalid value: ${JSON.stringify(value)}: ${detail}`

function keyProblems(key: string, field: string): string[] {
  const complaints = labelKeyProblems(key)
  return complaints.length ? [invalid(field, key, complaints.join('; '))] : []
}

function valueSetProblems(operator: Operator, values: string[]): string[] {
  switch (operator) {
    case 'in':
    case 'notin':
      if (values.length > 0) return []
      return [invalid('values', values, "for 'in', 'notin' operators, values set can't be empty")]
    case 'exists':
    case '!':
      if (values.length === 0) return []
      return [invalid('values', values, 'values set must be empty for exists and does not exist')]
    case 'gt':
    case 'lt':
      if (isInteger(values[0]!)) return []
      return [invalid('values[0]', values[0], "for 'Gt', 'Lt' operators, the value must be an integer")]
    default:
      return []
  }
}

const SYMBOLS: Record<string, Operator> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
}

/** The grammar of label queries. `''` stands for the end of the text. */
class Parser {
  readonly #tokens: string[]
  #at = 0

  constructor(text: string) {
    this.#tokens = text.match(/==|!=|[=!<>(),]|[^ \t\r\n=!<>(),]+/g) ?? []
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = []
    if (this.#peek() === '') return requirements
    if (!this.#startsRequirement()) throw found(this.#peek(), "!, identifier, or 'end of string'")
    for (;;) {
      requirements.push(this.#requirement())
      const next = this.#take()
      if (next === '') return requirements.sort(byKey)
      if (next !== ',') throw found(next, "',' or 'end of string'")
      if (!this.#startsRequirement()) throw found(this.#peek(), "identifier after ','")
    }
  }

  #startsRequirement(): boolean {
    return this.#peek() === '!' || isWord(this.#peek())
  }

  #requirement(): Requirement {
    try {
      return this.#readRequirement()
    } catch (error) {
      throw new SelectorError(`unable to parse requirement: ${(error as Error).message}`)
    }
  }

  #readRequirement(): Requirement {
    const absent = this.#peek() === '!'
    if (absent) this.#at++
    const key = this.#take()
    if (!isWord(key)) throw found(key, 'identifier')
    // Upstream checks the key here before it knows of a field, and shows that.
    for (const problem of keyProblems(key, '<nil>')) throw new SelectorError(problem)
    if (absent) return requirement(key, '!', [])
    if (this.#endsRequirement()) return requirement(key, 'exists', [])
    const symbol = this.#take()
    const operator = Object.hasOwn(SYMBOLS, symbol) ? SYMBOLS[symbol] : undefined
    if (!operator) throw found(symbol, 'in, notin, =, ==, !=, gt, lt')
    const several = operator === 'in' || operator === 'notin'
    return requirement(key, operator, several ? this.#values() : [this.#value()])
  }

  #endsRequirement(): boolean {
    return this.#peek() === '' || this.#peek() === ','
  }

  /** One value, which may be empty: `app=`. */
  #value(): string {
    if (this.#endsRequirement()) return ''
    const value = this.#take()
    if (!isWord(value)) throw found(value, 'identifier')
    return value
  }

  /** Values in parentheses, of which any may be empty: `(a,,b)`, `()`. */
  #values(): string[] {
    const open = this.#take()
    if (open !== '(') throw new SelectorError(`found '${open}' expected: '('`)
    const first = this.#peek()
    if (!isWord(first) && first !== ',' && first !== ')') throw found(first, "',', ')' or identifier")
    const values: string[] = []
    for (;;) {
      const value = isWord(this.#peek()) ? this.#take() : ''
      values.push(value)
      const next = this.#take()
      if (next === ')') return values
      if (next !== ',') throw found(next, value ? "',' or ')'" : "',', or identifier")
    }
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? ''
  }

  #take(): string {
    return this.#tokens[this.#at++] ?? ''
  }
}

const isWord = (token: string) => token !== '' && !/^[=!<>(),]/.test(token)
const found = (token: string, expected: string) => new SelectorError(`found '${token}', expected: ${expected}`)

/**
 * Which values of fields are wanted: all requirements must hold, each `=` or `!=` of one value.
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
 */
export class FieldSelector {
  static readonly everything = new FieldSelector([])

  readonly requirements: Requirement[]

  private constructor(requirements: Requirement[]) {
    this.requirements = requirements
  }

  /** From a query: `status.phase!=Running,spec.nodeName=a`. A backslash escapes `\`, `,` and `=`. Throws a SelectorError. */
  static parse(text: string): FieldSelector {
    const requirements = splitTerms(text)
      .sort()
      .map(term => parseTerm(term, text))
    return requirements.length ? new FieldSelector(requirements) : FieldSelector.everything
  }

  get isEverything(): boolean {
    return this.requirements.length === 0
  }

  /** `fields` holds every field that can be selected by; an absent one counts as ''. */
  matches(fields: Record<string, string>): boolean {
    return this.requirements.every(({ key, operator, values }) => {
      const value = Object.hasOwn(fields, key) ? fields[key] : ''
      return (value === values[0]) === (operator === '=')
    })
  }

  /** The value that the field must have, if one is asked for. */
  exact(key: string): string | undefined {
    return this.requirements.find(each => each.key === key && each.operator === '=')?.values[0]
  }

  toString(): string {
    return this.requirements
      .map(({ key, operator, values }) => `${key}${operator}${values[0]!.replace(/[\\,=]/g, '\\$&')}`)
      .join(',')
  }
}

/** At commas that no backslash escapes; empty terms are ignored. */
const splitTerms = (text: string): string[] => text.match(/(?:\\.|[^\\,]|\\$)+/gs) ?? []

/** At the first operator that no backslash escapes. */
const TERM = /^((?:\\.|[^\\=!]|!(?!=))*)(==|!=|=)(.*)$/s

function parseTerm(term: string, text: string): Requirement {
  const [, key, operator, value] = TERM.exec(term) ?? []
  if (key === undefined || value === undefined)
    throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`)
  return { key, operator: operator === '!=' ? '!=' : '=', values: [unescapeValue(value)] }
}

function unescapeValue(value: string): string {
  return value.replace(/\\(.?)|=/gs, (sequence, escaped) => {
    // Upstream prints the character's number.
    if (sequence === '=') throw new SelectorError('invalid field selector: unescaped character in value: 61')
    if (escaped && '\\,='.includes(escaped)) return escaped
    throw new SelectorError(`invalid field selector: invalid escape sequence: ${sequence}`)
  })
}
