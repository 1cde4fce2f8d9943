import { goRegexp } from '../go-regexp.ts'
import { parseDuration, parseTimestamp } from '../values.ts'
import type { Expr } from './expand.ts'
import { isDyn, type Type, typeName } from './types.ts'

/** Functions that read a text: one that is written out can be read before it is evaluated. */
const READERS: Record<string, (text: string) => unknown> = {
  duration: parseDuration,
  timestamp: parseTimestamp,
  matches: goRegexp,
}

interface Problem {
  at: number
  text: string
}

/** Source: github.com/google/cel-go/cel/validator.go */
export function literalProblem(expr: Expr, typeOf: (expr: Expr) => Type): Problem | undefined {
  if (expr.is === 'call' && expr.name === 'format' && expr.target) return formatProblem(expr, expr.target, typeOf)
  const read = expr.is === 'call' && Object.hasOwn(READERS, expr.name) ? READERS[expr.name] : undefined
  if (!read || expr.is !== 'call') return undefined
  const [arg] = expr.args
  if (arg?.is !== 'literal') return undefined
  try {
    if (typeof arg.value === 'string') read(arg.value)
    else if (expr.name === 'duration') parseDuration('')
    return undefined
  } catch {
    return { at: arg.at, text: `invalid ${expr.name} argument` }
  }
}

/** What each clause of a format can show; what shows anything is not here. */
const CLAUSES: Record<string, { types: string[]; complaint: string }> = {
  d: { types: ['int', 'uint'], complaint: 'decimal clause can only be used on integers' },
  f: { types: ['double'], complaint: 'fixed-point clause can only be used on doubles' },
  e: { types: ['double'], complaint: 'scientific clause can only be used on doubles' },
  b: { types: ['int', 'uint', 'bool'], complaint: 'only integers and bools can be formatted as binary' },
  o: { types: ['int', 'uint'], complaint: 'octal clause can only be used on integers' },
  x: {
    types: ['int', 'uint', 'string', 'bytes'],
    complaint: 'only integers, byte buffers, and strings can be formatted as hex',
  },
}

/** Source: github.com/google/cel-go/ext/formatting.go */
function formatProblem(
  { at, args }: Expr & { is: 'call' },
  target: Expr,
  typeOf: (expr: Expr) => Type,
): Problem | undefined {
  const [list] = args
  if (target.is !== 'literal' || typeof target.value !== 'string' || list?.is !== 'list') return undefined
  let next = 0
  for (const [, percent, verb = ''] of target.value.matchAll(/%(?:(%)|(?:\.\d+)?([a-zA-Z]))/g)) {
    if (percent) continue
    const clause = CLAUSES[verb.toLowerCase() === 'x' ? 'x' : verb]
    if (!clause && verb !== 's')
      return {
        at,
        text: `could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(verb)}`,
      }
    const item = list.items[next]?.value
    if (!item) return { at, text: `index ${next} out of range` }
    next++
    const type = typeOf(item)
    if (!clause || isDyn(type) || clause.types.includes(typeName(type))) continue
    const given = typeName(type) === 'null' ? 'null_type' : typeName(type)
    return { at: item.at, text: `error during formatting: ${clause.complaint}, was given ${given}` }
  }
  return undefined
}
