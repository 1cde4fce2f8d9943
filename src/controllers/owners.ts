import { apiVersion, type KubeObject, type LabelSelector, type meta, type Resource } from '../api/index.ts'
import type { Client } from '../client/index.ts'
import { found } from './found.ts'

/** The one owner that manages the object, if it has one. */
export const controllerOf = (object: KubeObject): meta.OwnerReference | undefined =>
  object.metadata.ownerReferences?.find(owner => owner.controller)

export const isControlledBy = (object: KubeObject, owner: KubeObject): boolean =>
  controllerOf(object)?.uid === owner.metadata.uid

/** The reference that makes `owner` the controller of what carries it. */
export function controllerReference(owner: KubeObject, type: Resource): meta.OwnerReference {
  return {
    apiVersion: apiVersion(type),
    kind: type.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  }
}

/** An index of objects by the uid of their controller; those without one are found by `orphansOf` their namespace. */
export const BY_CONTROLLER = 'controller'
export const orphansOf = (namespace: string): string => `orphans/${namespace}`
export const controllerIndex = (object: KubeObject): string[] => [
  controllerOf(object)?.uid ?? orphansOf(object.metadata.namespace),
]

export interface Claim<Owner extends KubeObject, T extends KubeObject> {
  client: Client
  owner: Owner
  ownerType: Resource<Owner>
  selector: LabelSelector
  objectType: Resource<T>
  /** Those that the owner controls, and orphans that it may adopt. */
  candidates: T[]
}

/**
 * The objects that `owner` controls after it has adopted the orphans that its selector matches and released what it
 * matches no longer. Source: k8s.io/kubernetes/pkg/controller/controller_ref_manager.go
 */
export async function claim<Owner extends KubeObject, T extends KubeObject>(request: Claim<Owner, T>): Promise<T[]> {
  const { owner, selector, candidates } = request
  const mayAdopt = once(() => ownerLives(request))
  const claimed: T[] = []
  for (const object of candidates) {
    const matches = selector.matches(object.metadata.labels)
    const controller = controllerOf(object)
    if (controller) {
      if (controller.uid !== owner.metadata.uid) continue
      if (matches) claimed.push(object)
      else if (!owner.metadata.deletionTimestamp) await release(request, object)
    } else if (matches && !owner.metadata.deletionTimestamp && !object.metadata.deletionTimestamp) {
      if ((await mayAdopt()) && (await adopt(request, object))) claimed.push(object)
    }
  }
  return claimed
}

/** The lister may be behind: an owner that is gone, or going, adopts nothing. */
async function ownerLives<Owner extends KubeObject, T extends KubeObject>(request: Claim<Owner, T>): Promise<boolean> {
  const { client, owner, ownerType } = request
  const live = await client.get(ownerType, owner.metadata)
  if (live.metadata.uid !== owner.metadata.uid) throw new Error(`${owner.metadata.name} was deleted and made anew`)
  return !live.metadata.deletionTimestamp
}

/** Whether the object was still there. */
async function adopt<Owner extends KubeObject, T extends KubeObject>(request: Claim<Owner, T>, object: T) {
  const { client, owner, ownerType, objectType } = request
  const ownerReferences = [controllerReference(owner, ownerType as Resource)]
  const body = { metadata: { ownerReferences, uid: object.metadata.uid } }
  return (await found(client.patch(objectType, object.metadata, { type: 'strategic', body }))) !== undefined
}

async function release<Owner extends KubeObject, T extends KubeObject>(request: Claim<Owner, T>, object: T) {
  const { client, owner, objectType } = request
  const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }]
  const body = { metadata: { ownerReferences, uid: object.metadata.uid } }
  return (await found(client.patch(objectType, object.metadata, { type: 'strategic', body }))) !== undefined
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
