import { type admissionregistration, type FieldError, names } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { complaints, each, invalid, notSupported, required, same } from '../../validation/field.ts'
import { validateLabelSelector } from '../../validation/selectors.ts'
import { webhookServiceProblems, webhookUrlProblems } from '../../validation/webhook.ts'
import { beforeValidation, validateConditions } from './conditions.ts'
import {
  defaultRules,
  FAILURE_POLICIES,
  isBadSelector,
  MATCH_POLICIES,
  REINVOCATION_POLICIES,
  supported,
  validateRule,
  withUniqueNames,
} from './rules.ts'

/** Source: k8s.io/kubernetes/pkg/apis/admissionregistration/v1/defaults.go, pkg/apis/admissionregistration/validation */

type Webhook = admissionregistration.ValidatingWebhook & Partial<admissionregistration.MutatingWebhook>
type Configuration =
  | admissionregistration.MutatingWebhookConfiguration
  | admissionregistration.ValidatingWebhookConfiguration

const HTTPS = 443
const REVIEW_VERSIONS = ['v1', 'v1beta1']
const NO_SIDE_EFFECTS = ['None', 'NoneOnDryRun']
const SIDE_EFFECTS = ['None', 'NoneOnDryRun', 'Some', 'Unknown']

const webhooks = (mutating: boolean): Strategy<Configuration> => ({
  ...beforeValidation,
  defaults({ webhooks: all }) {
    for (const webhook of (all ?? []) as Webhook[]) {
      defaultWebhook(webhook)
      if (mutating) webhook.reinvocationPolicy ??= 'Never'
    }
  },
  validate({ webhooks: all }, old) {
    const wanted = toleranceOf(all as Webhook[] | undefined, old?.webhooks as Webhook[] | undefined)
    const check = (webhook: Webhook, path: string) => validateWebhook(webhook, path, wanted)
    const list = all as Webhook[] | undefined
    return wanted.uniqueNames ? withUniqueNames(list, 'webhooks', check) : each(list, 'webhooks', check)
  },
  generation: true,
  allowUnconditionalUpdate: false,
})

export const mutatingWebhookStrategy = webhooks(true)
export const validatingWebhookStrategy = webhooks(false)

function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail'
  webhook.matchPolicy ??= 'Equivalent'
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= 10
  defaultRules(webhook.rules)
  if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= HTTPS
}

/** What is asked of webhooks. An update may keep what the object had although it was not right. */
interface Wanted {
  noSideEffects: boolean
  knownVersion: boolean
  uniqueNames: boolean
  goodSelectors: boolean
  conditions: boolean
}

function toleranceOf(webhooks: Webhook[] = [], old: Webhook[] | undefined): Wanted {
  const before = old ?? []
  return {
    noSideEffects: before.every(({ sideEffects }) => NO_SIDE_EFFECTS.includes(sideEffects)),
    knownVersion: before.every(({ admissionReviewVersions: versions }) => !versions?.length || isKnown(versions)),
    uniqueNames: new Set(before.map(({ name }) => name)).size === before.length,
    goodSelectors: !before.some(({ namespaceSelector, objectSelector }) =>
      [namespaceSelector, objectSelector].some(isBadSelector),
    ),
    conditions: !(
      old &&
      same(
        webhooks.map(({ matchConditions }) => matchConditions ?? []),
        old.map(({ matchConditions }) => matchConditions ?? []),
      )
    ),
  }
}

const isKnown = (versions: string[]) => versions.some(version => REVIEW_VERSIONS.includes(version))

function validateWebhook(webhook: Webhook, path: string, wanted: Wanted): FieldError[] {
  const { clientConfig, timeoutSeconds, sideEffects, reinvocationPolicy } = webhook
  const allowed = wanted.noSideEffects ? NO_SIDE_EFFECTS : SIDE_EFFECTS
  const field = `${path}.sideEffects`
  return [
    ...validateName(webhook.name, `${path}.name`),
    ...each(webhook.rules, `${path}.rules`, validateRule),
    ...supported(`${path}.failurePolicy`, webhook.failurePolicy, FAILURE_POLICIES),
    ...supported(`${path}.matchPolicy`, webhook.matchPolicy, MATCH_POLICIES),
    ...(sideEffects === undefined
      ? [required(field, `must specify one of ${allowed.join(', ')}`)]
      : allowed.includes(sideEffects)
        ? []
        : [notSupported(field, sideEffects, allowed)]),
    ...(timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > 30)
      ? [invalid(`${path}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds')]
      : []),
    ...(wanted.goodSelectors
      ? [
          ...validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`),
          ...validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`),
        ]
      : []),
    ...supported(`${path}.reinvocationPolicy`, reinvocationPolicy, REINVOCATION_POLICIES),
    ...validateClient(clientConfig ?? {}, `${path}.clientConfig`),
    ...(wanted.conditions
      ? validateConditions(webhook.matchConditions, `${path}.matchConditions`, { of: 'webhook' })
      : []),
    ...validateVersions(webhook.admissionReviewVersions, `${path}.admissionReviewVersions`, wanted.knownVersion),
  ]
}

/** Source: k8s.io/apimachinery/pkg/util/validation IsFullyQualifiedName */
function validateName(name: string | undefined, field: string): FieldError[] {
  if (!name) return [required(field)]
  const problems = names.dns1123SubdomainProblems(name)
  if (problems.length) return [invalid(field, name, problems.join(','))]
  return name.split('.').length < 3
    ? [invalid(field, name, 'should be a domain with at least three segments separated by dots')]
    : []
}

function validateClient({ url, service }: admissionregistration.WebhookClientConfig, path: string): FieldError[] {
  if ((url === undefined) === (service === undefined))
    return [required(path, 'exactly one of url or service is required')]
  if (url !== undefined) return webhookUrlProblems(`${path}.url`, url)
  const { name = '', namespace = '', ...rest } = service!
  // Upstream hands the two over in the wrong order here, and so names the one where the other is missing.
  return webhookServiceProblems(`${path}.service`, { ...rest, name: namespace, namespace: name })
}

function validateVersions(versions: string[] = [], path: string, knownVersion: boolean): FieldError[] {
  if (versions.length === 0) return [required(path, `must specify one of ${REVIEW_VERSIONS.join(', ')}`)]
  const problems = each(versions, path, (version, field, index) =>
    versions.indexOf(version) < index
      ? [invalid(field, version, 'duplicate version')]
      : complaints(field, version, names.dns1035LabelProblems(version)),
  )
  return knownVersion && !isKnown(versions)
    ? [...problems, invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`)]
    : problems
}
