import { allResources } from '../../api/index.ts'
import type { Component } from '../../base/index.ts'
import type { Registry } from '../registry/registry.ts'
import type { WebhookClient } from '../webhook/client.ts'
import { chain } from './admission.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import type { Equivalents } from './match/rules.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { priority } from './priority.ts'
import { serviceAccounts } from './service-account.ts'
import { admissionWebhooks } from './webhooks/index.ts'

export interface AdmissionOptions {
  webhookClient: WebhookClient
  /** Names of plugins that do not run. */
  disabled?: string[]
}

/**
 * Gives the registry its admission: the plugins in the order in which upstream runs them. Resolves when what is configured
 * has been read. Source: k8s.io/kubernetes/pkg/kubeapiserver/options/plugins.go AllOrderedPlugins
 */
export async function startAdmission(
  registry: Registry,
  { webhookClient, disabled = [] }: AdmissionOptions,
): Promise<Component> {
  const { reader, random } = registry
  const webhooks = await admissionWebhooks(registry, { client: webhookClient, equivalents: equivalentsIn(registry) })
  const plugins = [
    namespaceLifecycle(reader),
    serviceAccounts(reader, random),
    priority(reader),
    defaultTolerationSeconds,
    webhooks.mutating,
    webhooks.validating,
  ]
  registry.admission = chain(plugins.filter(({ name }) => !disabled.includes(name)))
  return webhooks
}

/** A resource is the same in all versions that are stored as one. */
const equivalentsIn =
  ({ served }: Registry): Equivalents =>
  stored => [stored, ...allResources.filter(each => served(each).conversion?.stored === stored)]
