import { type admissionregistration, apiVersion, type KubeObject, LabelSelector } from '../../../api/index.ts'
import { asShown } from '../../registry/ownership.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Attributes } from '../admission.ts'
import type { Binding, Policy } from './definitions.ts'

/** What a policy cannot be evaluated without; its message is upstream's. */
export class Misconfigured extends Error {}

/**
 * The objects that a binding hands to its policy, or one `null` when the policy takes none. The policy is evaluated once
 * for each. The kind must be known. Rejects with Misconfigured. Source: k8s.io/apiserver/pkg/admission/plugin/policy/generic CollectParams
 */
export async function paramsOf(
  registry: Registry,
  { spec: { paramKind } }: Policy,
  { spec: { paramRef } }: Binding,
  { namespace: own }: Attributes,
): Promise<(KubeObject | null)[]> {
  if (!paramKind || !paramRef) return [null]
  const resource = resourceOf(registry, paramKind)!
  if (!resource.namespaced && paramRef.namespace)
    throw new Misconfigured('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
  const namespace = resource.namespaced ? paramRef.namespace || own : ''
  if (resource.namespaced && !namespace)
    throw new Misconfigured('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
  const found = await find()
  if (found.length || paramRef.parameterNotFoundAction === 'Allow') return found
  throw new Misconfigured('no params found for policy binding with `Deny` parameterNotFoundAction')

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

const resourceOf = ({ resources }: Registry, { kind, apiVersion: wanted }: admissionregistration.ParamKind) =>
  resources.all().find(each => each.kind === kind && apiVersion(each) === wanted)

/** What keeps a policy from being evaluated at all, whatever its bindings say. */
export function policyProblem(registry: Registry, { spec: { paramKind } }: Policy): string | undefined {
  if (!paramKind || resourceOf(registry, paramKind)) return undefined
  const { apiVersion: version = '', kind = '' } = paramKind
  const shown = version.includes('/') ? version : `/${version}`
  return `failed to configure policy: failed to find resource referenced by paramKind: '${shown}, Kind=${kind}'`
}
