import { type admissionregistration, apiVersion, errors, type KubeObject, type Resource } from '../../../api/index.ts'
import { codecFor, DecodeError } from '../../../encoding/index.ts'
import { applyJsonPatch, mergeConfiguration, modelSchema, PatchError, type Schema } from '../../../patch/index.ts'
import { CelError, Dict, fromCel, List } from '../../cel/index.ts'
import { schemaOf } from '../../registry/ownership.ts'
import type { Registry } from '../../registry/registry.ts'
import { same } from '../../registry/validation/field.ts'
import type { AdmissionPlugin, Attributes } from '../admission.ts'
import { conditionsHold, Evaluation, type Expression, policyExpression } from '../expressions.ts'
import { inVersion, replaceObject } from '../match/versions.ts'
import { Round } from '../reinvocation.ts'
import type { Definitions, Match } from './definitions.ts'
import type { PolicyOptions } from './index.ts'
import { Misconfigured, paramsOf } from './params.ts'

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

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/ */
export function mutatingPolicies(
  definitions: Definitions<Policy, Binding, Changes>,
  options: PolicyOptions,
): AdmissionPlugin {
  const rounds = new WeakMap<Attributes, Round>()
  return {
    name: 'MutatingAdmissionPolicy',
    mutate(attributes) {
      if (!attributes.object || attributes.operation === 'CONNECT') return
      const matches = definitions.matching(attributes)
      if (matches.length) return mutateAll(matches, attributes)
    },
  }

  async function mutateAll(matches: Match<Binding, Changes>[], attributes: Attributes) {
    const again = attributes.reinvocation === 'running'
    const round = rounds.get(attributes) ?? new Round()
    rounds.set(attributes, round)
    if (again) round.begin(attributes)
    const { reader } = options.registry
    for (const match of matches) {
      const { policy, bindings, own } = match.definition
      if (!(await definitions.selects(policy.spec.matchConstraints, attributes, reader, false))) continue
      for (const binding of bindings) {
        const id = `${policy.metadata.name}/${binding.metadata.name}`
        if (again && !round.isDue(id)) continue
        if (!(await definitions.selects(binding.spec.matchResources, attributes, reader, true))) continue
        if (await mutateBound(match, binding, attributes, options)) round.changed(attributes)
        if (own.again) round.called(id)
      }
    }
    round.end(attributes)
  }
}

/** Whether the object has changed. */
async function mutateBound(
  { definition: { policy, own, variables, conditions }, as }: Match<Binding, Changes>,
  binding: Binding,
  attributes: Attributes,
  { registry, authorizer }: PolicyOptions,
): Promise<boolean> {
  const fail = (message: string) => {
    if (policy.spec.failurePolicy === 'Ignore') return false
    const shown = attributes.name || attributes.object?.metadata.generateName || 'Unknown'
    const named = `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${message}`
    throw errors.forbidden(attributes.requested, shown, named)
  }
  let changed = false
  try {
    for (const params of await paramsOf(registry, policy, binding, attributes)) {
      const begin = async () => {
        const evaluation = await Evaluation.begin(registry, authorizer, as, attributes)
        evaluation.setParams(params)
        evaluation.define(variables)
        return evaluation
      }
      const held = await conditionsHold(conditions, await begin())
      if (typeof held === 'string') fail(held)
      if (held !== true) continue
      for (const mutation of own.mutations)
        if (await mutate(registry, as, attributes, await begin(), mutation)) changed = true
    }
  } catch (error) {
    const known = error instanceof CelError || error instanceof Misconfigured || error instanceof PatchError
    if (known || error instanceof DecodeError) fail(messageOf(error))
    else throw error
  }
  return changed
}

const messageOf = (error: Error) => (error instanceof PatchError ? String(error.cause ?? error.message) : error.message)

async function mutate(
  registry: Registry,
  as: Resource,
  attributes: Attributes,
  evaluation: Evaluation,
  { patchType, expression }: Changes['mutations'][number],
): Promise<boolean> {
  const before = (await inVersion(registry, as, attributes, attributes.object))!
  let made: unknown
  try {
    const value = await evaluation.evaluate(expression)
    made =
      patchType === 'JSONPatch'
        ? applyJsonPatch(before, operations(value))
        : mergeConfiguration(schemaFor(registry, as, attributes), before, configuration(value))
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    throw new CelError(`expression '${expression.text}' resulted in error: ${error.message}`)
  }
  const changed = decoded(registry, as, attributes, made)
  if (same(changed, before)) return false
  await replaceObject(registry, as, attributes, changed)
  return true
}

const schemaFor = ({ served }: Registry, as: Resource, { kind }: Attributes): Schema =>
  kind ? modelSchema(kind.type) : schemaOf(served(as))

/** A list of `JSONPatch{...}`. */
function operations(value: unknown): unknown {
  if (!(value instanceof List)) throw new CelError('type mismatch: JSONPatchType.expression must evaluate to array')
  return [...value].map(each => {
    if (each instanceof Dict && each.typeName === 'JSONPatch') return fromCel(each)
    throw new CelError('type mismatch: JSONPatchType.expression must evaluate to array of JSONPatch')
  })
}

/** `Object{...}`, in which neither the kind nor the version can be set. */
function configuration(value: unknown): object {
  if (!(value instanceof Dict) || value.typeName !== 'Object')
    throw new CelError('unexpected evaluation result: must be Object')
  return fromCel(value) as object
}

function decoded({ served }: Registry, as: Resource, { kind }: Attributes, made: unknown): KubeObject {
  const { codec, strategy } = kind ? { codec: codecFor<KubeObject>(kind.type), strategy: undefined } : served(as)
  const { object } = codec.decode(made)
  object.kind = (kind ?? as).kind
  object.apiVersion = apiVersion(kind ?? as)
  codec.default(object)
  strategy?.defaults?.(object)
  return object
}
