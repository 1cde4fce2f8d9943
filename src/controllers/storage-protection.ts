import { type core, type KubeObject, type Resource, resources } from '../api/index.ts'
import type { Component } from '../base/index.ts'
import { from, type Informer, keyOf, type Source, startController } from '../client/index.ts'
import type { Context } from './context.ts'
import { found } from './found.ts'

const BY_CLAIM = 'claim'
const BY_CLASS = 'volumeattributesclass'

/**
 * What stores data stays for as long as somebody uses it: its deletion waits for a finalizer that is taken away here.
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
 */
export function startStorageProtection(context: Context): Component {
  const controllers = [protectClaims(context), protectVolumes(context), protectAttributesClasses(context)]
  return {
    async stop() {
      await Promise.all(controllers.map(controller => controller.stop()))
    },
  }
}

/** Claims, from pods that have a node. */
function protectClaims(context: Context): Component {
  const pods = context.informers.get(resources.pods)
  pods.addIndex(BY_CLAIM, claimKeys)
  return startProtection(context, {
    name: 'pvc-protection',
    resource: resources.persistentVolumeClaims,
    finalizer: 'kubernetes.io/pvc-protection',
    sources: [from(pods, claimKeys)],
    async isUsed(claim) {
      const uses = (pod: core.Pod) => usesClaim(pod, claim)
      if (pods.lister.byIndex(BY_CLAIM, keyOf(claim)).some(uses)) return true
      // A pod that has just got its node may not have been heard of.
      const { namespace = '' } = claim.metadata
      return (await context.client.list(resources.pods, { namespace })).items.some(uses)
    },
  })
}

/** Volumes, while a claim has them. */
const protectVolumes = (context: Context): Component =>
  startProtection(context, {
    name: 'pv-protection',
    resource: resources.persistentVolumes,
    finalizer: 'kubernetes.io/pv-protection',
    isUsed: ({ status }) => status.phase === 'Bound',
  })

/** Classes of attributes, while a claim or a volume names them. */
function protectAttributesClasses(context: Context): Component {
  const volumes = context.informers.get(resources.persistentVolumes)
  const claims = context.informers.get(resources.persistentVolumeClaims)
  volumes.addIndex(BY_CLASS, classesOfVolume)
  claims.addIndex(BY_CLASS, classesOfClaim)
  return startProtection(context, {
    name: 'volumeattributesclass-protection',
    resource: resources.volumeAttributesClasses,
    finalizer: 'kubernetes.io/vac-protection',
    sources: [from(volumes, classesOfVolume), from(claims, classesOfClaim)],
    isUsed: ({ metadata: { name } }) =>
      volumes.lister.byIndex(BY_CLASS, name).length > 0 || claims.lister.byIndex(BY_CLASS, name).length > 0,
  })
}

interface Protection<T extends KubeObject> {
  name: string
  resource: Resource<T>
  finalizer: string
  /** What else may end its use. */
  sources?: Source[]
  isUsed(object: T): boolean | Promise<boolean>
}

function startProtection<T extends KubeObject>(
  { client, informers, clock, log }: Context,
  { name, resource, finalizer, sources = [], isUsed }: Protection<T>,
): Component {
  const objects: Informer<T> = informers.get(resource)
  return startController({
    name,
    workers: 1,
    sources: [from(objects), ...sources],
    clock,
    log,
    async reconcile(key) {
      const object = objects.lister.getByKey(key)
      if (!object) return
      const { metadata } = object
      const { deletionTimestamp, finalizers = [] } = metadata
      const isProtected = finalizers.includes(finalizer)
      if (deletionTimestamp ? !isProtected || (await isUsed(object)) : isProtected) return
      const wanted = deletionTimestamp ? finalizers.filter(each => each !== finalizer) : [...finalizers, finalizer]
      await found(client.update(resource, { ...object, metadata: { ...metadata, finalizers: wanted } }))
    },
  })
}

/** The claim of an inline volume is called after the pod and the volume. */
const ephemeralName = ({ metadata }: core.Pod, volume: core.Volume) => `${metadata.name}-${volume.name}`

const claimKeys = (pod: core.Pod): string[] =>
  (pod.spec.volumes ?? []).flatMap(volume => {
    const own = volume.ephemeral && ephemeralName(pod, volume)
    const name = volume.persistentVolumeClaim?.claimName ?? own
    return name ? `${pod.metadata.namespace}/${name}` : []
  })

function usesClaim(pod: core.Pod, { metadata }: core.PersistentVolumeClaim): boolean {
  if (!pod.spec.nodeName) return false
  const { deletionTimestamp, deletionGracePeriodSeconds, uid } = pod.metadata
  const isShutDown = deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0
  const isOwner = metadata.ownerReferences?.some(owner => owner.controller && owner.uid === uid)
  return (pod.spec.volumes ?? []).some(
    volume =>
      volume.persistentVolumeClaim?.claimName === metadata.name ||
      (volume.ephemeral && !isShutDown && isOwner && ephemeralName(pod, volume) === metadata.name),
  )
}

const classesOfVolume = ({ spec }: core.PersistentVolume): string[] =>
  spec.volumeAttributesClassName ? [spec.volumeAttributesClassName] : []

function classesOfClaim({ spec, status }: core.PersistentVolumeClaim): string[] {
  const names = [
    spec.volumeAttributesClassName,
    status.currentVolumeAttributesClassName,
    status.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]
  return [...new Set(names.filter(name => !!name))] as string[]
}
