import { FieldSelector, resources } from '../../../api/index.ts'
import type { Registry } from '../../registry/registry.ts'
import { ALLOWED, type Attributes, type Authorizer, type Decision, NO_RULES, REFUSED } from '../authorizer.ts'
import { CLUSTER_ROLES } from '../policy/roles.ts'
import { RuleSet } from '../rbac/rules.ts'
import { nodeNameOf } from './identity.ts'
import { PodReferences } from './pods.ts'
import { secretsOfVolume } from './references.ts'

type Answer = Decision | Promise<Decision>
/** Judges what a node wants to do with one resource. */
type Judge = (node: string, attributes: Attributes) => Answer

const refused = (reason: string): Decision => ({ allowed: false, reason })

/**
 * Lets a kubelet do what it has to: with most resources whatever its rules say, but of secrets, claims and the like it sees
 * only what its own pods refer to. Source: https://kubernetes.io/docs/reference/access-authn-authz/node/
 */
export function nodeAuthorizer(registry: Registry): { authorizer: Authorizer; stop(): void } {
  const related = new Related(registry)
  const judges = judgesOf(related)
  const rules = new RuleSet(CLUSTER_ROLES['system:node']!)
  const authorizer: Authorizer = {
    authorize(attributes) {
      const { user, isResourceRequest, group, resource } = attributes
      const node = nodeNameOf(user)
      if (node === undefined) return REFUSED
      if (!node) return refused(`unknown node for user ${JSON.stringify(user.name)}`)
      const judge = isResourceRequest ? judges[group ? `${group}/${resource}` : resource] : undefined
      if (judge) return judge(node, attributes)
      return rules.allows(attributes) ? ALLOWED : REFUSED
    },
    rulesFor: user =>
      nodeNameOf(user) === undefined
        ? NO_RULES
        : { ...NO_RULES, incomplete: true, errors: ['node authorizer does not support user rule resolution'] },
  }
  return { authorizer, stop: () => related.stop() }
}

function judgesOf(related: Related): Record<string, Judge> {
  const unrelated = (node: string) => refused(`no relationship found between node '${node}' and this object`)
  const ifRelated: Judge = async (node, attributes) => {
    if (!attributes.name) return refused('No Object name found')
    return (await related.to(node, attributes)) ? ALLOWED : unrelated(node)
  }
  const getOne: Judge = (node, attributes) => {
    if (attributes.verb !== 'get') return refused('can only get individual resources of this type')
    return attributes.subresource ? refused('cannot get subresource') : ifRelated(node, attributes)
  }
  const readOne: Judge = (node, attributes) => {
    const { verb, subresource, namespace } = attributes
    if (!READ.has(verb)) return refused('can only read resources of this type')
    if (subresource) return refused('cannot read subresource')
    return namespace ? ifRelated(node, attributes) : refused('can only read namespaced object of this type')
  }
  const claims: Judge = (node, attributes) => {
    if (attributes.subresource !== 'status') return getOne(node, attributes)
    return attributes.verb === 'update' || attributes.verb === 'patch'
      ? ifRelated(node, attributes)
      : refused('can only get/update/patch this type')
  }
  const accounts: Judge = async (node, attributes) => {
    const { verb, subresource, name } = attributes
    if (verb === 'get' && !subresource) return readOne(node, attributes)
    if (verb !== 'create' || !name) return refused('can only create tokens for individual service accounts')
    if (subresource !== 'token') return refused('can only create token subresource of serviceaccount')
    return (await related.to(node, attributes)) ? ALLOWED : unrelated(node)
  }
  const slices: Judge = (node, attributes) => {
    const { verb, subresource } = attributes
    if (subresource) return refused('cannot authorize ResourceSlice subresources')
    if (verb === 'create') return ALLOWED
    if (verb === 'get' || verb === 'update' || verb === 'patch' || verb === 'delete') return ifRelated(node, attributes)
    if (verb !== 'watch' && verb !== 'list' && verb !== 'deletecollection')
      return refused(
        'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
      )
    if (selects(attributes, node)) return ALLOWED
    return refused('can only list/watch/deletecollection resourceslices with nodeName field selector')
  }
  const pods: Judge = (node, attributes) => {
    const { verb, subresource, name } = attributes
    if (subresource === 'status') return verb === 'update' || verb === 'patch' ? ALLOWED : REFUSED
    if (subresource === 'eviction') return verb === 'create' ? ALLOWED : REFUSED
    if (subresource) return REFUSED
    // Admission looks at what the pod is.
    if (verb === 'create' || verb === 'delete') return ALLOWED
    if (verb === 'get') return getOne(node, attributes)
    if (verb !== 'list' && verb !== 'watch') return REFUSED
    if (selects(attributes, node)) return ALLOWED
    return name ? ifRelated(node, attributes) : refused('can only list/watch pods with spec.nodeName field selector')
  }
  return {
    secrets: readOne,
    configmaps: readOne,
    persistentvolumeclaims: claims,
    persistentvolumes: getOne,
    'resource.k8s.io/resourceclaims': getOne,
    'storage.k8s.io/volumeattachments': getOne,
    serviceaccounts: accounts,
    'coordination.k8s.io/leases': judgeLease,
    'storage.k8s.io/csinodes': judgeCsiNode,
    'resource.k8s.io/resourceslices': slices,
    nodes: judgeNode,
    pods,
    'certificates.k8s.io/podcertificaterequests': () => REFUSED,
  }
}

const READ = new Set(['get', 'list', 'watch'])
const KEPT = new Set(['get', 'create', 'update', 'patch', 'delete'])

const judgeLease: Judge = (node, { verb, namespace, name }) => {
  if (!KEPT.has(verb)) return refused('can only get, create, update, patch, or delete a node lease')
  if (namespace !== 'kube-node-lease')
    return refused('can only access leases in the "kube-node-lease" system namespace')
  // Of what is created the name is known to admission only.
  if (verb === 'create' || name === node) return ALLOWED
  return refused('can only access node lease with the same name as the requesting node')
}

const judgeCsiNode: Judge = (node, { verb, subresource, name }) => {
  if (!KEPT.has(verb)) return refused('can only get, create, update, patch, or delete a CSINode')
  if (subresource) return refused('cannot authorize CSINode subresources')
  if (verb === 'create' || name === node) return ALLOWED
  return refused('can only access CSINode with the same name as the requesting node')
}

const judgeNode: Judge = (node, { verb, subresource, name }) => {
  const changes = verb === 'update' || verb === 'patch'
  if (subresource) return subresource === 'status' && changes ? ALLOWED : REFUSED
  if (changes || verb === 'create') return ALLOWED
  if (!READ.has(verb)) return REFUSED
  if (name === node) return ALLOWED
  return refused(
    name
      ? `node '${node}' cannot read '${name}', only its own Node object`
      : `node '${node}' cannot read all nodes, only its own Node object`,
  )
}

/** Whether a list is narrowed to what is on the node. */
function selects({ fieldSelector }: Attributes, node: string): boolean {
  if (!fieldSelector) return false
  try {
    return FieldSelector.parse(fieldSelector).exact('spec.nodeName') === node
  } catch {
    return false
  }
}

/** Which objects have to do with a node. */
class Related {
  readonly #registry: Registry
  readonly #pods: PodReferences

  constructor(registry: Registry) {
    this.#registry = registry
    this.#pods = new PodReferences(registry)
  }

  async to(node: string, { resource, namespace, name }: Attributes): Promise<boolean> {
    const { reader } = this.#registry
    switch (resource) {
      case 'pods':
        return (await reader.read(resources.pods, namespace, name))?.spec.nodeName === node
      case 'volumeattachments':
        return (await reader.read(resources.volumeAttachments, '', name))?.spec.nodeName === node
      case 'resourceslices':
        return (await reader.read(resources.resourceSlices, '', name))?.spec.nodeName === node
      case 'persistentvolumes': {
        const claim = (await reader.read(resources.persistentVolumes, '', name))?.spec.claimRef
        return !!claim && this.#refers(node, claim.namespace ?? '', `persistentvolumeclaims/${claim.name}`)
      }
      case 'secrets':
        return (
          (await this.#refers(node, namespace, `secrets/${name}`)) || this.#isOfVolume(node, `${namespace}/${name}`)
        )
      default:
        return this.#refers(node, namespace, `${resource}/${name}`)
    }
  }

  stop(): void {
    this.#pods.stop()
  }

  #refers(node: string, namespace: string, reference: string): Promise<boolean> {
    return this.#pods.refers(node, namespace, reference)
  }

  /** Whether a volume that is claimed by a pod of the node needs the secret. */
  async #isOfVolume(node: string, secret: string): Promise<boolean> {
    const volumes = await this.#registry.reader.cached(resources.persistentVolumes)
    for (const volume of volumes) {
      const claim = volume.spec.claimRef
      if (!claim || !secretsOfVolume(volume).includes(secret)) continue
      if (await this.#refers(node, claim.namespace ?? '', `persistentvolumeclaims/${claim.name}`)) return true
    }
    return false
  }
}
