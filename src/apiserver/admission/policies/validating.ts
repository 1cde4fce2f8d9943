import { type admissionregistration, errors, type KubeObject, type StatusError } from '../../../api/index.ts'
import { CelError } from '../../cel/index.ts'
import type { AdmissionPlugin, Attributes } from '../admission.ts'
import { conditionsHold, Evaluation, type Expression, policyExpression } from '../expressions.ts'
import type { Definition, Definitions, Match } from './definitions.ts'
import type { PolicyOptions } from './index.ts'
import { Misconfigured, paramsOf } from './params.ts'

type Policy = admissionregistration.ValidatingAdmissionPolicy
type Binding = admissionregistration.ValidatingAdmissionPolicyBinding

/** The checks of a policy, compiled. */
export interface Checks {
  validations: {
    expression: Expression
    message?: string
    messageExpression?: Expression
    reason?: string
  }[]
  annotations: Expression[]
}

export const checksOf = ({ spec: { validations, auditAnnotations } }: Policy): Checks => ({
  validations: (validations ?? []).map(({ expression, message, messageExpression, reason }) => ({
    expression: policyExpression(expression),
    message,
    reason,
    ...(messageExpression ? { messageExpression: policyExpression(messageExpression) } : {}),
  })),
  annotations: (auditAnnotations ?? []).map(({ valueExpression }) => policyExpression(valueExpression)),
})

/** One check that did not pass. */
interface Refusal {
  message: string
  reason?: string
}

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/ */
export const validatingPolicies = (
  definitions: Definitions<Policy, Binding, Checks>,
  options: PolicyOptions,
): AdmissionPlugin => ({
  name: 'ValidatingAdmissionPolicy',
  validate(attributes) {
    const matches = definitions.matching(attributes)
    if (matches.length) return validateAll(definitions, matches, attributes, options)
  },
})

async function validateAll(
  definitions: Definitions<Policy, Binding, Checks>,
  matches: Match<Binding, Checks>[],
  attributes: Attributes,
  options: PolicyOptions,
): Promise<void> {
  const denials: StatusError[] = []
  for (const { definition, as } of matches) {
    const { policy, bindings } = definition
    const { reader } = options.registry
    if (!(await definitions.selects(policy.spec.matchConstraints, attributes, reader, false))) continue
    for (const binding of bindings) {
      if (!(await definitions.selects(binding.spec.matchResources, attributes, reader, true))) continue
      const refusals = await refusalsOf(definition, binding, as, attributes, options)
      act(policy.metadata.name, binding, attributes, refusals, denials)
    }
  }
  if (denials[0]) throw denials[0]
}

/** Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating dispatcher.go */
function act(
  policy: string,
  { metadata, spec }: Binding,
  attributes: Attributes,
  refusals: Refusal[],
  denials: StatusError[],
): void {
  const named = `ValidatingAdmissionPolicy '${policy}' with binding '${metadata.name}'`
  for (const { message, reason } of refusals) {
    if (spec.validationActions.includes('Deny'))
      denials.push(denied(attributes, `${named} denied request: ${message}`, reason))
    if (spec.validationActions.includes('Warn'))
      attributes.warnings.push(
        `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${metadata.name}': ${message}`,
      )
  }
}

async function refusalsOf(
  definition: Definition<Binding, Checks>,
  binding: Binding,
  as: Match<Binding, Checks>['as'],
  attributes: Attributes,
  { registry, authorizer }: PolicyOptions,
): Promise<Refusal[]> {
  const fails = definition.policy.spec.failurePolicy !== 'Ignore'
  const failure = (message: string): Refusal[] => (fails ? [{ message }] : [])
  let params: (KubeObject | null)[]
  try {
    params = await paramsOf(registry, definition.policy, binding, attributes)
  } catch (error) {
    if (error instanceof Misconfigured) return failure(error.message)
    throw error
  }
  const found: Refusal[] = []
  for (const param of params) {
    const evaluation = await Evaluation.begin(registry, authorizer, as, attributes)
    evaluation.setParams(param)
    evaluation.define(definition.variables)
    const held = await conditionsHold(definition.conditions, evaluation)
    if (typeof held === 'string') found.push(...failure(held))
    else if (held) found.push(...(await check(definition.own, evaluation, failure)))
  }
  return found
}

async function check(
  { validations, annotations }: Checks,
  evaluation: Evaluation,
  failure: (message: string) => Refusal[],
): Promise<Refusal[]> {
  const found: Refusal[] = []
  const guarded = async (expression: Expression, run: () => Promise<void>) => {
    try {
      await run()
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      found.push(...failure(`expression '${expression.text}' resulted in error: ${error.message}`))
    }
  }
  for (const { expression, message, messageExpression, reason } of validations)
    await guarded(expression, async () => {
      if ((await evaluation.evaluate(expression)) === true) return
      const made = messageExpression && (await messageOf(messageExpression, evaluation))
      found.push({ message: made ?? message?.trim() ?? `failed expression: ${oneLine(expression.text)}`, reason })
    })
  // Nothing is kept of what they say; one that cannot be evaluated counts all the same.
  for (const annotation of annotations)
    await guarded(annotation, async () => {
      await evaluation.evaluate(annotation)
    })
  return found
}

const MAX_MESSAGE = 5 * 1024

/** Undefined when it makes nothing that could be shown. */
async function messageOf(expression: Expression, evaluation: Evaluation): Promise<string | undefined> {
  try {
    const made = await evaluation.evaluate(expression)
    if (typeof made !== 'string') return undefined
    const text = made.trim()
    return text && !text.includes('\n') && text.length <= MAX_MESSAGE ? text : undefined
  } catch (error) {
    if (error instanceof CelError) return undefined
    throw error
  }
}

const oneLine = (text: string) => text.trim().replace(/\r?\n/g, ' ')

const CODES: Record<string, number> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413, Invalid: 422 }

function denied({ requested, name, object }: Attributes, message: string, reason = 'Invalid'): StatusError {
  const shown = name || object?.metadata.name || object?.metadata.generateName || 'Unknown'
  const error = errors.forbidden(requested, shown, message)
  error.status.reason = reason
  error.status.code = CODES[reason] ?? 422
  error.status.details = { ...error.status.details, causes: [{ message }] }
  return error
}
