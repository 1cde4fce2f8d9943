import type { KubeObject, Resource } from '../../api/index.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import {
  type AccessDecision,
  type AccessQuestion,
  AuthorizerValue,
  type Budget,
  CelError,
  CompileError,
  compile,
  createBudget,
  Dict,
  loadCel,
  type Program,
  Suspended,
  toCel,
  type Value,
  type Variables,
} from '../cel/index.ts'
import type { Registry } from '../registry/registry.ts'
import type { Attributes } from './admission.ts'
import { inVersion } from './match/versions.ts'
import { admissionRequest } from './request.ts'

/** The names that expressions about a request know. Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/ */
const REQUEST_NAMES = ['object', 'oldObject', 'request', 'authorizer', 'authorizer.requestResource', 'namespaceObject']
const POLICY_NAMES = [...REQUEST_NAMES, 'params', 'variables']

/**
 * Units of cost for all that a policy evaluates on one request, and for all match conditions; each expression has a limit
 * of its own besides. Source: k8s.io/apiserver/pkg/apis/cel limits.go
 */
export const POLICY_COST = 10_000_000
const CONDITIONS_COST = 2_500_000

/** What several expressions may cost together was not enough; none of them is evaluated any more. */
export class OutOfBudget extends Error {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run')
  }
}

/** An expression, compiled; one that could not be stored as it is written fails whenever it is evaluated. */
export interface Expression {
  text: string
  program: Program
}

export const conditionOf = (text: string): Expression => compiled(text, REQUEST_NAMES)
export const policyExpression = (text: string): Expression => compiled(text, POLICY_NAMES)

function compiled(text: string, variables: string[]): Expression {
  try {
    return { text, program: compile(text, { variables }) }
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    const fail = () => {
      throw new CelError(`compilation failed: ${error.message}`)
    }
    return { text, program: { evaluate: fail } }
  }
}

/** What the expressions about one request are evaluated on. */
export class Evaluation {
  readonly #authorizer: Authorizer
  readonly #attributes: Attributes
  readonly #decisions = new Map<string, AccessDecision>()
  #variables: Variables
  /** What those of `variables` have cost that were evaluated on the way. */
  #spent = 0

  private constructor(authorizer: Authorizer, attributes: Attributes, variables: Variables) {
    this.#authorizer = authorizer
    this.#attributes = attributes
    const any = new AuthorizerValue(question => this.#decide(question))
    const { requested, subresource, namespace, name } = attributes
    const { group, resource } = requested
    this.#variables = {
      ...variables,
      authorizer: any,
      'authorizer.requestResource': any.with({ group, resource, subresource, namespace, name }),
    }
  }

  /** In the version `as`. Match conditions know nothing of the namespace. */
  static async begin(
    registry: Registry,
    authorizer: Authorizer,
    as: Resource,
    attributes: Attributes,
    namespace?: KubeObject,
  ): Promise<Evaluation> {
    await loadCel()
    const object = await inVersion(registry, as, attributes, attributes.object)
    const oldObject = await inVersion(registry, as, attributes, attributes.old)
    return new Evaluation(authorizer, attributes, {
      object: toCel(object ?? null),
      oldObject: toCel(oldObject ?? null),
      namespaceObject: toCel(namespace ?? null),
      request() {
        const { object: _, oldObject: __, uid: ___, ...request } = admissionRequest(attributes, as, { uid: '' })
        return toCel(request)
      },
    })
  }

  /** What `variables` are, each evaluated when it is first asked for. */
  define(variables: { name: string; expression: Expression }[]): void {
    this.#variables.variables = new LazyDict(name => {
      const found = variables.find(each => each.name === name)
      if (!found) return undefined
      const budget = createBudget()
      const whole = budget.left
      try {
        return found.expression.program.evaluate(this.#variables, budget)
      } finally {
        this.#spent += whole - budget.left
      }
    })
  }

  setParams(params: KubeObject | null): void {
    this.#variables = { ...this.#variables, params: toCel(params) }
  }

  /** Rejects with a CelError; with OutOfBudget when `shared` is used up, from which the cost is taken. */
  async evaluate({ program }: Expression, shared: Budget): Promise<Value> {
    for (;;) {
      const own = createBudget()
      const whole = own.left
      let failure: unknown
      let value: Value = null
      try {
        value = program.evaluate(this.#variables, own)
      } catch (error) {
        failure = error
      }
      if (failure instanceof Suspended) {
        await failure.ready
        continue
      }
      shared.left -= whole - Math.max(own.left, 0) + this.#spent
      this.#spent = 0
      if (failure !== undefined) throw failure
      if (shared.left < 0) throw new OutOfBudget()
      return value
    }
  }

  /** An authorizer that has to read answers later; the expression is then evaluated anew. */
  #decide(question: AccessQuestion): AccessDecision {
    const key = JSON.stringify(question)
    const known = this.#decisions.get(key)
    if (known) return known
    const decision = this.#ask(question)
    if (!(decision instanceof Promise)) return decision
    throw new Suspended(
      decision.then(
        found => this.#decisions.set(key, found),
        (error: Error) => this.#decisions.set(key, { allowed: false, reason: '', error: error.message }),
      ),
    )
  }

  #ask({ serviceAccount, path, verb = '', ...rest }: AccessQuestion) {
    const user = serviceAccount
      ? {
          name: `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`,
          groups: [
            'system:serviceaccounts',
            `system:serviceaccounts:${serviceAccount.namespace}`,
            'system:authenticated',
          ],
        }
      : this.#attributes.user
    return this.#authorizer.authorize({
      isResourceRequest: path === undefined,
      path: path ?? '',
      verb,
      version: '*',
      group: '',
      resource: '',
      subresource: '',
      namespace: '',
      name: '',
      ...rest,
      user,
    })
  }
}

/** An object whose fields are worked out when they are asked for. */
class LazyDict extends Dict {
  readonly #make: (name: string) => Value | undefined
  readonly #known = new Map<string, Value | CelError>()

  constructor(make: (name: string) => Value | undefined) {
    super()
    this.#make = make
  }

  override get(key: Value): Value | undefined {
    const name = String(key)
    let known = this.#known.get(name)
    if (known === undefined) {
      try {
        known = this.#make(name)
      } catch (error) {
        if (!(error instanceof CelError)) throw error
        known = new CelError(`composited variable ${JSON.stringify(name)} fails to evaluate: ${error.message}`)
      }
      if (known === undefined) return undefined
      this.#known.set(name, known)
    }
    if (known instanceof CelError) throw known
    return known
  }
}

/** What a match condition is about. */
export interface Condition {
  name: string
  expression: Expression
}

/**
 * Whether all conditions hold. One that does not is enough to say no; else one that cannot be evaluated is an error, whose
 * text is returned. Source: k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions
 */
export async function conditionsHold(conditions: Condition[], evaluation: Evaluation): Promise<boolean | string> {
  const problems: string[] = []
  const budget = createBudget(CONDITIONS_COST)
  for (const { expression } of conditions) {
    try {
      if ((await evaluation.evaluate(expression, budget)) !== true) return false
    } catch (error) {
      if (error instanceof OutOfBudget) return error.message
      if (!(error instanceof CelError)) throw error
      problems.push(failedExpression(expression, error))
    }
  }
  if (!problems.length) return true
  return problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`
}

export const failedExpression = ({ text }: Expression, { message }: CelError): string =>
  `expression '${text}' resulted in error: ${message}`
