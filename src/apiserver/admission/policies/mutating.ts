import { type admissionregistration, type KubeObject, type Resource, StatusError } from '../../../api/index.ts'
import { CelError, createBudget } from '../../cel/index.ts'
import { same } from '../../registry/validation/field.ts'
import { type AdmissionPlugin, type Attributes, forbidden } from '../admission.ts'
import {
  conditionsHold,
  Evaluation,
  type Expression,
  OutOfBudget,
  POLICY_COST,
  policyExpression,
} from '../expressions.ts'
import { enclosingNamespace } from '../match/selectors.ts'
import { inVersion, replaceObject } from '../match/versions.ts'
import type { PolicyCheck } from '../metrics.ts'
import { Round } from '../reinvocation.ts'
import type { Definition, Definitions, Match } from './definitions.ts'
import type { PolicyOptions } from './index.ts'
import { Misconfigured, paramsOf, policyProblem } from './params.ts'
import { patched, Unpatchable } from './patches.ts'

type Policy = admissionregistration.MutatingAdmissionPolicy
type Binding = admissionregistration.MutatingAdmissionPolicyBinding

/** The changes of a policy, compiled. */
export interface Changes {
  again: boolean
  mutations: { patchType: string; expression: Expression }[]
}

export const changesOf = ({ spec: { mutations, reinvocationPolicy } }: Policy): Changes => ({
  again: reinvocationPolicy === 'IfNeeded',
  mutations: (mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) => ({
    patchType,
    expression: policyExpression(applyConfiguration?.expression ?? jsonPatch?.expression ?? ''),
  })),
})

/** A policy that is to change the object, once for each of the parameters that a binding hands it. */
interface Invocation {
  definition: Definition<Binding, Changes>
  binding: Binding
  params: KubeObject | null
  as: Resource
}

/** Why a policy could not do its part, which refuses the request unless the policy is lenient. */
interface Failure {
  definition: Definition<Binding, Changes>
  message: string
  reason?: string
}

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/ */
export function mutatingPolicies(
  definitions: Definitions<Policy, Binding, Changes>,
  options: PolicyOptions,
): AdmissionPlugin {
  const { registry, authorizer, metrics } = options
  const rounds = new WeakMap<Attributes, Round>()
  return {
    name: 'MutatingAdmissionPolicy',
    mutate(attributes) {
      if (!attributes.object || attributes.operation === 'CONNECT') return
      const matches = definitions.matching(attributes)
      if (matches.length) return mutateAll(matches, attributes)
    },
  }

  async function mutateAll(matches: Match<Binding, Changes>[], attributes: Attributes): Promise<void> {
    const failures: Failure[] = []
    const invocations: Invocation[] = []
    for (const { definition } of matches) await collect(definition, attributes, invocations, failures)
    if (invocations.length) await invokeAll(invocations, attributes, failures)
    const refusing = failures.filter(({ definition }) => definition.policy.spec.failurePolicy !== 'Ignore')
    if (refusing.length) throw denied(attributes, refusing)
  }

  async function collect(
    definition: Definition<Binding, Changes>,
    attributes: Attributes,
    invocations: Invocation[],
    failures: Failure[],
  ): Promise<void> {
    const { policy, bindings } = definition
    const { name } = policy.metadata
    const as = await definitions.selected(policy.spec.matchConstraints, attributes, registry.reader, false)
    if (!as) return
    const problem = policyProblem(registry, policy)
    if (problem) {
      failures.push({ definition, message: `policy ${JSON.stringify(name)} denied request: ${problem}` })
      return
    }
    for (const binding of bindings) {
      if (!(await definitions.selected(binding.spec.matchResources, attributes, registry.reader, true))) continue
      try {
        for (const params of await paramsOf(registry, policy, binding, attributes))
          invocations.push({ definition, binding, params, as })
      } catch (error) {
        if (!(error instanceof Misconfigured)) throw error
        const message = named(definition, binding, `failed to configure binding: ${error.message}`)
        failures.push({ definition, message })
      }
    }
  }

  async function invokeAll(invocations: Invocation[], attributes: Attributes, failures: Failure[]): Promise<void> {
    const again = attributes.reinvocation === 'running'
    const round = rounds.get(attributes) ?? new Round()
    rounds.set(attributes, round)
    if (again) round.begin(attributes)
    const namespace = await enclosingNamespace(attributes, registry.reader)
    let touched = false
    for (const invocation of invocations) {
      const { definition, binding, params } = invocation
      const fail = (message: string) =>
        failures.push({ definition, message: named(definition, binding, message), reason: 'Invalid' })
      const { conditions, own, policy } = definition
      const held = conditions.length ? await conditionsHold(conditions, await begin(invocation, attributes)) : true
      if (typeof held === 'string') fail(held)
      if (held !== true) continue
      const { name: of, namespace: within } = params?.metadata ?? {}
      const id = `${policy.metadata.name}/${binding.metadata.name}/${within ?? ''}/${of ?? ''}`
      if (again && !round.isDue(id)) continue
      let changed = false
      for (const mutation of own.mutations) {
        const started = registry.clock.monotonic()
        const observe = (error_type: PolicyCheck['error_type']) => {
          const check = { policy: policy.metadata.name, policy_binding: binding.metadata.name, error_type }
          metrics.policyChecked('mutating', check, (registry.clock.monotonic() - started) / 1000)
        }
        try {
          if (await mutate(invocation, attributes, mutation, namespace)) changed = true
          touched = true
          observe('no_error')
        } catch (error) {
          const known = error instanceof CelError || error instanceof Unpatchable || error instanceof OutOfBudget
          observe(error instanceof OutOfBudget ? 'out_of_budget' : 'invalid_error')
          if (!known) throw error
          fail(error.message)
        }
      }
      if (changed) round.changed(attributes)
      if (own.again) round.called(id)
    }
    if (touched) round.changed(attributes)
    round.end(attributes)
  }

  async function begin(
    { definition, params, as }: Invocation,
    attributes: Attributes,
    namespace?: KubeObject,
  ): Promise<Evaluation> {
    const evaluation = await Evaluation.begin(registry, authorizer, as, attributes, namespace)
    evaluation.setParams(params)
    evaluation.define(definition.variables)
    return evaluation
  }

  /** Whether the object has changed. Rejects with a CelError, an Unpatchable, or what to answer at once. */
  async function mutate(
    invocation: Invocation,
    attributes: Attributes,
    { patchType, expression }: Changes['mutations'][number],
    namespace?: KubeObject,
  ): Promise<boolean> {
    const { as } = invocation
    const before = (await inVersion(registry, as, attributes, attributes.object))!
    const evaluation = await begin(invocation, attributes, namespace)
    const value = await evaluated(evaluation, expression)
    const after = patched(registry, as, attributes, before, patchType, value)
    if (same(after, before)) return false
    await replaceObject(registry, as, attributes, after)
    return true
  }
}

async function evaluated(evaluation: Evaluation, expression: Expression): Promise<unknown> {
  try {
    return await evaluation.evaluate(expression, createBudget(POLICY_COST))
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    throw new CelError(`expression '${expression.text}' resulted in error: ${error.message}`)
  }
}

const named = ({ policy }: Definition<Binding, Changes>, { metadata }: Binding, message: string): string =>
  `policy '${policy.metadata.name}' with binding '${metadata.name}' denied request: ${message}`

/** The first failure is the answer, with all of them as its causes. */
function denied(attributes: Attributes, failures: Failure[]): StatusError {
  const { status } = forbidden(attributes, 'admission request denied by policy')
  const [{ message, reason = status.reason }] = failures as [Failure]
  const causes = failures.map(failure => ({ message: failure.message }))
  return new StatusError({ ...status, message, reason, details: { ...status.details, causes } })
}
