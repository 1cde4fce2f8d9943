import { apiVersion, type KubeObject, LabelSelector } from '../../../api/index.ts'
import { asShown } from '../../registry/ownership.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Attributes } from '../admission.ts'
import type { Binding, Policy } from './definitions.ts'

/** What a policy cannot be evaluated without; its message is upstream's. */
export class Misconfigured extends Error {}

/**
 * The objects that a binding hands to its policy, or one `null` when the policy takes none. The policy is evaluated once
 * for each. Rejects with Misconfigured. Source: k8s.io/apiserver/pkg/admission/plugin/policy/generic CollectParams
 */
export async function paramsOf(
  registry: Registry,
  { spec: { paramKind } }: Policy,
  { spec: { paramRef } }: Binding,
  { namespace: own }: Attributes,
): Promise<(KubeObject | null)[]> {
  if (!paramKind || !paramRef) return [null]
  const resource = registry.resources
    .all()
    .find(each => each.kind === paramKind.kind && apiVersion(each) === paramKind.apiVersion)
  if (!resource)
    throw new Misconfigured(
      `failed to configure policy: failed to find resource referenced by paramKind: '${paramKind.apiVersion}, Kind=${paramKind.kind}'`,
    )
  const namespace = resource.namespaced ? paramRef.namespace || own : ''
  if (resource.namespaced && !namespace)
    throw new Misconfigured(
      'failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    )
  const found = await find()
  if (found.length || paramRef.parameterNotFoundAction === 'Allow') return found
  throw new Misconfigured(
    'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
  )

  async function find(): Promise<KubeObject[]> {
    const shown = registry.served(resource!)
    const stored = shown.conversion?.stored ?? resource!
    const show = (object: KubeObject) => asShown(shown, object)
    if (paramRef!.name) {
      const object = await registry.reader.read(stored, namespace, paramRef!.name)
      return object ? [show(object)] : []
    }
    const selector = LabelSelector.of(paramRef!.selector ?? {})
    const objects = await registry.reader.list(stored, namespace)
    return objects.filter(({ metadata }) => selector.matches(metadata.labels)).map(show)
  }
}
