import { type Budget, CelError, spend } from './errors.ts'
import { kubernetesFunctions } from './library/kubernetes.ts'
import { listFunctions } from './library/lists.ts'
import { standardFunctions } from './library/standard.ts'
import { stringFunctions } from './library/strings.ts'
import { timeFunctions } from './library/times.ts'
import { List, type Value } from './values.ts'

/** Throws a CelError; what does not fit the arguments, `no such overload`. */
export type Fn = (args: Value[], budget: Budget) => Value

/** Functions by name; those called on a value have a dot before it: `.startsWith`. */
export type Functions = Record<string, Fn>

const FUNCTIONS: Functions = {
  ...standardFunctions,
  ...stringFunctions,
  ...listFunctions,
  ...timeFunctions,
  ...kubernetesFunctions,
}

const key = (name: string, method: boolean) => (method ? `.${name}` : name)

export const isFunction = (name: string, method: boolean): boolean => Object.hasOwn(FUNCTIONS, key(name, method))

export function lookUp(name: string, method: boolean): Fn {
  const run = FUNCTIONS[key(name, method)]!
  return (args, budget) => {
    spend(budget, costOf(args))
    return run(args, budget)
  }
}

/** What a function may have to look at. Source: k8s.io/apiserver/pkg/cel/library/cost.go */
function costOf(args: Value[]): number {
  let cost = 1
  for (const arg of args) {
    if (typeof arg === 'string') cost += Math.ceil(arg.length * 0.1)
    else if (arg instanceof List) cost += arg.size
  }
  return cost
}

export const noOverload = () => new CelError('no such overload')
