import type { admissionregistration, KubeObject, Resource, StatusError } from '../../../api/index.ts'
import { CelError, createBudget } from '../../cel/index.ts'
import { type AdmissionPlugin, type Attributes, annotate, forbidden } from '../admission.ts'
import {
  conditionsHold,
  Evaluation,
  type Expression,
  failedExpression,
  OutOfBudget,
  POLICY_COST,
  policyExpression,
} from '../expressions.ts'
import { enclosingNamespace } from '../match/selectors.ts'
import type { PolicyCheck } from '../metrics.ts'
import { AuditValues } from './audit.ts'
import type { Definition, Definitions, Match } from './definitions.ts'
import type { PolicyOptions } from './index.ts'
import { Misconfigured, paramsOf, policyProblem } from './params.ts'

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
  annotations: { key: string; expression: Expression }[]
}

export const checksOf = ({ spec: { validations, auditAnnotations } }: Policy): Checks => ({
  validations: (validations ?? []).map(({ expression, message, messageExpression, reason }) => ({
    expression: policyExpression(expression),
    message,
    reason,
    ...(messageExpression ? { messageExpression: policyExpression(messageExpression) } : {}),
  })),
  annotations: (auditAnnotations ?? []).map(({ key, valueExpression }) => ({
    key,
    expression: policyExpression(valueExpression),
  })),
})

/** One check that did not pass. */
interface Refusal {
  message: string
  reason?: string | undefined
  /** Which of the policy's validations. */
  index: number
  /** It is not that the object is wrong: the check could not be made. */
  error?: PolicyCheck['error_type']
  /** Whatever the binding says is to be done, the request is refused. */
  always?: boolean
  /** How long it took to find out. */
  seconds?: number
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
  const { registry } = options
  for (const { definition } of matches) {
    const { policy, bindings } = definition
    const { name } = policy.metadata
    const as = await definitions.selected(policy.spec.matchConstraints, attributes, registry.reader, false)
    if (!as) continue
    const problem = policyProblem(registry, policy)
    if (problem) {
      if (!isLenient(policy))
        denials.push(denied(attributes, `ValidatingAdmissionPolicy '${name}' denied request: ${problem}`))
      continue
    }
    const audited = new AuditValues()
    for (const binding of bindings) {
      if (!(await definitions.selected(binding.spec.matchResources, attributes, registry.reader, true))) continue
      const refusals = await refusalsOf(definition, binding, as, attributes, options, audited)
      for (const refusal of refusals) act(name, binding, attributes, refusal, denials, options)
    }
    audited.tell(name, attributes)
  }
  if (denials[0]) throw denials[0]
}

const isLenient = (policy: Definition<Binding, Checks>['policy']) => policy.spec.failurePolicy === 'Ignore'

/** Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating dispatcher.go */
function act(
  policy: string,
  { metadata: { name }, spec: { validationActions: actions } }: Binding,
  attributes: Attributes,
  { message, reason, index, always, error = 'no_error', seconds = 0 }: Refusal,
  denials: StatusError[],
  { metrics }: PolicyOptions,
): void {
  const observe = (action: NonNullable<PolicyCheck['enforcement_action']>) =>
    metrics.policyChecked(
      'validating',
      { policy, policy_binding: name, error_type: error, enforcement_action: action },
      seconds,
    )
  for (const action of always ? ['Deny'] : actions) {
    if (action === 'Deny') {
      const named = `ValidatingAdmissionPolicy '${policy}' with binding '${name}'`
      denials.push(denied(attributes, `${named} denied request: ${message}`, reason))
      observe('deny')
    } else if (action === 'Warn') {
      attributes.warnings.push(
        `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${name}': ${message}`,
      )
      observe('warn')
    } else if (action === 'Audit') {
      const failure = { message, policy, binding: name, expressionIndex: index, validationActions: actions }
      annotate(attributes, 'validation.policy.admission.k8s.io/validation_failure', JSON.stringify([failure]))
      observe('audit')
    }
  }
}

async function refusalsOf(
  definition: Definition<Binding, Checks>,
  binding: Binding,
  as: Resource,
  attributes: Attributes,
  { registry, authorizer }: PolicyOptions,
  audited: AuditValues,
): Promise<Refusal[]> {
  const lenient = isLenient(definition.policy)
  let params: (KubeObject | null)[]
  try {
    params = await paramsOf(registry, definition.policy, binding, attributes)
  } catch (error) {
    if (!(error instanceof Misconfigured)) throw error
    return lenient ? [] : [{ message: `failed to configure binding: ${error.message}`, index: 0, always: true }]
  }
  const found: Refusal[] = []
  const begin = async (param: KubeObject | null, namespace?: KubeObject) => {
    const evaluation = await Evaluation.begin(registry, authorizer, as, attributes, namespace)
    evaluation.setParams(param)
    evaluation.define(definition.variables)
    return evaluation
  }
  for (const param of params) {
    const held = definition.conditions.length ? await conditionsHold(definition.conditions, await begin(param)) : true
    if (typeof held === 'string') {
      if (!lenient) found.push({ message: held, index: 0, error: 'invalid_error' })
      continue
    }
    if (!held) continue
    const evaluation = await begin(param, await enclosingNamespace(attributes, registry.reader))
    const started = registry.clock.monotonic()
    const problems = await check(definition.own, evaluation, audited)
    const seconds = (registry.clock.monotonic() - started) / 1000
    found.push(...problems.filter(({ error }) => !lenient || !error).map(problem => ({ ...problem, seconds })))
  }
  return found
}

async function check(
  { validations, annotations }: Checks,
  evaluation: Evaluation,
  audited: AuditValues,
): Promise<Refusal[]> {
  const found: Refusal[] = []
  const budget = createBudget(POLICY_COST)
  for (const [index, { expression, message, messageExpression, reason }] of validations.entries()) {
    try {
      if ((await evaluation.evaluate(expression, budget)) === true) continue
      const made = messageExpression && (await messageOf(messageExpression, evaluation, budget.left))
      const text = made || message?.trim() || `failed expression: ${expression.text.trim()}`
      found.push({ message: text, reason, index })
    } catch (error) {
      if (error instanceof OutOfBudget) return [{ message: error.message, index: 0, error: 'out_of_budget' }]
      if (!(error instanceof CelError)) throw error
      found.push({ message: failedExpression(expression, error), index, error: 'invalid_error' })
    }
  }
  const apart = createBudget(POLICY_COST)
  for (const { key, expression } of annotations) {
    try {
      const value = await evaluation.evaluate(expression, apart)
      if (typeof value === 'string') audited.add(key, value.trim())
    } catch (error) {
      if (error instanceof OutOfBudget) return [{ message: error.message, index: 0, error: 'out_of_budget' }]
      if (!(error instanceof CelError)) throw error
      found.push({ message: failedExpression(expression, error), index: 0, error: 'invalid_error', always: true })
    }
  }
  return found
}

const MAX_MESSAGE = 5 * 1024

/** Undefined when it makes nothing that could be shown. */
async function messageOf(expression: Expression, evaluation: Evaluation, left: number): Promise<string | undefined> {
  try {
    const made = await evaluation.evaluate(expression, createBudget(left))
    if (typeof made !== 'string') return undefined
    const text = made.trim()
    return text.includes('\n') || Buffer.byteLength(text) > MAX_MESSAGE ? undefined : text
  } catch (error) {
    if (error instanceof CelError) return undefined
    throw error
  }
}

const CODES: Record<string, number> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413, Invalid: 422 }

function denied(attributes: Attributes, message: string, reason = 'Invalid'): StatusError {
  const error = forbidden(attributes, message)
  error.status.reason = reason
  error.status.code = CODES[reason] ?? 422
  error.status.details = { ...error.status.details, causes: [{ message }] }
  return error
}
