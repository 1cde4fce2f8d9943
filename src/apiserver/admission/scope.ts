import { check } from '../cel/checker/check.ts'
import { DYN, type Type, typeName, typeOf } from '../cel/checker/types.ts'
import { CompileError, compile } from '../cel/index.ts'

/**
 * What expressions about a request may name, and of what type that is.
 * Source: k8s.io/apiserver/pkg/admission/plugin/cel compile.go
 */
export interface ExpressionScope {
  of: 'webhook' | 'policy'
  /** Whether there are parameters. */
  params?: boolean
  /** Absent: there is one. */
  authorizer?: boolean
  /** Those defined before; absent where there is no `variables`. */
  variables?: { name: string; expression: string }[]
  /** Whether what describes a change can be made: `Object{}` and `JSONPatch{}`. */
  patches?: boolean
  /** The types of `object` and `oldObject`, and of `params`; absent: nobody knows. */
  object?: Type
  paramsType?: Type
}

const object = (name: string, fields: Record<string, string | Type>): Type => ({
  is: 'object',
  name: `kubernetes.${name}`,
  fields: new Map(
    Object.entries(fields).map(([field, type]): [string, Type] => [
      field,
      typeof type === 'string' ? typeOf(type) : type,
    ]),
  ),
})

const kind = object('GroupVersionKind', { group: 'string', version: 'string', kind: 'string' })
const resource = object('GroupVersionResource', { group: 'string', version: 'string', resource: 'string' })

const REQUEST = object('AdmissionRequest', {
  kind,
  resource,
  subResource: 'string',
  requestKind: kind,
  requestResource: resource,
  requestSubResource: 'string',
  name: 'string',
  namespace: 'string',
  operation: 'string',
  userInfo: object('UserInfo', {
    username: 'string',
    uid: 'string',
    groups: 'list(string)',
    extra: 'map(string, list(string))',
  }),
  dryRun: 'bool',
  options: DYN,
})

const condition = object('NamespaceCondition', {
  status: 'string',
  type: 'string',
  lastTransitionTime: 'timestamp',
  message: 'string',
  reason: 'string',
})

/** Upstream declares `UID`, which no namespace has. */
const NAMESPACE = object('Namespace', {
  metadata: object('NamespaceMetadata', {
    name: 'string',
    generateName: 'string',
    namespace: 'string',
    labels: 'map(string, string)',
    annotations: 'map(string, string)',
    UID: 'string',
    creationTimestamp: 'timestamp',
    deletionGracePeriodSeconds: 'int',
    deletionTimestamp: 'timestamp',
    generation: 'int',
    resourceVersion: 'string',
    finalizers: 'list(string)',
  }),
  spec: object('NamespaceSpec', { finalizers: 'list(string)' }),
  status: object('NamespaceStatus', { conditions: { is: 'list', of: condition }, phase: 'string' }),
})

function declarations(scope: ExpressionScope): Record<string, Type> {
  const { params, authorizer = true, variables, object: type = DYN, paramsType = DYN } = scope
  return {
    object: type,
    oldObject: type,
    request: REQUEST,
    namespaceObject: NAMESPACE,
    ...(params ? { params: paramsType } : {}),
    ...(authorizer
      ? {
          authorizer: typeOf('kubernetes.authorization.Authorizer'),
          'authorizer.requestResource': typeOf('kubernetes.authorization.ResourceCheck'),
        }
      : {}),
    ...(variables ? { variables: typeOfVariables(scope, variables) } : {}),
  }
}

/** A part of an object: whether there is such a field shows when it is applied. */
class AnyField extends Map<string, Type> {
  override get = () => DYN
}

const JSON_PATCH: Type = {
  is: 'object',
  name: 'JSONPatch',
  fields: new Map([
    ['op', typeOf('string')],
    ['path', typeOf('string')],
    ['from', typeOf('string')],
    ['value', DYN],
  ]),
}

/** What describes a change: `Object{}`, `Object.spec{}`, `JSONPatch{}`. */
function patchType(name: string): Type | undefined {
  if (name === 'JSONPatch') return JSON_PATCH
  return /^Object(\.|$)/.test(name) ? { is: 'object', name, fields: new AnyField() } : undefined
}

const typeOfExpression = (text: string, scope: ExpressionScope): Type =>
  check(text, declarations(scope), scope.patches ? patchType : undefined)

/** Each has the type that its own expression has, given those before it. */
function typeOfVariables(scope: ExpressionScope, variables: { name: string; expression: string }[]): Type {
  const { variables: _, ...rest } = scope
  const declared = declarations(rest)
  const fields = new Map<string, Type>()
  const type: Type = { is: 'object', name: 'kubernetes.variables', fields }
  for (const { name, expression } of variables) {
    try {
      const made = scope.patches ? patchType : undefined
      fields.set(name, plain(check(expression, { ...declared, variables: type }, made)))
    } catch (error) {
      if (!(error instanceof CompileError)) throw error
      fields.set(name, DYN)
    }
  }
  return type
}

const PLAIN = new Set('bool string bytes int uint double timestamp duration null'.split(' '))

/** Of what is more than JSON, variables do not keep the type. */
function plain(type: Type): Type {
  if (type.is === 'list') return { is: 'list', of: plain(type.of) }
  if (type.is === 'map') return { is: 'map', key: type.key, of: plain(type.of) }
  return type.is === 'scalar' && PLAIN.has(type.name) ? type : DYN
}

/** What is wrong with an expression that is to be stored; `wanted`: what it may evaluate to, none for anything. */
export function expressionProblem(text: string, scope: ExpressionScope, wanted: string[]): string | undefined {
  try {
    const type = typeName(typeOfExpression(text, scope))
    compile(text, { variables: Object.keys(declarations(scope)) })
    if (!wanted.length || wanted.includes(type)) return undefined
    return `must evaluate to ${wanted.length === 1 ? wanted[0] : `one of [${wanted.join(' ')}]`} but got ${type}`
  } catch (error) {
    if (error instanceof CompileError) return `compilation failed: ${error.message}`
    throw error
  }
}

/** What is wrong with an expression, given the types of what it is about, in the words of the checker alone. */
export function typeProblem(text: string, scope: ExpressionScope): string | undefined {
  try {
    typeOfExpression(text, scope)
    return undefined
  } catch (error) {
    if (error instanceof CompileError) return error.message
    throw error
  }
}
