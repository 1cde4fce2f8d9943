import { type core, errors, type LabelSelector, resources } from '../../../api/index.ts'
import type { Reader } from '../../registry/reader.ts'
import type { Attributes } from '../admission.ts'

/** Source: k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/object */
export function objectSelected(selector: LabelSelector, { object, old }: Attributes): boolean {
  return selector.isEverything || [object, old].some(each => each && selector.matches(each.metadata?.labels))
}

/**
 * Whether the namespace of the request has the labels. What is in no namespace is always selected; a Namespace is judged by
 * its own labels. Rejects with NotFound. Source: k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/namespace
 */
export async function namespaceSelected(
  selector: LabelSelector,
  attributes: Attributes,
  reader: Reader,
): Promise<boolean> {
  if (selector.isEverything) return true
  const namespace = await namespaceOf(attributes, reader)
  return !namespace || selector.matches(namespace.metadata.labels)
}

/** The namespace that a request is in, or is about; undefined for what is in none. Rejects with NotFound. */
export async function namespaceOf(attributes: Attributes, reader: Reader): Promise<core.Namespace | undefined> {
  const { namespace: wanted, subresource, operation, object } = attributes
  if (isNamespace(attributes) && !subresource && operation !== 'DELETE') return object as core.Namespace
  if (!wanted) return undefined
  const found = await reader.read(resources.namespaces, '', wanted)
  if (!found) throw errors.notFound(resources.namespaces, wanted)
  return found
}

/** What expressions are told of as `namespaceObject`: a Namespace is in none. */
export const enclosingNamespace = (attributes: Attributes, reader: Reader): Promise<core.Namespace | undefined> =>
  isNamespace(attributes) ? Promise.resolve(undefined) : namespaceOf(attributes, reader)

const isNamespace = ({ resource }: Attributes): boolean => resource.group === '' && resource.resource === 'namespaces'
