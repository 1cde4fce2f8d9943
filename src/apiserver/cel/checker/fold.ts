import { CelError, createBudget } from '../errors.ts'
import { lookUp } from '../functions.ts'
import { Uint, type Value } from '../values.ts'
import { childrenOf, type Expr } from './expand.ts'

/** What is worked out once when it is written out. */
const CONVERSIONS = new Set(['bool', 'bytes', 'double', 'duration', 'int', 'string', 'timestamp', 'uint'])

/** What goes wrong with that; undefined when nothing does. Source: github.com/google/cel-go/interpreter/decorators.go */
export function foldingProblem(expr: Expr): string | undefined {
  const [arg] = expr.is === 'call' ? expr.args : []
  if (expr.is === 'call' && !expr.target && CONVERSIONS.has(expr.name) && arg?.is === 'literal') {
    try {
      const value: Value = arg.unsigned ? new Uint(arg.value as bigint) : arg.value
      lookUp(expr.name, false)([value], createBudget())
    } catch (error) {
      if (error instanceof CelError) return error.message
      throw error
    }
  }
  for (const child of childrenOf(expr)) {
    const problem = foldingProblem(child)
    if (problem) return problem
  }
  return undefined
}
