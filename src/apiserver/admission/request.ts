import type { admission, authentication, KubeObject, Resource } from '../../api/index.ts'
import type { User } from '../pipeline/context.ts'
import type { Attributes } from './admission.ts'

type Request = admission.AdmissionRequest

/**
 * A write as webhooks are asked about it and as `request` in CEL; `as` is the version in which it is shown.
 * Source: k8s.io/api/admission/v1 AdmissionRequest
 */
export function admissionRequest(
  attributes: Attributes,
  as: Resource,
  { uid, object, old }: { uid: string; object?: KubeObject; old?: KubeObject },
): Request {
  const { requested, subresource, name, namespace, operation, user, dryRun } = attributes
  return {
    uid,
    kind: kindOf(attributes, as),
    resource: resourceOf(as),
    ...(subresource ? { subResource: subresource } : {}),
    requestKind: kindOf(attributes, requested),
    requestResource: resourceOf(requested),
    ...(subresource ? { requestSubResource: subresource } : {}),
    ...(name ? { name } : {}),
    ...(namespace ? { namespace } : {}),
    operation,
    userInfo: userInfo(user),
    object: object ?? null,
    oldObject: old ?? null,
    dryRun,
    options: optionsOf(attributes),
  }
}

const kindOf = ({ kind: own }: Attributes, as: Resource) => {
  const { group, version, kind } = own ?? as
  return { group, version, kind }
}

const resourceOf = ({ group, version, resource }: Resource) => ({ group, version, resource })

export const userInfo = ({ name, uid, groups, extra }: User): authentication.UserInfo => ({
  username: name,
  ...(uid ? { uid } : {}),
  ...(groups.length ? { groups } : {}),
  ...(extra ? { extra } : {}),
})

const KINDS = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' }

/** The options as an object of their own; null for a CONNECT, which has none. A patch is what it does: an update or a create. */
function optionsOf({ operation, dryRun, options: { query, body } }: Attributes): object | null {
  if (operation === 'CONNECT') return null
  const options: Record<string, unknown> = { ...body, kind: KINDS[operation], apiVersion: 'meta.k8s.io/v1' }
  if (dryRun) options.dryRun = ['All']
  if (operation === 'DELETE') return options
  for (const name of ['fieldManager', 'fieldValidation']) {
    const value = query?.get(name)
    if (value) options[name] = value
  }
  return options
}
