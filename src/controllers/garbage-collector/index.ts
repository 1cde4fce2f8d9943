import { apiVersion, type KubeObject, type meta, type Resource } from '../../api/index.ts'
import type { Component } from '../../base/index.ts'
import { keyOf, type Source, startController } from '../../client/index.ts'
import { type Context, recorderOf } from '../context.ts'
import { found } from '../found.ts'
import { type Kind, Kinds } from './kinds.ts'

const ORPHAN = 'orphan'
const FOREGROUND = 'foregroundDeletion'

/** Upstream's number of workers, for each of deleting and orphaning. */
const WORKERS = 20

/**
 * Deletes what has owners none of which is there any more, and lets owners that are deleted in the foreground go when
 * their dependents have gone. What upstream keeps as a graph is here the informers' index by owner. That an owner is
 * not in a lister proves nothing: only the API server's answer that it is gone does.
 * Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export function startGarbageCollector(context: Context): Component {
  const { client, informers, clock, log } = context
  const recorder = recorderOf(context, 'garbage-collector-controller')
  /** Uids that the server has said to be gone; a uid never comes back. */
  const absent = new RecentSet(500)
  const kinds = new Kinds(informers)

  let add = (_key: string) => {}
  const enqueue = ({ type }: Kind, object: KubeObject) => add([apiVersion(type), type.kind, keyOf(object)].join('#'))
  const source: Source = {
    start(queue) {
      add = queue
      return kinds.start({ changed, deleted })
    },
    get synced() {
      return kinds.synced
    },
  }

  const controller = startController({
    name: 'garbage-collector',
    workers: WORKERS,
    sources: [source],
    reconcile,
    clock,
    log,
  })

  function changed(kind: Kind, old: KubeObject | undefined, object: KubeObject): void {
    const { ownerReferences, deletionTimestamp, finalizers } = object.metadata
    const ownersChanged = JSON.stringify(old?.metadata.ownerReferences) !== JSON.stringify(ownerReferences)
    const awaitsUs = deletionTimestamp && (finalizers?.includes(ORPHAN) || finalizers?.includes(FOREGROUND))
    if ((ownerReferences?.length && ownersChanged) || awaitsUs) enqueue(kind, object)
    // Dependents that would block are told that their owner waits for them.
    if (awaitsForeground(object) && !(old && awaitsForeground(old))) enqueueDependents(object)
    if (old?.metadata.ownerReferences?.length && ownersChanged) enqueueWaitingOwners(old)
  }

  function deleted(object: KubeObject): void {
    enqueueDependents(object)
    enqueueWaitingOwners(object)
  }

  function enqueueDependents({ metadata }: KubeObject): void {
    for (const { kind, object } of kinds.dependentsOf(metadata.uid)) enqueue(kind, object)
  }

  function enqueueWaitingOwners({ metadata }: KubeObject): void {
    for (const reference of metadata.ownerReferences ?? []) {
      const kind = kinds.find(reference.apiVersion, reference.kind)
      const owner = kind && ownerIn(kind, reference, metadata.namespace)
      if (kind && owner && awaitsForeground(owner)) enqueue(kind, owner)
    }
  }

  async function reconcile(key: string): Promise<void> {
    const [version, kindName, objectKey] = key.split('#') as [string, string, string]
    const kind = kinds.find(version, kindName)
    const object = kind?.informer.lister.getByKey(objectKey)
    if (!kind || !object) return
    const { deletionTimestamp, finalizers, ownerReferences } = object.metadata
    if (deletionTimestamp && finalizers?.includes(ORPHAN)) return await orphanDependents(kind, object)
    if (deletionTimestamp && finalizers?.includes(FOREGROUND)) return await awaitDependents(kind, object)
    if (!deletionTimestamp && ownerReferences?.length) await judge(kind, object)
  }

  // --- dependents: do they still have an owner?

  async function judge(kind: Kind, seen: KubeObject): Promise<void> {
    if (!seen.metadata.ownerReferences?.some(reference => mayBeGone(seen, reference))) return
    const object = await live(kind.type, seen)
    if (!object || object.metadata.deletionTimestamp) return
    const owners: Record<OwnerState, meta.OwnerReference[]> = { solid: [], dangling: [], waiting: [] }
    for (const reference of object.metadata.ownerReferences ?? []) {
      owners[await stateOf(kind, object, reference)].push(reference)
    }
    if (owners.solid.length > 0) {
      const useless = [...owners.dangling, ...owners.waiting]
      if (useless.length > 0) await dropOwners(kind.type, object, useless)
    } else if (owners.waiting.length > 0 && kinds.dependentsOf(object.metadata.uid).length > 0) {
      await unblockCycle(kind.type, object)
      await remove(kind.type, object, 'Foreground')
    } else {
      await remove(kind.type, object, policyOf(object))
    }
  }

  /** Most owners are there and stay; this is known without asking the server. */
  function mayBeGone(object: KubeObject, reference: meta.OwnerReference): boolean {
    const kind = kinds.find(reference.apiVersion, reference.kind)
    const owner = kind && ownerIn(kind, reference, object.metadata.namespace)
    return !owner || awaitsForeground(owner)
  }

  async function stateOf(dependent: Kind, object: KubeObject, reference: meta.OwnerReference): Promise<OwnerState> {
    if (absent.has(reference.uid)) return 'dangling'
    const kind = kinds.find(reference.apiVersion, reference.kind)
    if (!kind) throw new Error(`unable to get REST mapping for ${reference.apiVersion}/${reference.kind}.`)
    if (kind.type.namespaced && !dependent.type.namespaced) {
      // A cluster-scoped object cannot say which namespace its owner is in, so nothing proves the owner's absence.
      noteForeignOwner(object, reference)
      return 'solid'
    }
    const { namespace } = object.metadata
    const ref = { namespace: kind.type.namespaced ? namespace : '', name: reference.name }
    const owner = ownerIn(kind, reference, namespace) ?? (await found(client.get(kind.type, ref)))
    if (owner?.metadata.uid === reference.uid) return awaitsForeground(owner) ? 'waiting' : 'solid'
    if (kinds.has(reference.uid)) noteForeignOwner(object, reference)
    else absent.add(reference.uid)
    return 'dangling'
  }

  function ownerIn(kind: Kind, reference: meta.OwnerReference, namespace: string): KubeObject | undefined {
    const owner = kind.informer.lister.get({ namespace: kind.type.namespaced ? namespace : '', name: reference.name })
    return owner?.metadata.uid === reference.uid ? owner : undefined
  }

  function noteForeignOwner(object: KubeObject, { apiVersion, kind, name, uid }: meta.OwnerReference): void {
    const { namespace = '' } = object.metadata
    const owner = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`
    recorder.warning(object, 'OwnerRefInvalidNamespace', `ownerRef ${owner} does not exist in namespace "${namespace}"`)
  }

  // --- owners that wait

  /** Deletes what blocks the owner, and lets the owner go when nothing does any more. */
  async function awaitDependents(kind: Kind, owner: KubeObject): Promise<void> {
    const { uid } = owner.metadata
    const blocks = (object: KubeObject) =>
      object.metadata.ownerReferences?.some(reference => reference.uid === uid && reference.blockOwnerDeletion)
    const blocking = kinds.dependentsOf(uid).filter(({ object }) => blocks(object))
    if (blocking.length === 0) return await removeFinalizer(kind.type, owner, FOREGROUND)
    for (const dependent of blocking) {
      if (!dependent.object.metadata.deletionTimestamp) enqueue(dependent.kind, dependent.object)
    }
  }

  async function orphanDependents(kind: Kind, owner: KubeObject): Promise<void> {
    const { uid } = owner.metadata
    await Promise.all(
      kinds.dependentsOf(uid).map(async ({ kind: { type }, object }) => {
        const fresh = await live(type, object)
        const references = fresh?.metadata.ownerReferences?.filter(reference => reference.uid === uid)
        if (fresh && references?.length) await dropOwners(type, fresh, references)
      }),
    )
    await removeFinalizer(kind.type, owner, ORPHAN)
  }

  /** Objects that own each other would wait for each other: one of them stops to block. */
  async function unblockCycle(type: Resource, object: KubeObject): Promise<void> {
    const dependents = kinds.dependentsOf(object.metadata.uid)
    if (!dependents.some(({ object }) => awaitsForeground(object))) return
    const ownerReferences = object.metadata.ownerReferences?.map(each => ({ ...each, blockOwnerDeletion: false }))
    await change(type, object, { ownerReferences })
  }

  // --- writes; each is bound to the object as it was read

  async function dropOwners(type: Resource, object: KubeObject, dropped: meta.OwnerReference[]): Promise<void> {
    const uids = new Set(dropped.map(({ uid }) => uid))
    await change(type, object, {
      ownerReferences: object.metadata.ownerReferences?.filter(({ uid }) => !uids.has(uid)),
    })
  }

  async function removeFinalizer(type: Resource, seen: KubeObject, finalizer: string): Promise<void> {
    const object = await live(type, seen)
    if (!object?.metadata.finalizers?.includes(finalizer)) return
    await change(type, object, { finalizers: object.metadata.finalizers.filter(each => each !== finalizer) })
  }

  async function change(type: Resource, { metadata }: KubeObject, fields: Partial<meta.ObjectMeta>): Promise<void> {
    const { uid, resourceVersion } = metadata
    const body = { metadata: { uid, resourceVersion, ...fields } }
    await found(client.patch(type, metadata, { type: 'merge', body }))
  }

  async function remove(
    type: Resource,
    { metadata }: KubeObject,
    propagationPolicy: 'Orphan' | 'Background' | 'Foreground',
  ): Promise<void> {
    const { uid, resourceVersion } = metadata
    await found(client.delete(type, metadata, { propagationPolicy, preconditions: { uid, resourceVersion } }))
  }

  /** The object as the server has it, if it is still the same one. */
  async function live(type: Resource, { metadata }: KubeObject): Promise<KubeObject | undefined> {
    const object = await found(client.get(type, metadata))
    return object?.metadata.uid === metadata.uid ? object : undefined
  }

  return {
    async stop() {
      await controller.stop()
      await recorder.stop()
    },
  }
}

/** How an owner stands: there, gone, or going and waiting for what it owns. */
type OwnerState = 'solid' | 'dangling' | 'waiting'

const awaitsForeground = ({ metadata }: KubeObject): boolean =>
  !!metadata.deletionTimestamp && !!metadata.finalizers?.includes(FOREGROUND)

/** What the object's own finalizers ask for. */
function policyOf({ metadata }: KubeObject): 'Orphan' | 'Background' | 'Foreground' {
  if (metadata.finalizers?.includes(ORPHAN)) return 'Orphan'
  return metadata.finalizers?.includes(FOREGROUND) ? 'Foreground' : 'Background'
}

/** The last `size` that were added. */
class RecentSet {
  readonly #size: number
  readonly #values = new Set<string>()

  constructor(size: number) {
    this.#size = size
  }

  has(value: string): boolean {
    return this.#values.has(value)
  }

  add(value: string): void {
    this.#values.delete(value)
    this.#values.add(value)
    if (this.#values.size <= this.#size) return
    const [oldest] = this.#values
    this.#values.delete(oldest!)
  }
}
