import { names } from '../../../api/index.ts'
import { CelError } from '../errors.ts'
import type { Functions } from '../functions.ts'
import { Opaque, type Value } from '../values.ts'

/** What is asked; as a SubjectAccessReview has it. */
export interface AccessQuestion {
  /** Instead of who makes the request: `system:serviceaccount:NAMESPACE:NAME`. */
  serviceAccount?: { namespace: string; name: string }
  path?: string
  group?: string
  resource?: string
  subresource?: string
  namespace?: string
  name?: string
  fieldSelector?: string
  labelSelector?: string
  verb?: string
}

export interface AccessDecision {
  allowed: boolean
  reason: string
  error?: string
}

/**
 * The variable `authorizer`. `decide` answers at once; when it cannot yet, it throws a Suspended.
 * Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library
 */
export class AuthorizerValue extends Opaque {
  readonly type = 'kubernetes.authorization.Authorizer'
  readonly question: AccessQuestion
  readonly decide: (question: AccessQuestion) => AccessDecision

  constructor(decide: (question: AccessQuestion) => AccessDecision, question: AccessQuestion = {}) {
    super()
    this.decide = decide
    this.question = question
  }

  with(more: AccessQuestion): AuthorizerValue {
    return new AuthorizerValue(this.decide, { ...this.question, ...more })
  }

  equals = (other: Opaque): boolean => other === this
}

/** What an expression needs to know first; it is evaluated anew once `ready` has resolved. */
export class Suspended extends Error {
  readonly ready: Promise<unknown>
  constructor(ready: Promise<unknown>) {
    super('evaluation waits')
    this.ready = ready
  }
}

class DecisionValue extends Opaque {
  readonly type = 'kubernetes.authorization.Decision'
  readonly decision: AccessDecision
  constructor(decision: AccessDecision) {
    super()
    this.decision = decision
  }
  equals = (other: Opaque): boolean => other === this
}

const noOverload = () => new CelError('no such overload')

function ask(value: Value | undefined, more: AccessQuestion): AuthorizerValue {
  if (value instanceof AuthorizerValue) return value.with(more)
  throw noOverload()
}

function decisionOf(value: Value | undefined): AccessDecision {
  if (value instanceof DecisionValue) return value.decision
  throw noOverload()
}

function text(value: Value | undefined): string {
  if (typeof value === 'string') return value
  throw noOverload()
}

function filled(value: Value | undefined, what: string): string {
  const given = text(value)
  if (!given) throw new CelError(`${what} must not be empty`)
  return given
}

export const authorizerFunctions: Functions = {
  '.path': ([value, path]) => ask(value, { path: filled(path, 'path') }),
  '.serviceAccount'([value, namespace, name]) {
    const account = { namespace: text(namespace), name: text(name) }
    if (names.dns1123SubdomainProblems(account.name).length) throw new CelError('Invalid service account name')
    if (names.dns1123LabelProblems(account.namespace).length) throw new CelError('Invalid service account namespace')
    return ask(value, { serviceAccount: account })
  },
  '.group': ([value, group]) => ask(value, { group: text(group) }),
  '.resource': ([value, resource]) => ask(value, { resource: filled(resource, 'resource') }),
  '.subresource': ([value, subresource]) => ask(value, { subresource: text(subresource) }),
  '.namespace': ([value, namespace]) => ask(value, { namespace: text(namespace) }),
  '.name': ([value, name]) => ask(value, { name: text(name) }),
  '.fieldSelector': ([value, fieldSelector]) => ask(value, { fieldSelector: text(fieldSelector) }),
  '.labelSelector': ([value, labelSelector]) => ask(value, { labelSelector: text(labelSelector) }),
  '.check'([value, verb]) {
    const { decide, question } = ask(value, { verb: text(verb) })
    return new DecisionValue(decide(question))
  },
  '.allowed': ([value]) => decisionOf(value).allowed,
  '.reason': ([value]) => decisionOf(value).reason,
  '.errored': ([value]) => decisionOf(value).error !== undefined,
  '.error': ([value]) => decisionOf(value).error ?? '',
}
