/** An expression that is no CEL, or names what is not there. Source: github.com/google/cel-go/common Errors */
export class CompileError extends Error {
  override name = 'CompileError'
}

/** What went wrong while an expression was evaluated: `no such key: foo`. */
export class CelError extends Error {
  override name = 'CelError'
}

/** How much work is left; expressions that are evaluated together share one. */
export interface Budget {
  left: number
}

/** Units of cost. Source: k8s.io/apiserver/pkg/apis/cel PerCallLimit */
const PER_CALL = 1_000_000

export const createBudget = (left = PER_CALL): Budget => ({ left })

export function spend(budget: Budget, cost: number): void {
  budget.left -= cost
  if (budget.left < 0) throw new CelError('operation cancelled: actual cost limit exceeded')
}
