import { is, resources } from '../api/index.ts'
import type { Component } from '../base/index.ts'
import { from, startController } from '../client/index.ts'
import type { Context } from './context.ts'

const NAME = 'default'

/**
 * Keeps a ServiceAccount `default` in every namespace, which pods have that ask for no other.
 * Source: https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts
 */
export function startServiceAccountController({ client, informers, clock, log }: Context): Component {
  const namespaces = informers.get(resources.namespaces)
  const accounts = informers.get(resources.serviceAccounts)

  return startController({
    name: 'serviceaccount',
    workers: 1,
    sources: [
      from(namespaces),
      from(accounts, ({ metadata }) => (metadata.name === NAME ? metadata.namespace : undefined)),
    ],
    clock,
    log,
    async reconcile(namespace) {
      if (namespaces.lister.getByKey(namespace)?.status.phase !== 'Active') return
      if (accounts.lister.get({ namespace, name: NAME })) return
      try {
        await client.create(resources.serviceAccounts, { metadata: { namespace, name: NAME } })
      } catch (error) {
        if (!is(error, 'AlreadyExists')) throw error
      }
    },
  })
}
