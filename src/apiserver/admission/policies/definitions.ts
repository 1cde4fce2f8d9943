import { type admissionregistration, LabelSelector, type Resource } from '../../../api/index.ts'
import { memoized } from '../../memo.ts'
import type { Live } from '../../registry/live.ts'
import type { Reader } from '../../registry/reader.ts'
import type { Attributes } from '../admission.ts'
import { type Condition, type Expression, policyExpression } from '../expressions.ts'
import { type Equivalents, isExempt, matchedVersion } from '../match/rules.ts'
import { namespaceSelected, objectSelected } from '../match/selectors.ts'

/** What both kinds of policies and of bindings have. */
export interface Policy {
  metadata: { name: string }
  spec: Pick<
    admissionregistration.ValidatingAdmissionPolicySpec,
    'paramKind' | 'matchConstraints' | 'variables' | 'failurePolicy' | 'matchConditions'
  >
}
export interface Binding {
  metadata: { name: string }
  spec: admissionregistration.MutatingAdmissionPolicyBindingSpec
}

/** One policy made ready, with all that binds it; `own` is what only this kind of policy has. */
export interface Definition<B extends Binding, Own> {
  policy: Policy
  own: Own
  bindings: B[]
  variables: { name: string; expression: Expression }[]
  conditions: Condition[]
}

/** A policy that a request is for, in the version in which it wants to see the object. */
export interface Match<B extends Binding, Own> {
  definition: Definition<B, Own>
  as: Resource
}

/** The policies of one kind and their bindings, found by what a request is about. */
export class Definitions<P extends Policy, B extends Binding, Own> {
  readonly #policies: Live<P>
  readonly #bindings: Live<B>
  readonly #equivalents: Equivalents
  readonly #make: (policy: P) => Own
  #from: { policies?: readonly P[]; bindings?: readonly B[] } = {}
  #definitions: Definition<B, Own>[] = []
  #matches = new WeakMap<Resource, Map<string, Match<B, Own>[]>>()

  constructor(policies: Live<P>, bindings: Live<B>, equivalents: Equivalents, make: (policy: P) => Own) {
    this.#policies = policies
    this.#bindings = bindings
    this.#equivalents = equivalents
    this.#make = make
  }

  /** Those that are bound and whose rules fit the request; selectors and conditions are still to be asked. */
  matching(attributes: Attributes): Match<B, Own>[] {
    this.#refresh()
    if (!this.#definitions.length || isExempt(attributes.resource)) return []
    const { requested, operation, subresource } = attributes
    const ofResource = memoized(this.#matches, requested, () => new Map<string, Match<B, Own>[]>())
    return memoized(ofResource, `${operation} ${subresource}`, () =>
      this.#definitions.flatMap(definition => {
        const { resourceRules, matchPolicy } = definition.policy.spec.matchConstraints ?? {}
        const as = matchedVersion(resourceRules, matchPolicy, attributes, this.#equivalents)
        return as ? [{ definition, as }] : []
      }),
    )
  }

  /**
   * The version in which the request is to be looked at, when it is for what `resources` says by more than its rules;
   * undefined when it is not. `bound`: it is of a binding, which without rules is for all that its policy is for.
   */
  async selected(
    resources: admissionregistration.MatchResources | undefined,
    attributes: Attributes,
    reader: Reader,
    bound: boolean,
  ): Promise<Resource | undefined> {
    const { requested } = attributes
    if (!resources) return requested
    const { resourceRules, excludeResourceRules, matchPolicy, namespaceSelector, objectSelector } = resources
    if (!objectSelected(LabelSelector.of(objectSelector ?? {}), attributes)) return undefined
    const version = (rules: admissionregistration.NamedRuleWithOperations[] | undefined) =>
      matchedVersion(
        rules?.filter(rule => isNamed(rule, attributes)),
        matchPolicy,
        attributes,
        this.#equivalents,
      )
    if (version(excludeResourceRules)) return undefined
    const as = bound && !resourceRules?.length ? requested : version(resourceRules)
    if (!as || !(await namespaceSelected(LabelSelector.of(namespaceSelector ?? {}), attributes, reader)))
      return undefined
    return as
  }

  #refresh(): void {
    const { objects: policies } = this.#policies
    const { objects: bindings } = this.#bindings
    if (policies === this.#from.policies && bindings === this.#from.bindings) return
    this.#from = { policies, bindings }
    this.#matches = new WeakMap()
    this.#definitions = policies
      .map(policy => this.#definition(policy, bindings))
      .filter(definition => definition.bindings.length)
  }

  #definition(policy: P, bindings: readonly B[]): Definition<B, Own> {
    const { variables, matchConditions } = policy.spec
    return {
      policy,
      own: this.#make(policy),
      bindings: bindings.filter(({ spec }) => spec.policyName === policy.metadata.name),
      variables: (variables ?? []).map(({ name, expression }) => ({ name, expression: policyExpression(expression) })),
      conditions: (matchConditions ?? []).map(({ name, expression }) => ({
        name,
        expression: policyExpression(expression),
      })),
    }
  }
}

const isNamed = ({ resourceNames }: admissionregistration.NamedRuleWithOperations, { name }: Attributes): boolean =>
  !resourceNames?.length || resourceNames.includes(name)
