/** What an expression evaluates to, as far as it can be told before it does. */
export type Type =
  | { is: 'scalar'; name: string }
  | { is: 'list'; of: Type }
  | { is: 'map'; key: Type; of: Type }
  | { is: 'object'; name: string; fields: Map<string, Type> }
  | { is: 'optional'; of: Type }
  /** What `type()` gives. */
  | { is: 'type'; of: Type }
  /** Stands for any one type; in a signature for the same one wherever it is. */
  | { is: 'param'; name: string }

const scalar = (name: string): Type => ({ is: 'scalar', name })

/** Nobody can tell: anything may be done with it, and it shows when it is done. */
export const DYN = scalar('dyn')
/** Of what has been complained about already. */
export const ERROR = scalar('!error!')
export const BOOL = scalar('bool')
export const INT = scalar('int')
export const UINT = scalar('uint')
export const DOUBLE = scalar('double')
export const STRING = scalar('string')
export const BYTES = scalar('bytes')
export const NULL = scalar('null')
export const TIMESTAMP = scalar('timestamp')
export const DURATION = scalar('duration')

/** `list(string)`, `map(string, int)`, `int`. */
export function typeName(type: Type): string {
  switch (type.is) {
    case 'scalar':
    case 'object':
    case 'param':
      return type.name
    case 'list':
      return `list(${typeName(type.of)})`
    case 'map':
      return `map(${typeName(type.key)}, ${typeName(type.of)})`
    case 'optional':
      return `optional_type(${typeName(type.of)})`
    case 'type':
      return `type(${typeName(type.of)})`
  }
}

/** By its name: `list(string)`; one capital letter is a parameter. */
export function typeOf(text: string): Type {
  const [, outer = text, inner = ''] = /^(\w+)\((.*)\)$/.exec(text) ?? []
  switch (outer) {
    case 'list':
      return { is: 'list', of: typeOf(inner) }
    case 'optional_type':
      return { is: 'optional', of: typeOf(inner) }
    case 'type':
      return inner ? { is: 'type', of: typeOf(inner) } : scalar(text)
    case 'map': {
      const [key = '', of = ''] = splitTypes(inner)
      return { is: 'map', key: typeOf(key), of: typeOf(of) }
    }
    default:
      return /^[A-Z]$/.test(text) ? { is: 'param', name: text } : scalar(text)
  }
}

/** At the commas that are in no parentheses. */
export function splitTypes(text: string): string[] {
  const found: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at <= text.length; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')') depth--
    else if (at === text.length || (text[at] === ',' && depth === 0)) {
      const part = text.slice(from, at).trim()
      if (part) found.push(part)
      from = at + 1
    }
  }
  return found
}

/** Of an error, too: nobody wants to hear of it twice. */
export const isDyn = (type: Type) => type.is === 'scalar' && (type.name === 'dyn' || type.name === '!error!')
