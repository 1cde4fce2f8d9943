import { errors, type KubeObject, type meta, type Resource, type StatusError } from '../../api/index.ts'
import { ownersProblem } from '../../patch/index.ts'
import type { AuditAnnotations, User } from '../pipeline/context.ts'
import { setManagedFields } from '../registry/ownership.ts'
import type { Call, Registry } from '../registry/registry.ts'

/** What `object` is when it is not the resource itself: the Scale of a Deployment, the Binding of a pod. */
export type Kind = Pick<Resource, 'group' | 'version' | 'kind' | 'type'>

/** One write on its way to the store. Source: k8s.io/apiserver/pkg/admission Attributes */
export interface Attributes {
  operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  /** In the version that is stored, which is that of `object` and `old`. */
  resource: Resource
  /** In the version that the client speaks. */
  requested: Resource
  /** Absent: the resource's own. */
  kind?: Kind
  subresource: string
  /** Of a Namespace: its own name. */
  namespace: string
  /** Empty for what is still to be named, and for each object of a collection that is deleted. */
  name: string
  user: User
  dryRun: boolean
  /** Absent for a delete. A mutating plugin changes it in place. */
  object?: KubeObject
  /** Absent for a create. */
  old?: KubeObject
  /** The CreateOptions, UpdateOptions or DeleteOptions of the request. */
  options: Options
  /** Texts for `Warning` headers are added here. */
  warnings: string[]
  /** Where to tell what the audit event is to say; absent where there is none. */
  auditAnnotations?: AuditAnnotations | undefined
  /**
   * A plugin that calls for others sets it to `wanted` when it has changed the object; then every plugin runs once more.
   * Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#reinvocation-policy
   */
  reinvocation?: 'wanted' | 'running'
}

/** What a request says besides the object. */
export interface Options {
  /** As it came in the query. */
  query?: URLSearchParams
  /** As it came in the body of a delete. */
  body?: meta.DeleteOptions
  /** The object is created since there is none to update or to patch. */
  instead?: boolean
}

/** One admission plugin. Both stages refuse by throwing a StatusError. */
export interface AdmissionPlugin {
  /** As in `--enable-admission-plugins`. */
  name: string
  mutate?(attributes: Attributes): void | Promise<void>
  validate?(attributes: Attributes): void | Promise<void>
}

export interface Admission {
  mutate(attributes: Attributes): Promise<void>
  validate(attributes: Attributes): Promise<void>
}

/** The plugins in their order: all of one stage run before any of the next. */
export function chain(plugins: AdmissionPlugin[]): Admission {
  const mutate = stage(plugins, 'mutate')
  return {
    async mutate(attributes) {
      await mutate(attributes)
      if (attributes.reinvocation !== 'wanted') return
      attributes.reinvocation = 'running'
      await mutate(attributes)
    },
    validate: stage(plugins, 'validate'),
  }
}

/** Most plugins have nothing to say to most requests, and so nothing is waited for. */
function stage(plugins: AdmissionPlugin[], name: 'mutate' | 'validate'): (attributes: Attributes) => Promise<void> {
  const concerned = plugins.filter(plugin => plugin[name])
  return async attributes => {
    for (const plugin of concerned) {
      const pending = plugin[name]!(attributes)
      if (pending) await pending
    }
  }
}

/** What a call of a verb is to admission. */
export function attributesOf(
  call: Call,
  write: Pick<Attributes, 'operation' | 'object' | 'old' | 'kind'> & { body?: meta.DeleteOptions },
): Attributes {
  const { served, shown, subresource, namespace, user, dryRun, warnings, auditAnnotations, options = {} } = call
  const { body, ...rest } = write
  const name = call.name || write.object?.metadata?.name || ''
  const { group, resource } = served.resource
  return {
    ...rest,
    resource: served.resource,
    requested: shown.resource,
    subresource,
    namespace: group === '' && resource === 'namespaces' ? name : namespace,
    name: call.ofCollection ? '' : name,
    user,
    dryRun,
    warnings,
    auditAnnotations,
    options: body ? { ...options, body } : options,
  }
}

/** The first stage of a write of `attributes.object`. What it has made of managedFields must be such. */
export async function mutate({ admission }: Registry, attributes: Attributes): Promise<void> {
  const { metadata } = attributes.object!
  const before = metadata.managedFields
  await admission.mutate(attributes)
  const { metadata: changed } = attributes.object!
  const problem = changed?.managedFields === before ? undefined : ownersProblem(changed.managedFields)
  if (!problem) return
  setManagedFields(attributes.object!, before)
  attributes.warnings.push(
    `.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: ${problem}`,
  )
}

/** Tells something in the audit event, if there is one. What is told first of a key stays. */
export function annotate({ auditAnnotations }: Attributes, key: string, value: string, level?: 'Request'): void {
  if (auditAnnotations?.has(key) === false) auditAnnotations.set(key, level ? { value, level } : { value })
}

/** Whether it is objects of `own` themselves that are written, and not a part of one. */
export const isOf = ({ resource, subresource }: Attributes, own: Pick<Resource, 'group' | 'resource'>): boolean =>
  !subresource && resource.resource === own.resource && resource.group === own.group

/** Says no. What has no name yet is called by what its name will begin with. Source: k8s.io/apiserver/pkg/admission NewForbidden */
export function forbidden({ requested, name, object }: Attributes, reason: string): StatusError {
  const shown = name || object?.metadata?.name || object?.metadata?.generateName || 'Unknown'
  return errors.forbidden(requested, shown, reason)
}

/** Both stages at once, for what is not stored itself: the object that a subresource takes. */
export async function admit({ admission }: Registry, attributes: Attributes): Promise<void> {
  await admission.mutate(attributes)
  await admission.validate(attributes)
}
