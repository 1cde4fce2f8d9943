import type { KubeObject, meta, Resource } from '../../api/index.ts'
import type { User } from '../pipeline/context.ts'
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
  namespace: string
  name: string
  user: User
  dryRun: boolean
  /** Absent for a delete. A mutating plugin changes it in place. */
  object?: KubeObject
  /** Absent for a create. */
  old?: KubeObject
  /** The CreateOptions, UpdateOptions, PatchOptions or DeleteOptions of the request. */
  options: Options
  /** Texts for `Warning` headers are added here. */
  warnings: string[]
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
  /** A patch is an update in every other respect. */
  patch?: boolean
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
  { served, shown, subresource, namespace, name, user, dryRun, warnings, options = {} }: Call,
  write: Pick<Attributes, 'operation' | 'object' | 'old' | 'kind'> & { body?: meta.DeleteOptions },
): Attributes {
  const { body, ...rest } = write
  return {
    ...rest,
    resource: served.resource,
    requested: shown.resource,
    subresource,
    namespace,
    name,
    user,
    dryRun,
    warnings,
    options: body ? { ...options, body } : options,
  }
}

/** Both stages at once, for what is not stored itself: the object that a subresource takes. */
export async function admit({ admission }: Registry, attributes: Attributes): Promise<void> {
  await admission.mutate(attributes)
  await admission.validate(attributes)
}
