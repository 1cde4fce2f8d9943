/**
 * CEL as Kubernetes has it, for admission policies, match conditions and the rules of custom resources.
 *
 *     await loadCel()   // once; loads what regular expressions need
 *     const program = compile('self.replicas <= oldSelf.replicas + 1', { variables: ['self', 'oldSelf'] })
 *     program.evaluate({ self: toCel(json, schema), oldSelf: toCel(oldJson, schema) }, createBudget())
 *
 * `compile` throws a CompileError, `evaluate` a CelError. Why not @bufbuild/cel: it has no optionals (`a.?b`) and takes
 * 30 MB and a second to load. What upstream finds when it compiles, the types of what an expression names and what it may
 * cost, `checker/` finds when an expression is written; who evaluates it does not need to know.
 *
 * Source: https://kubernetes.io/docs/reference/using-api/cel/, https://github.com/google/cel-spec
 */

export { type CompileOptions, compile, type Program, type Variables } from './compile.ts'
export { type Budget, CelError, CompileError, createBudget } from './errors.ts'
export { loadGoRegexp as loadCel } from './go-regexp.ts'
export { type AccessDecision, type AccessQuestion, AuthorizerValue, Suspended } from './library/authorizer.ts'
export { mentions } from './mentions.ts'
export { type CelSchema, Dict, fromCel, List, Optional, toCel, type Value } from './values.ts'
