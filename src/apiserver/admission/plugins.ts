import type { Component } from '../../base/index.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { Grants } from '../authz/rbac/grants.ts'
import type { Registry } from '../registry/registry.ts'
import type { WebhookClient } from '../webhook/client.ts'
import { chain } from './admission.ts'
import { certificatePlugins } from './certificates.ts'
import { createInstead } from './create-instead.ts'
import { defaultTolerationSeconds, TOLERATION_SECONDS, type TolerationSeconds } from './default-toleration-seconds.ts'
import type { Equivalents } from './match/rules.ts'
import { AdmissionMetrics } from './metrics.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { policyAccess } from './policies/access.ts'
import { admissionPolicies } from './policies/index.ts'
import { priority } from './priority.ts'
import { roleEscalation } from './role-escalation.ts'
import { serviceAccounts } from './service-account.ts'
import { admissionWebhooks } from './webhooks/index.ts'

export interface AdmissionOptions {
  webhookClient: WebhookClient
  /** Answers what expressions ask it. */
  authorizer: Authorizer
  /** Who has which rights, so that nobody gives others more. */
  grants: Grants
  /** Names of plugins that do not run. */
  disabled?: string[]
  /** Names of plugins that run although they usually do not. */
  enabled?: string[]
  tolerationSeconds?: TolerationSeconds
}

export interface StartedAdmission extends Component {
  metrics: AdmissionMetrics
}

/** Plugins that run only where they are asked for. */
const USUALLY_OFF = ['NodeRestriction']

/**
 * Gives the registry its admission: the plugins in the order in which upstream runs them. Resolves when what is configured
 * has been read. Source: k8s.io/kubernetes/pkg/kubeapiserver/options/plugins.go AllOrderedPlugins
 */
export async function startAdmission(
  registry: Registry,
  {
    webhookClient,
    authorizer,
    grants,
    disabled = [],
    enabled = [],
    tolerationSeconds = TOLERATION_SECONDS,
  }: AdmissionOptions,
): Promise<StartedAdmission> {
  const { reader, random } = registry
  const equivalents = equivalentsIn(registry)
  const metrics = new AdmissionMetrics()
  const policies = await admissionPolicies({ registry, authorizer, equivalents, metrics })
  const webhooks = await admissionWebhooks({ registry, client: webhookClient, authorizer, equivalents, metrics })
  const plugins = [
    namespaceLifecycle(reader),
    serviceAccounts(reader, random),
    nodeRestriction(reader, authorizer),
    priority(reader),
    defaultTolerationSeconds(tolerationSeconds),
    ...certificatePlugins(authorizer),
    policies.mutating,
    webhooks.mutating,
    policies.validating,
    webhooks.validating,
  ]
  const off = [...USUALLY_OFF.filter(name => !enabled.includes(name)), ...disabled]
  registry.admission = chain([
    createInstead(authorizer),
    ...plugins.filter(({ name }) => !off.includes(name)),
    roleEscalation(grants, authorizer),
    policyAccess(registry, authorizer),
  ])
  return {
    metrics,
    async stop() {
      await policies.stop()
      await webhooks.stop()
    },
  }
}

/** A resource is the same in all versions that are stored as one. */
const equivalentsIn =
  ({ served, resources }: Registry): Equivalents =>
  stored => [
    stored,
    ...resources.all().filter(each => {
      const { conversion, custom } = served(each)
      const sameName = each.group === stored.group && each.resource === stored.resource
      return each !== stored && (conversion?.stored === stored || (custom && sameName))
    }),
  ]
