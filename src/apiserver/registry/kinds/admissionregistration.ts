import { type admissionregistration, type FieldError, names } from '../../../api/index.ts'
import { expressionProblem, type Wanted } from '../../admission/expressions.ts'
import type { Strategy } from '../strategy.ts'
import { complaints, each, forbidden, invalid, oneOf, optionalOneOf, required, unique } from '../validation/field.ts'
import { validateLabelSelector } from '../validation/selectors.ts'

/** Source: k8s.io/kubernetes/pkg/apis/admissionregistration/v1/defaults.go, pkg/apis/admissionregistration/validation */

type Webhook = admissionregistration.ValidatingWebhook & Partial<admissionregistration.MutatingWebhook>
type Rule = admissionregistration.RuleWithOperations

const FAILURE_POLICIES = ['Fail', 'Ignore']
const MATCH_POLICIES = ['Equivalent', 'Exact']
const OPERATIONS = ['*', 'CREATE', 'UPDATE', 'DELETE', 'CONNECT']
const HTTPS = 443
const MAX_CONDITIONS = 64

function defaultRules(rules: Rule[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*'
}

function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail'
  webhook.matchPolicy ??= 'Equivalent'
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= 10
  defaultRules(webhook.rules)
  if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= HTTPS
}

function validateWebhook(webhook: Webhook, path: string): FieldError[] {
  const { name, clientConfig, timeoutSeconds } = webhook
  const dots = name && name.split('.').length < 3
  const problems = dots
    ? [invalid(`${path}.name`, name, 'should be a domain with at least three segments separated by dots')]
    : complaints(`${path}.name`, name ?? '', names.dns1123SubdomainProblems(name ?? ''))
  if (!webhook.admissionReviewVersions?.length) {
    problems.push(required(`${path}.admissionReviewVersions`, 'must specify one of v1, v1beta1'))
  }
  problems.push(...optionalOneOf(`${path}.failurePolicy`, webhook.failurePolicy, FAILURE_POLICIES))
  problems.push(...optionalOneOf(`${path}.matchPolicy`, webhook.matchPolicy, MATCH_POLICIES))
  problems.push(...oneOf(`${path}.sideEffects`, webhook.sideEffects, ['None', 'NoneOnDryRun']))
  if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > 30)) {
    problems.push(
      invalid(`${path}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds'),
    )
  }
  problems.push(...each(webhook.rules, `${path}.rules`, validateRule))
  problems.push(...validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`))
  problems.push(...validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`))
  problems.push(...validateConditions(webhook.matchConditions, `${path}.matchConditions`, 'webhook'))
  if (!!clientConfig?.url === !!clientConfig?.service) {
    problems.push(required(`${path}.clientConfig`, 'exactly one of url or service is required'))
  }
  return problems
}

/** Source: k8s.io/kubernetes/pkg/apis/admissionregistration/validation validateMatchConditions */
function validateConditions(
  conditions: admissionregistration.MatchCondition[] | undefined,
  path: string,
  of: 'webhook' | 'policy',
  params?: boolean,
): FieldError[] {
  const tooMany: FieldError[] =
    (conditions?.length ?? 0) > MAX_CONDITIONS
      ? [
          {
            type: 'TooMany',
            field: path,
            value: conditions!.length,
            detail: `must have at most ${MAX_CONDITIONS} items`,
          },
        ]
      : []
  return [
    ...tooMany,
    ...each(conditions, path, ({ name, expression }, field) => [
      ...(name ? complaints(`${field}.name`, name, names.qualifiedNameProblems(name)) : [required(`${field}.name`)]),
      ...validateExpression(expression, `${field}.expression`, of, 'bool', params),
    ]),
    ...unique(conditions, path, ({ name }) => name, 'name'),
  ]
}

function validateExpression(
  expression: string | undefined,
  field: string,
  of: 'webhook' | 'policy',
  wanted: Wanted,
  params?: boolean,
): FieldError[] {
  if (!expression?.trim()) return [required(field)]
  const problem = expressionProblem(expression, of, wanted, params)
  return problem ? [invalid(field, expression, problem)] : []
}

/** What both kinds of policies have in common. */
function validatePolicy({
  matchConditions,
  variables,
  paramKind,
}: Pick<
  admissionregistration.ValidatingAdmissionPolicySpec,
  'matchConditions' | 'variables' | 'paramKind'
>): FieldError[] {
  const params = paramKind !== undefined
  return [
    ...validateConditions(matchConditions, 'spec.matchConditions', 'policy', params),
    ...each(variables, 'spec.variables', ({ name, expression }, path) => [
      ...(name ? complaints(`${path}.name`, name, names.cIdentifierProblems(name)) : [required(`${path}.name`)]),
      ...validateExpression(expression, `${path}.expression`, 'policy', 'any', params),
    ]),
    ...unique(variables, 'spec.variables', ({ name }) => name, 'name'),
  ]
}

function validateRule({ operations, apiGroups, apiVersions, resources }: Rule, path: string): FieldError[] {
  const lists = { operations, apiGroups, apiVersions, resources }
  return [
    ...Object.entries(lists).flatMap(([field, list]) => (list?.length ? [] : [required(`${path}.${field}`)])),
    ...each(operations, `${path}.operations`, (operation, field) => optionalOneOf(field, operation, OPERATIONS)),
  ]
}

type Configuration =
  | admissionregistration.MutatingWebhookConfiguration
  | admissionregistration.ValidatingWebhookConfiguration

const webhooks = (mutating: boolean): Strategy<Configuration> => ({
  defaults({ webhooks: all }) {
    for (const webhook of (all ?? []) as Webhook[]) {
      defaultWebhook(webhook)
      if (mutating) webhook.reinvocationPolicy ??= 'Never'
    }
  },
  validate: ({ webhooks: all }) => [
    ...each(all as Webhook[] | undefined, 'webhooks', validateWebhook),
    ...unique(all as Webhook[] | undefined, 'webhooks', ({ name }) => name, 'name'),
  ],
  generation: true,
  allowUnconditionalUpdate: false,
})

export const mutatingWebhookStrategy = webhooks(true)
export const validatingWebhookStrategy = webhooks(false)

function defaultMatch(match: admissionregistration.MatchResources | undefined): void {
  if (!match) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  defaultRules(match.resourceRules)
  defaultRules(match.excludeResourceRules)
}

export const validatingPolicyStrategy: Strategy<admissionregistration.ValidatingAdmissionPolicy> = {
  allowUnconditionalUpdate: false,
  defaults({ spec }) {
    spec.failurePolicy ??= 'Fail'
    defaultMatch(spec.matchConstraints)
  },
  validate({ spec }) {
    const problems: FieldError[] = []
    if (!spec.matchConstraints) problems.push(required('spec.matchConstraints'))
    if (!spec.validations?.length && !spec.auditAnnotations?.length) {
      problems.push(required('spec.validations', 'validations or auditAnnotations must contain at least one item'))
    }
    const params = spec.paramKind !== undefined
    return [
      ...problems,
      ...validatePolicy(spec),
      ...each(spec.validations, 'spec.validations', ({ expression, messageExpression }, path) => [
        ...(expression?.trim()
          ? validateExpression(expression, `${path}.expression`, 'policy', 'bool', params)
          : [required(`${path}.expression`, 'expression is not specified')]),
        ...(messageExpression
          ? validateExpression(messageExpression, `${path}.messageExpression`, 'policy', 'string', params)
          : []),
      ]),
      ...each(spec.auditAnnotations, 'spec.auditAnnotations', ({ key, valueExpression }, path) => [
        ...(key ? [] : [required(`${path}.key`)]),
        ...validateExpression(valueExpression, `${path}.valueExpression`, 'policy', 'any', params),
      ]),
    ]
  },
}

export const mutatingPolicyStrategy: Strategy<admissionregistration.MutatingAdmissionPolicy> = {
  allowUnconditionalUpdate: false,
  defaults({ spec }) {
    spec.failurePolicy ??= 'Fail'
    spec.reinvocationPolicy ??= 'Never'
    defaultMatch(spec.matchConstraints)
  },
  validate({ spec }) {
    const params = spec.paramKind !== undefined
    return [
      ...(spec.matchConstraints ? [] : [required('spec.matchConstraints')]),
      ...(spec.mutations?.length ? [] : [required('spec.mutations', 'mutations must contain at least one item')]),
      ...validatePolicy(spec),
      ...each(spec.mutations, 'spec.mutations', ({ patchType, jsonPatch, applyConfiguration }, path) => {
        const field = patchType === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration'
        const { expression } = (field === 'jsonPatch' ? jsonPatch : applyConfiguration) ?? {}
        return [
          ...oneOf(`${path}.patchType`, patchType, ['ApplyConfiguration', 'JSONPatch']),
          ...validateExpression(expression, `${path}.${field}.expression`, 'policy', 'any', params),
        ]
      }),
    ]
  },
}

type Binding =
  | admissionregistration.ValidatingAdmissionPolicyBinding
  | admissionregistration.MutatingAdmissionPolicyBinding

const ACTIONS = ['Audit', 'Deny', 'Warn']

export const policyBindingStrategy: Strategy<Binding> = {
  allowUnconditionalUpdate: false,
  defaults: ({ spec }) => defaultMatch(spec.matchResources),
  validate({ spec, kind }) {
    const problems = spec.policyName ? [] : [required('spec.policyName')]
    const { paramRef } = spec
    if (paramRef && !!paramRef.name === !!paramRef.selector)
      problems.push(
        paramRef.name
          ? forbidden('spec.paramRef.name', 'name and selector are mutually exclusive')
          : required('spec.paramRef', 'one of name or selector must be specified'),
      )
    if (paramRef && !paramRef.parameterNotFoundAction) problems.push(required('spec.paramRef.parameterNotFoundAction'))
    if (kind !== 'ValidatingAdmissionPolicyBinding') return problems
    const { validationActions: actions } = spec as admissionregistration.ValidatingAdmissionPolicyBindingSpec
    if (!actions?.length) return [...problems, required('spec.validationActions')]
    if (actions.includes('Deny') && actions.includes('Warn'))
      problems.push(
        invalid(
          'spec.validationActions',
          actions,
          'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
        ),
      )
    return [...problems, ...each(actions, 'spec.validationActions', (action, path) => oneOf(path, action, ACTIONS))]
  },
}
