import { type Resource, resources } from '../../api/index.ts'
import { type AdmissionPlugin, isOf } from './admission.ts'

/** By what a controller holds each until nobody uses it any more. */
const FINALIZERS: [Resource, string][] = [
  [resources.persistentVolumes as Resource, 'kubernetes.io/pv-protection'],
  [resources.persistentVolumeClaims as Resource, 'kubernetes.io/pvc-protection'],
  [resources.volumeAttributesClasses as Resource, 'kubernetes.io/vac-protection'],
]

/**
 * What stores data is not removed while it is in use.
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
 */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  mutate(attributes) {
    if (attributes.operation !== 'CREATE') return
    const finalizer = FINALIZERS.find(([resource]) => isOf(attributes, resource))?.[1]
    if (!finalizer) return
    const { metadata } = attributes.object!
    if (!metadata.finalizers?.includes(finalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), finalizer]
  },
}
