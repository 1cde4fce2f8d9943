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
import { check } from '../crd/rules/check.ts'
import { DYN, typeName } from '../crd/rules/types.ts'
import type { Registry } from '../registry/registry.ts'
import type { Attributes } from './admission.ts'
import { namespaceOf } from './match/selectors.ts'
import { inVersion } from './match/versions.ts'
import { admissionRequest } from './request.ts'

/** The names that expressions about a request know. Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/ */
const REQUEST_NAMES = ['object', 'oldObject', 'request', 'authorizer', 'authorizer.requestResource']
const POLICY_NAMES = [...REQUEST_NAMES, 'params', 'namespaceObject', 'variables']

/** Units of cost for all that one policy or webhook evaluates. Source: k8s.io/apiserver/pkg/apis/cel RuntimeCELCostBudget */
const BUDGET = 10_000_000

/** An expression, compiled; one that could not be stored as it is written fails whenever it is evaluated. */
export interface Expression {
  text: string
  program: Program
}

export const conditionOf = (text: string): Expression => compiled(text, REQUEST_NAMES)
export const policyExpression = (text: string): Expression => compiled(text, POLICY_NAMES)

/** What an expression has to evaluate to, as its type is named. */
export type Wanted = 'bool' | 'string' | 'any'

/** What is wrong with an expression that is to be stored; `params`: whether the policy has any. */
export function expressionProblem(
  text: string,
  of: 'webhook' | 'policy',
  wanted: Wanted,
  params = true,
): string | undefined {
  const variables = of === 'webhook' ? REQUEST_NAMES : POLICY_NAMES.filter(name => params || name !== 'params')
  try {
    compile(text, { variables })
    const type = typeName(check(text, Object.fromEntries(variables.map(name => [name, DYN]))))
    return wanted === 'any' || type === wanted || type === 'dyn' ? undefined : `must evaluate to ${wanted}`
  } catch (error) {
    if (error instanceof CompileError) return `compilation failed: ${error.message}`
    throw error
  }
}

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
  readonly #budget: Budget = createBudget(BUDGET)
  #variables: Variables

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

  /** In the version `as`. */
  static async begin(
    registry: Registry,
    authorizer: Authorizer,
    as: Resource,
    attributes: Attributes,
  ): Promise<Evaluation> {
    await loadCel()
    const object = await inVersion(registry, as, attributes, attributes.object)
    const oldObject = await inVersion(registry, as, attributes, attributes.old)
    const namespace = await namespaceOf(attributes, registry.reader)
    return new Evaluation(authorizer, attributes, {
      object: toCel(object ?? null),
      oldObject: toCel(oldObject ?? null),
      namespaceObject: toCel(namespace ?? null),
      request() {
        const { object: _, oldObject: __, ...request } = admissionRequest(attributes, as, { uid: '' })
        return toCel(request)
      },
    })
  }

  /** What `variables` are, each evaluated when it is first asked for. */
  define(variables: { name: string; expression: Expression }[]): void {
    this.#variables.variables = new LazyDict(name => {
      const found = variables.find(each => each.name === name)
      return found?.expression.program.evaluate(this.#variables, this.#budget)
    })
  }

  setParams(params: KubeObject | null): void {
    this.#variables = { ...this.#variables, params: toCel(params) }
  }

  /** Rejects with a CelError. */
  async evaluate({ program }: Expression): Promise<Value> {
    for (;;) {
      try {
        return program.evaluate(this.#variables, this.#budget)
      } catch (error) {
        if (!(error instanceof Suspended)) throw error
        await error.ready
      }
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
  for (const { expression } of conditions) {
    try {
      if ((await evaluation.evaluate(expression)) !== true) return false
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      problems.push(`expression '${expression.text}' resulted in error: ${error.message}`)
    }
  }
  if (!problems.length) return true
  return problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`
}
