import type { Component } from '../../base/index.ts'
import type { Registry } from '../registry/registry.ts'
import { type Authorizer, alwaysAllow, alwaysDeny, inOrder } from './authorizer.ts'
import { nodeAuthorizer } from './node/authorizer.ts'
import { rbacAuthorizer } from './rbac/authorizer.ts'
import { Grants } from './rbac/grants.ts'
import type { WebhookConfig } from './webhook.ts'

/** One way to judge access. Source: apiserver.config.k8s.io/v1 AuthorizerConfiguration */
export type AuthorizerConfig =
  | { type: 'Node' | 'RBAC' | 'AlwaysAllow' | 'AlwaysDeny' }
  /** `policy`: the text of the policy file. */
  | { type: 'ABAC'; policy: string }
  | { type: 'Webhook'; webhook: WebhookConfig }

/** As kubeadm sets up a cluster. */
export const USUAL_AUTHORIZERS: AuthorizerConfig[] = [{ type: 'Node' }, { type: 'RBAC' }]

export interface Authorization extends Component {
  authorizer: Authorizer
  /** Who has which rights by roles, whether or not they are asked. */
  grants: Grants
}

/** Judges access in these ways, in this order. Resolves when the roles and bindings that are there are known. */
export async function startAuthorization(
  registry: Registry,
  configs: readonly AuthorizerConfig[],
): Promise<Authorization> {
  const { grants, stop } = await Grants.start(registry)
  const stops: (() => void | Promise<void>)[] = [stop]
  const authorizers: Authorizer[] = []
  for (const config of configs) {
    const made = await make(registry, grants, config)
    authorizers.push(made.authorizer)
    if (made.stop) stops.push(made.stop)
  }
  return {
    authorizer: inOrder(authorizers),
    grants,
    async stop() {
      for (const each of stops) await each()
    },
  }
}

async function make(
  registry: Registry,
  grants: Grants,
  config: AuthorizerConfig,
): Promise<{ authorizer: Authorizer; stop?(): void }> {
  switch (config.type) {
    case 'Node':
      return nodeAuthorizer(registry)
    case 'RBAC':
      return { authorizer: rbacAuthorizer(grants) }
    case 'AlwaysAllow':
      return { authorizer: alwaysAllow }
    case 'AlwaysDeny':
      return { authorizer: alwaysDeny }
    case 'ABAC': {
      const { abacAuthorizer } = await import('./abac.ts')
      return { authorizer: abacAuthorizer(config.policy) }
    }
    case 'Webhook': {
      const { webhookAuthorizer } = await import('./webhook.ts')
      return webhookAuthorizer(config.webhook, registry)
    }
  }
}
