/**
 * CEL as Kubernetes has it, for admission policies, match conditions and the rules of custom resources. (Written by the
 * extension helper at 16:00: lexer, parser, evaluation and the libraries; the CRD helper uses it from here.)
 *
 *     const program = compile('self.replicas <= oldSelf.replicas + 1', { variables: ['self', 'oldSelf'] })  // throws CompileError
 *     program.evaluate({ self: toCel(json, schema), oldSelf: toCel(oldJson, schema) }, { cost })            // throws CelError
 *
 * Source: https://kubernetes.io/docs/reference/using-api/cel/
 */
export { type CompileOptions, compile, type Program } from './compile.ts'
export { type Budget, CelError, CompileError, createBudget } from './errors.ts'
export { type CelSchema, fromCel, toCel, type Value } from './values.ts'
