import { errors, resources } from '../../api/index.ts'
import type { Reader } from '../registry/reader.ts'
import type { AdmissionPlugin } from './admission.ts'

/** Namespaces that the cluster cannot be without. */
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public'])

/** One may ask about a namespace that is not there. */
const ACCESS_REVIEWS = 'localsubjectaccessreviews'

/**
 * Nothing is created in a namespace that is not there or is going away, and some namespaces never go.
 * Source: k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle
 */
export const namespaceLifecycle = (reader: Reader): AdmissionPlugin => ({
  name: 'NamespaceLifecycle',
  async mutate({ operation, resource, namespace, name, object }) {
    if (operation !== 'CREATE' || !resource.namespaced || resource.resource === ACCESS_REVIEWS) return
    const found = await reader.read(resources.namespaces, '', namespace)
    if (!found) throw errors.notFound(resources.namespaces, namespace)
    if (found.status.phase !== 'Terminating') return
    const refused = errors.forbidden(
      resource,
      name || object?.metadata.generateName || '',
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    )
    refused.status.details = {
      ...refused.status.details,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    }
    throw refused
  },
  validate({ operation, resource, name }) {
    if (operation !== 'DELETE' || resource.resource !== 'namespaces' || !IMMORTAL.has(name)) return
    throw errors.forbidden(resource, name, 'this namespace may not be deleted')
  },
})
