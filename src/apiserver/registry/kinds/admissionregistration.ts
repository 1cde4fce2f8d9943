import { type admissionregistration, type FieldError, names } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { complaints, each, invalid, oneOf, optionalOneOf, required, unique } from '../validation/field.ts'
import { validateLabelSelector } from '../validation/selectors.ts'

/** Source: k8s.io/kubernetes/pkg/apis/admissionregistration/v1/defaults.go, pkg/apis/admissionregistration/validation */

type Webhook = admissionregistration.ValidatingWebhook & Partial<admissionregistration.MutatingWebhook>
type Rule = admissionregistration.RuleWithOperations

const FAILURE_POLICIES = ['Fail', 'Ignore']
const MATCH_POLICIES = ['Equivalent', 'Exact']
const OPERATIONS = ['*', 'CREATE', 'UPDATE', 'DELETE', 'CONNECT']
const HTTPS = 443

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
  if (!!clientConfig?.url === !!clientConfig?.service) {
    problems.push(required(`${path}.clientConfig`, 'exactly one of url or service is required'))
  }
  return problems
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
    return [
      ...problems,
      ...each(spec.validations, 'spec.validations', ({ expression }, path) =>
        expression?.trim() ? [] : [required(`${path}.expression`, 'expression is not specified')],
      ),
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
    const problems = spec.matchConstraints ? [] : [required('spec.matchConstraints')]
    return spec.mutations?.length
      ? problems
      : [...problems, required('spec.mutations', 'mutations must contain at least one item')]
  },
}

type Binding =
  | admissionregistration.ValidatingAdmissionPolicyBinding
  | admissionregistration.MutatingAdmissionPolicyBinding

export const policyBindingStrategy: Strategy<Binding> = {
  allowUnconditionalUpdate: false,
  defaults: ({ spec }) => defaultMatch(spec.matchResources),
  validate: ({ spec }) => (spec.policyName ? [] : [required('spec.policyName')]),
}
