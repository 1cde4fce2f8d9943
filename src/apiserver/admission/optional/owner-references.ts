import type { meta } from '../../../api/index.ts'
import { type Authorizer, question } from '../../authz/authorizer.ts'
import type { Registry } from '../../registry/registry.ts'
import { same } from '../../registry/validation/field.ts'
import { type AdmissionPlugin, type Attributes, forbidden } from '../admission.ts'

/**
 * Who cannot delete something gives it no owner, by whose end it would be; and nobody blocks the deletion of an owner
 * whose finalizers he may not set.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#ownerreferencespermissionenforcement
 */
export function ownerReferences({ resources }: Registry, authorizer: Authorizer): AdmissionPlugin {
  const refused = async (asked: Parameters<typeof question>[0]): Promise<string | undefined> => {
    const { allowed, reason, error } = await authorizer.authorize(question(asked))
    return allowed ? undefined : `${reason}, ${error ?? '<nil>'}`
  }

  /** By all resources that show the owner's kind. */
  function finalizersOf({ apiVersion, kind, name }: meta.OwnerReference, { user, namespace }: Attributes) {
    const [version = '', group = ''] = apiVersion.split('/').reverse()
    const found = resources.all().filter(each => each.group === group && each.version === version && each.kind === kind)
    return found.map(({ resource, namespaced }) => ({
      user,
      verb: 'update',
      group,
      version,
      resource,
      subresource: 'finalizers',
      name,
      namespace: namespaced ? namespace : '',
    }))
  }

  return {
    name: 'OwnerReferencesPermissionEnforcement',
    async validate(attributes) {
      const { operation, resource, subresource, namespace, name, user, object, old } = attributes
      if ((operation !== 'CREATE' && operation !== 'UPDATE') || !object?.metadata || isHarmless(attributes)) return
      const owners = object.metadata.ownerReferences ?? []
      const before = old?.metadata.ownerReferences ?? []
      if (same(owners, before)) return
      if (operation === 'UPDATE') {
        const { group, version, resource: plural } = resource
        const why = await refused({
          user,
          verb: 'delete',
          group,
          version,
          resource: plural,
          subresource,
          namespace,
          name,
        })
        if (why !== undefined)
          throw forbidden(attributes, `cannot set an ownerRef on a resource you can't delete: ${why}`)
      }
      const blocking = owners.filter(
        ({ blockOwnerDeletion, uid }) =>
          blockOwnerDeletion && !before.some(each => each.uid === uid && each.blockOwnerDeletion),
      )
      if (!blocking.length) return
      const everything = { user, verb: 'update', group: '*', resource: '*', subresource: 'finalizers', name: '*' }
      if ((await refused(everything)) === undefined) return
      for (const owner of blocking) {
        const asked = finalizersOf(owner, attributes)
        if (!asked.length)
          throw forbidden(
            attributes,
            `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${owner.apiVersion} Kind ${owner.kind}: no matches for kind ${JSON.stringify(owner.kind)} in version ${JSON.stringify(owner.apiVersion)}`,
          )
        for (const each of asked) {
          const why = await refused(each)
          if (why !== undefined)
            throw forbidden(
              attributes,
              `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${why}`,
            )
        }
      }
    },
  }
}

/** A pod's status comes from nodes, which change nothing else of it. */
const isHarmless = ({ resource, subresource }: Attributes) =>
  resource.group === '' && resource.resource === 'pods' && subresource === 'status'
