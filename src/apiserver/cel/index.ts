/**
 * CEL as Kubernetes has it, for admission policies, match conditions and the rules of custom resources.
 *
 *     await loadCel()   // once; loads what regular expressions need
 *     const program = compile('self.replicas <= oldSelf.replicas + 1', { variables: ['self', 'oldSelf'] })
 *     program.evaluate({ self: toCel(json, schema), oldSelf: toCel(oldJson, schema) }, createBudget())
 *
 * `compile` throws a CompileError, `evaluate` a CelError. Why not @bufbuild/cel: it has no optionals (`a.?b`) and takes
 * 30 MB and a second to load. There is no static type check: what upstream finds when it compiles (but for names and
 * functions that are not there) is found when the expression is evaluated.
 *
 * Source: https://kubernetes.io/docs/reference/using-api/cel/, https://github.com/google/cel-spec
 */
export { loadGoRegexp as loadCel } from '../crd/go-regexp.ts'
export { type CompileOptions, compile, type Program, type Variables } from './compile.ts'
export { type Budget, CelError, CompileError, createBudget } from './errors.ts'
export { type AccessDecision, type AccessQuestion, AuthorizerValue, Suspended } from './library/authorizer.ts'
export { type CelSchema, Dict, fromCel, List, Optional, toCel, type Value } from './values.ts'
