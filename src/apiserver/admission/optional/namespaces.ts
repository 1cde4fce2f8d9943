import { errors, resources } from '../../../api/index.ts'
import { ensure } from '../../bootstrap.ts'
import type { Reader } from '../../registry/reader.ts'
import type { Registry } from '../../registry/registry.ts'
import type { AdmissionPlugin, Attributes } from '../admission.ts'

const isInNamespace = ({ resource, namespace }: Attributes) => resource.namespaced && namespace !== ''

/** Makes the namespace in which something is to be. */
export const namespaceAutoProvision = (registry: Registry): AdmissionPlugin => ({
  name: 'NamespaceAutoProvision',
  async mutate(attributes) {
    if (attributes.operation !== 'CREATE' || attributes.dryRun || !isInNamespace(attributes)) return
    await ensure(registry, resources.namespaces, { metadata: { name: attributes.namespace } })
  },
})

/** Nothing is written where there is no namespace. */
export const namespaceExists = (reader: Reader): AdmissionPlugin => ({
  name: 'NamespaceExists',
  async validate(attributes) {
    if (attributes.operation === 'CONNECT' || !isInNamespace(attributes)) return
    if (await reader.read(resources.namespaces, '', attributes.namespace)) return
    throw errors.notFound(resources.namespaces, attributes.namespace)
  },
})
