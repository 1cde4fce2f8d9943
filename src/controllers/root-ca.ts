import { is, resources } from '../api/index.ts'
import type { Component } from '../base/index.ts'
import { from, startController } from '../client/index.ts'
import type { Context } from './context.ts'

const NAME = 'kube-root-ca.crt'
const DESCRIPTION = 'kubernetes.io/description'
const TEXT =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the ' +
  'internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

/**
 * Keeps the authority of the API server's certificate in a ConfigMap of every namespace, where pods mount it from.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/ (RootCAConfigMap)
 */
export function startRootCaPublisher({ client, informers, clock, log }: Context, rootCa: string): Component {
  const namespaces = informers.get(resources.namespaces)
  const configMaps = informers.get(resources.configMaps, { fieldSelector: `metadata.name=${NAME}` })
  const data = { 'ca.crt': rootCa }

  return startController({
    name: 'root-ca-certificate-publisher',
    workers: 1,
    sources: [from(namespaces), from(configMaps, ({ metadata }) => metadata.namespace)],
    clock,
    log,
    async reconcile(namespace) {
      if (namespaces.lister.getByKey(namespace)?.status.phase !== 'Active') return
      const current = configMaps.lister.get({ namespace, name: NAME })
      if (!current) return await create(namespace)
      const { data: published, metadata } = current
      const described = metadata.annotations?.[DESCRIPTION] !== undefined
      if (described && published?.['ca.crt'] === rootCa && Object.keys(published).length === 1) return
      const annotations = { ...metadata.annotations, [DESCRIPTION]: TEXT }
      await client.update(resources.configMaps, { ...current, metadata: { ...metadata, annotations }, data })
    },
  })

  async function create(namespace: string): Promise<void> {
    const metadata = { namespace, name: NAME, annotations: { [DESCRIPTION]: TEXT } }
    try {
      await client.create(resources.configMaps, { metadata, data })
    } catch (error) {
      if (!is(error, 'AlreadyExists')) throw error
    }
  }
}
