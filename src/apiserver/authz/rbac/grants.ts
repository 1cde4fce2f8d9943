import { type KubeObject, type rbac, resources } from '../../../api/index.ts'
import type { User } from '../../pipeline/context.ts'
import { follow } from '../../registry/live.ts'
import type { Registry } from '../../registry/registry.ts'
import { keyOf } from '../../registry/served.ts'
import { RuleSet } from './rules.ts'

/** A RoleBinding or a ClusterRoleBinding; the latter has no namespace. */
export type Binding = KubeObject & Pick<rbac.RoleBinding, 'roleRef' | 'subjects'>

/**
 * Who is bound to which roles, by subject, and what the roles allow. It follows the store, so that a question costs no more
 * than the bindings of the one who asks, however many others there are.
 */
export class Grants {
  readonly #registry: Registry
  /** All by their keys in the store. */
  readonly #bindings = new Map<string, Binding>()
  readonly #roles = new Map<string, RuleSet>()
  /** By namespace, which is empty for the cluster's, and by subject. */
  readonly #bound = new Map<string, Map<string, Set<Binding>>>()

  private constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Resolves when everything that is there is known. */
  static async start(registry: Registry): Promise<{ grants: Grants; stop(): Promise<void> }> {
    const grants = new Grants(registry)
    const roles = {
      set: (key: string, role: rbac.Role | rbac.ClusterRole | undefined) => grants.#setRole(key, role),
    }
    const bindings = { set: (key: string, binding: Binding | undefined) => grants.#setBinding(key, binding) }
    const following = await Promise.all([
      follow(registry, resources.clusterRoles, roles),
      follow(registry, resources.roles, roles),
      follow(registry, resources.clusterRoleBindings, bindings),
      follow(registry, resources.roleBindings, bindings),
    ])
    return {
      grants,
      async stop() {
        await Promise.all(following.map(each => each.stop()))
      },
    }
  }

  /** Every binding of the user: the cluster's, then those of the namespace unless that is empty. */
  *bindingsOf(user: User, namespace: string): Generator<Binding> {
    const seen = new Set<Binding>()
    for (const scope of namespace ? ['', namespace] : ['']) {
      const bound = this.#bound.get(scope)
      if (!bound) continue
      for (const key of keysOfUser(user)) {
        for (const binding of bound.get(key) ?? []) {
          if (seen.has(binding)) continue
          seen.add(binding)
          yield binding
        }
      }
    }
  }

  /** What a binding in the namespace refers to; undefined when there is no such role. */
  role({ kind, name }: Pick<rbac.RoleRef, 'kind' | 'name'>, namespace: string): RuleSet | undefined {
    const served = this.#registry.served(kind === 'Role' ? resources.roles : resources.clusterRoles)
    return this.#roles.get(keyOf(served, namespace, name))
  }

  #setRole(key: string, role: rbac.Role | rbac.ClusterRole | undefined): void {
    if (role) this.#roles.set(key, new RuleSet(role.rules ?? []))
    else this.#roles.delete(key)
  }

  #setBinding(key: string, binding: Binding | undefined): void {
    const old = this.#bindings.get(key)
    if (old) this.#unbind(old)
    if (!binding) return void this.#bindings.delete(key)
    this.#bindings.set(key, binding)
    const scope = binding.metadata.namespace ?? ''
    const bound = this.#bound.get(scope) ?? new Map<string, Set<Binding>>()
    this.#bound.set(scope, bound)
    for (const subject of keysOfSubjects(binding)) {
      const known = bound.get(subject)
      if (known) known.add(binding)
      else bound.set(subject, new Set([binding]))
    }
  }

  #unbind(binding: Binding): void {
    const scope = binding.metadata.namespace ?? ''
    const bound = this.#bound.get(scope)!
    for (const subject of keysOfSubjects(binding)) {
      const known = bound.get(subject)!
      known.delete(binding)
      if (!known.size) bound.delete(subject)
    }
    if (!bound.size) this.#bound.delete(scope)
  }
}

const keysOfUser = ({ name, groups }: User): string[] => [`User ${name}`, ...groups.map(group => `Group ${group}`)]

const keysOfSubjects = ({ subjects = [], metadata }: Binding): Set<string> =>
  new Set(subjects.map(subject => keyOfSubject(subject, metadata.namespace)))

/** A ServiceAccount is a user of a certain name. */
const keyOfSubject = ({ kind, name, namespace }: rbac.Subject, ofBinding = ''): string =>
  kind === 'ServiceAccount' ? `User system:serviceaccount:${namespace || ofBinding}:${name}` : `${kind} ${name}`

/** The subject by which the binding is one of the user's. */
export function subjectOf({ subjects = [], metadata }: Binding, user: User): rbac.Subject {
  const keys = keysOfUser(user)
  return subjects.find(subject => keys.includes(keyOfSubject(subject, metadata.namespace)))!
}
