import { resources } from '../../api/index.ts'
import type { Component } from '../../base/index.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { Grants } from '../authz/rbac/grants.ts'
import type { Registry } from '../registry/registry.ts'
import type { WebhookClient } from '../webhook/client.ts'
import { type AdmissionPlugin, chain } from './admission.ts'
import { byNamespace } from './by-namespace.ts'
import { certificatePlugins } from './certificates.ts'
import { createInstead } from './create-instead.ts'
import { defaultIngressClass, defaultStorageClass } from './default-classes.ts'
import { defaultTolerationSeconds, TOLERATION_SECONDS, type TolerationSeconds } from './default-toleration-seconds.ts'
import { limitRanger } from './limit-ranger.ts'
import type { Equivalents } from './match/rules.ts'
import { AdmissionMetrics } from './metrics.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { taintNodesByCondition } from './node-taint.ts'
import type { PluginConfigurations } from './optional/index.ts'
import { runningPlugins } from './order.ts'
import { podResizeValidator } from './pod-resize.ts'
import type { PodSecurityConfiguration } from './pod-security/config.ts'
import { podSecurity } from './pod-security/index.ts'
import { podTopologyLabels } from './pod-topology.ts'
import { policyAccess } from './policies/access.ts'
import { admissionPolicies } from './policies/index.ts'
import { priority } from './priority.ts'
import { resourceQuota } from './quota/index.ts'
import { roleEscalation } from './role-escalation.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccounts } from './service-account.ts'
import { storageObjectInUseProtection } from './storage-protection.ts'
import { persistentVolumeClaimResize } from './volume-resize.ts'
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
  /** What the administrator has written for plugins, by their names. */
  configurations?: PluginConfigurations
  tolerationSeconds?: TolerationSeconds
}

export interface StartedAdmission extends Component {
  metrics: AdmissionMetrics
}

/**
 * Gives the registry its admission: the plugins in the order in which upstream runs them. Resolves when what is configured
 * has been read.
 */
export async function startAdmission(
  registry: Registry,
  {
    webhookClient,
    authorizer,
    grants,
    disabled = [],
    enabled = [],
    configurations = {},
    tolerationSeconds = TOLERATION_SECONDS,
  }: AdmissionOptions,
): Promise<StartedAdmission> {
  const { reader, random } = registry
  const equivalents = equivalentsIn(registry)
  const metrics = new AdmissionMetrics()
  const policies = await admissionPolicies({ registry, authorizer, equivalents, metrics })
  const webhooks = await admissionWebhooks({ registry, client: webhookClient, authorizer, equivalents, metrics })
  const [ranges, quotas] = await Promise.all([
    byNamespace(registry, resources.limitRanges),
    byNamespace(registry, resources.resourceQuotas),
  ])
  const security = await podSecurity(registry, metrics, configurations.PodSecurity as PodSecurityConfiguration)
  const plugins: AdmissionPlugin[] = [
    namespaceLifecycle(reader),
    limitRanger(ranges),
    serviceAccounts(reader, random),
    nodeRestriction(reader, authorizer),
    taintNodesByCondition,
    security,
    priority(reader),
    defaultTolerationSeconds(tolerationSeconds),
    defaultStorageClass(reader),
    storageObjectInUseProtection,
    persistentVolumeClaimResize(reader),
    runtimeClass(reader),
    ...certificatePlugins(authorizer),
    defaultIngressClass(reader),
    podTopologyLabels(reader),
    podResizeValidator(reader),
    policies.mutating,
    webhooks.mutating,
    policies.validating,
    webhooks.validating,
  ]
  const running = runningPlugins(enabled, disabled)
  if (enabled.length)
    plugins.push(...(await import('./optional/index.ts')).optionalPlugins(registry, authorizer, configurations))
  const on = (each: AdmissionPlugin[]) => running.flatMap(name => each.find(plugin => plugin.name === name) ?? [])
  registry.admission = chain([
    createInstead(authorizer),
    ...on(plugins),
    roleEscalation(grants, authorizer),
    policyAccess(registry, authorizer),
    // Last, since it takes from the quotas what then has to be written.
    ...on([resourceQuota(registry, quotas)]),
  ])
  return {
    metrics,
    async stop() {
      await Promise.all([security, policies, webhooks, ranges, quotas].map(each => each.stop()))
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
