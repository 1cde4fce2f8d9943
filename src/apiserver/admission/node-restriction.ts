import {
  type authentication,
  type certificates,
  type coordination,
  type core,
  type resource as dra,
  errors,
  type KubeObject,
  resources,
} from '../../api/index.ts'
import { type Authorizer, question } from '../authz/authorizer.ts'
import { nodeNameOf } from '../authz/node/identity.ts'
import { firstReference } from '../authz/node/references.ts'
import { joined } from '../authz/rbac/authorizer.ts'
import type { Reader } from '../registry/reader.ts'
import { same } from '../registry/validation/field.ts'
import type { AdmissionPlugin, Attributes } from './admission.ts'
import { subjectOfRequest } from './csr.ts'
import { forbiddenLabels } from './node-labels.ts'

/** What a node may not do, if anything. */
type Complaint = string | undefined
/** Judges a write by a node. May reject with a StatusError of its own. */
type Judge = (node: string, attributes: Attributes) => Complaint | Promise<Complaint>

const MIRROR = 'kubernetes.io/config.mirror'
const NODE_LEASES = 'kube-node-lease'
const NODE_SIGNERS = ['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet']

/**
 * A node writes nothing but what is its own: its Node, its Lease, what runs on it.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
 */
export function nodeRestriction(reader: Reader, authorizer: Authorizer): AdmissionPlugin {
  const judges = judgesOf(reader, authorizer)
  return {
    name: 'NodeRestriction',
    mutate(attributes) {
      const node = nodeNameOf(attributes.user)
      if (node === undefined || attributes.operation === 'CONNECT') return
      if (!node) throw refused(attributes, `could not determine node from user ${q(attributes.user.name)}`)
      const { group, resource } = attributes.resource
      const judge = judges[group ? `${group}/${resource}` : resource]
      return judge && refuse(judge, node, attributes)
    },
  }
}

async function refuse(judge: Judge, node: string, attributes: Attributes): Promise<void> {
  const complaint = await judge(node, attributes)
  if (complaint) throw refused(attributes, complaint)
}

const refused = ({ resource, name }: Attributes, complaint: string) => errors.forbidden(resource, name, complaint)

const q = (text: string) => JSON.stringify(text)

function judgesOf(reader: Reader, authorizer: Authorizer): Record<string, Judge> {
  async function podNamed(namespace: string, name: string): Promise<core.Pod> {
    const pod = await reader.read(resources.pods, namespace, name)
    if (!pod) throw errors.notFound({ group: '', resource: 'pod' }, name)
    return pod
  }

  async function createPod(node: string, pod: core.Pod): Promise<Complaint> {
    const { annotations, ownerReferences = [] } = pod.metadata
    if (annotations?.[MIRROR] === undefined)
      return `pod does not have ${q(MIRROR)} annotation, node ${q(node)} can only create mirror pods`
    const only = `node ${q(node)} can only create pods with`
    if (pod.spec.nodeName !== node) return `${only} spec.nodeName set to itself`
    if (ownerReferences.length > 1) return `${only} a single owner reference set to itself`
    const [owner] = ownerReferences
    if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
      return `${only} an owner reference set to itself`
    if (!owner.controller) return `${only} a controller owner reference set to itself`
    if (owner.blockOwnerDeletion) return `node ${q(node)} must not set blockOwnerDeletion on an owner reference`
    const own = await reader.read(resources.nodes, '', node)
    if (!own) throw errors.notFound({ group: '', resource: 'node' }, node)
    if (owner.uid !== own.metadata.uid)
      return `node ${node} UID mismatch: expected ${owner.uid} got ${own.metadata.uid}`
    const reference = firstReference(pod)
    return reference && `node ${q(node)} can not create pods that reference ${reference}`
  }

  async function pods(node: string, { operation, subresource, namespace, name, object, old }: Attributes) {
    if (subresource === 'status') return podStatus(node, object as core.Pod, old as core.Pod)
    if (subresource === 'eviction') {
      const { spec } = await podNamed(namespace, name)
      return spec.nodeName === node ? undefined : `node ${node} can only evict pods with spec.nodeName set to itself`
    }
    if (subresource) return `unexpected pod subresource ${q(subresource)}, only 'status' and 'eviction' are allowed`
    if (operation === 'CREATE') return createPod(node, object as core.Pod)
    if (operation !== 'DELETE')
      return `unexpected operation ${q(operation)}, node ${q(node)} can only create and delete mirror pods`
    const { spec } = await podNamed(namespace, name)
    return spec.nodeName === node ? undefined : `node ${q(node)} can only delete pods with spec.nodeName set to itself`
  }

  async function accounts(node: string, attributes: Attributes): Promise<Complaint> {
    if (attributes.operation !== 'CREATE' || attributes.subresource !== 'token') return undefined
    const request = attributes.object as unknown as authentication.TokenRequest
    const { boundObjectRef: bound, audiences } = request.spec
    if (bound?.apiVersion !== 'v1' || bound.kind !== 'Pod' || !bound.name)
      return 'node requested token not bound to a pod'
    if (!bound.uid) return 'node requested token with a pod binding without a uid'
    const pod = await podNamed(attributes.namespace, bound.name)
    if (bound.uid !== pod.metadata.uid)
      return `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`
    if (pod.spec.nodeName !== node) return 'node requested token bound to a pod scheduled on a different node'
    if (audiences && audiences.length > 1) return 'node may only request 0 or 1 audiences'
    return audience(attributes, pod, audiences?.[0] ?? '')
  }

  /** A node asks for tokens only for those whom one of the pod's volumes is to be shown to, unless it may for others. */
  async function audience({ user, namespace, name }: Attributes, pod: core.Pod, wanted: string): Promise<Complaint> {
    const missing: string[] = []
    for (const volume of pod.spec.volumes ?? []) if (await isFor(volume, pod, wanted, missing)) return undefined
    if (missing.length) return `error validating audience ${q(wanted)}: ${joined(missing)}`
    const verb = 'request-serviceaccounts-token-audience'
    const asked = question({ user, verb, namespace, version: 'v1', resource: wanted, name })
    if ((await authorizer.authorize(asked)).allowed) return undefined
    return `audience ${q(wanted)} not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`
  }

  /** Adds what should be there and is not to `missing`. */
  async function isFor(volume: core.Volume, { metadata }: core.Pod, wanted: string, missing: string[]) {
    const projects = ({ serviceAccountToken: token }: core.VolumeProjection) =>
      token !== undefined && (token.audience ?? '') === wanted
    if (volume.projected?.sources?.some(projects)) return true
    const claim = volume.ephemeral ? `${metadata.name}-${volume.name}` : volume.persistentVolumeClaim?.claimName
    const name = claim ? await driverOfClaim(metadata.namespace!, claim, missing) : volume.csi?.driver
    if (!name) return false
    const driver = await reader.read(resources.csiDrivers, '', name)
    if (!driver) missing.push(`csidriver.storage.k8s.io ${q(name)} not found`)
    return driver?.spec.tokenRequests?.some(request => request.audience === wanted) ?? false
  }

  async function driverOfClaim(namespace: string, name: string, missing: string[]): Promise<string | undefined> {
    const claim = await reader.read(resources.persistentVolumeClaims, namespace, name)
    if (!claim) return void missing.push(`persistentvolumeclaim ${q(name)} not found`)
    const { volumeName = '' } = claim.spec
    const volume = await reader.read(resources.persistentVolumes, '', volumeName)
    if (!volume) return void missing.push(`persistentvolume ${q(volumeName)} not found`)
    return volume.spec.csi?.driver
  }

  return {
    pods,
    serviceaccounts: accounts,
    nodes: judgeNode,
    persistentvolumeclaims: judgeClaim,
    'coordination.k8s.io/leases': judgeLease,
    'storage.k8s.io/csinodes': judgeCsiNode,
    'resource.k8s.io/resourceslices': judgeSlice,
    'certificates.k8s.io/certificatesigningrequests': judgeRequest,
  }
}

function podStatus(node: string, { metadata, spec: _, status }: core.Pod, old: core.Pod): Complaint {
  if (old.spec.nodeName !== node)
    return `node ${q(node)} can only update pod status for pods with spec.nodeName set to itself`
  if (!same(metadata.labels ?? {}, old.metadata.labels ?? {}))
    return `node ${q(node)} cannot update labels through pod status`
  if (!same(status.resourceClaimStatuses ?? [], old.status.resourceClaimStatuses ?? []))
    return `node ${q(node)} cannot update resource claim statues`
  if (!same(status.extendedResourceClaimStatus, old.status.extendedResourceClaimStatus))
    return `node ${q(node)} cannot update extended resource claim status`
  return undefined
}

const judgeNode: Judge = (node, { operation, name, object, old }) => {
  if (name !== node) return `node ${q(node)} is not allowed to modify node ${q(name)}`
  if (operation === 'CREATE') return newNode(node, object as core.Node)
  return operation === 'UPDATE' ? changedNode(node, object as core.Node, old as core.Node) : undefined
}

function newNode(node: string, { metadata, spec }: core.Node): Complaint {
  if (spec.configSource) return `node ${q(node)} is not allowed to create pods with a non-nil configSource`
  const labels = forbiddenLabels(metadata.labels, {})
  return labels.length ? `node ${q(node)} is not allowed to set the following labels: ${labels.join(', ')}` : undefined
}

function changedNode(node: string, { metadata, spec }: core.Node, old: core.Node): Complaint {
  if (spec.configSource && !same(spec.configSource, old.spec.configSource))
    return `node ${q(node)} is not allowed to update configSource to a new non-nil configSource`
  if (!same(spec.taints ?? [], old.spec.taints ?? [])) return `node ${q(node)} is not allowed to modify taints`
  if (!same(metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? []))
    return `node ${q(node)} is not allowed to modify ownerReferences`
  const labels = forbiddenLabels(metadata.labels, old.metadata.labels)
  return labels.length ? `is not allowed to modify labels: ${labels.join(', ')}` : undefined
}

const judgeClaim: Judge = (node, { operation, subresource, object, old }) => {
  if (subresource !== 'status') return 'may only update PVC status'
  if (operation !== 'UPDATE') return `unexpected operation ${q(operation)}`
  const fixed = ({ metadata, status, ...rest }: core.PersistentVolumeClaim) => {
    const { resourceVersion: _, managedFields: __, ...others } = metadata
    const { capacity, conditions, allocatedResources, allocatedResourceStatuses, ...stays } = status
    return { ...rest, metadata: others, status: stays }
  }
  return same(fixed(object as core.PersistentVolumeClaim), fixed(old as core.PersistentVolumeClaim))
    ? undefined
    : `node ${q(node)} is not allowed to update fields other than status.quantity and status.conditions`
}

const judgeLease: Judge = (node, { operation, namespace, name, object }) => {
  if (namespace !== NODE_LEASES) return `can only access leases in the ${q(NODE_LEASES)} system namespace`
  return named(operation === 'CREATE' ? (object as coordination.Lease) : undefined, name) === node
    ? undefined
    : 'can only access node lease with the same name as the requesting node'
}

const judgeCsiNode: Judge = (node, { operation, name, object }) =>
  named(operation === 'CREATE' ? object : undefined, name) === node
    ? undefined
    : 'can only access CSINode with the same name as the requesting node'

const named = (created: KubeObject | undefined, name: string) => created?.metadata.name ?? name

const judgeSlice: Judge = (node, { operation, object, old }) => {
  if (operation === 'UPDATE') return undefined
  const slice = (operation === 'CREATE' ? object : old) as dra.ResourceSlice
  const what = operation === 'CREATE' ? 'create' : 'delete'
  return slice.spec.nodeName === node
    ? undefined
    : `can only ${what} ResourceSlice with the same NodeName as the requesting node`
}

/** What a node asks a certificate for is itself. */
const judgeRequest: Judge = async (node, { operation, object }) => {
  if (operation !== 'CREATE') return undefined
  const { signerName, request } = (object as certificates.CertificateSigningRequest).spec
  if (!NODE_SIGNERS.includes(signerName)) return undefined
  const wanted = `system:node:${node}`
  try {
    const { commonName } = await subjectOfRequest(request)
    return commonName === wanted ? undefined : `can only create a node CSR with CN=${wanted}`
  } catch (error) {
    return `unable to parse csr: ${(error as Error).message}`
  }
}
