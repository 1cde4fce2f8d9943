import type { Component } from '../../base/index.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { Registry } from '../registry/registry.ts'
import type { WebhookClient } from '../webhook/client.ts'
import { chain } from './admission.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import type { Equivalents } from './match/rules.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { admissionPolicies } from './policies/index.ts'
import { priority } from './priority.ts'
import { serviceAccounts } from './service-account.ts'
import { admissionWebhooks } from './webhooks/index.ts'

export interface AdmissionOptions {
  webhookClient: WebhookClient
  /** Answers what expressions ask it. */
  authorizer: Authorizer
  /** Names of plugins that do not run. */
  disabled?: string[]
}

/**
 * Gives the registry its admission: the plugins in the order in which upstream runs them. Resolves when what is configured
 * has been read. Source: k8s.io/kubernetes/pkg/kubeapiserver/options/plugins.go AllOrderedPlugins
 */
export async function startAdmission(
  registry: Registry,
  { webhookClient, authorizer, disabled = [] }: AdmissionOptions,
): Promise<Component> {
  const { reader, random } = registry
  const equivalents = equivalentsIn(registry)
  const policies = await admissionPolicies({ registry, authorizer, equivalents })
  const webhooks = await admissionWebhooks({ registry, client: webhookClient, authorizer, equivalents })
  const plugins = [
    namespaceLifecycle(reader),
    serviceAccounts(reader, random),
    priority(reader),
    defaultTolerationSeconds,
    policies.mutating,
    webhooks.mutating,
    policies.validating,
    webhooks.validating,
  ]
  registry.admission = chain(plugins.filter(({ name }) => !disabled.includes(name)))
  return {
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
