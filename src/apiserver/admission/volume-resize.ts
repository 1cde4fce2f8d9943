import { type core, parseQuantity, resources } from '../../api/index.ts'
import type { Reader } from '../registry/reader.ts'
import { type AdmissionPlugin, forbidden, isOf } from './admission.ts'

const CLASS = 'volume.beta.kubernetes.io/storage-class'

/**
 * A claim can grow only where its class says that volumes can.
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
 */
export const persistentVolumeClaimResize = (reader: Reader): AdmissionPlugin => ({
  name: 'PersistentVolumeClaimResize',
  async validate(attributes) {
    if (attributes.operation !== 'UPDATE' || !isOf(attributes, resources.persistentVolumeClaims)) return
    const claim = attributes.object as core.PersistentVolumeClaim
    const old = attributes.old as core.PersistentVolumeClaim
    if (sizeOf(claim) <= sizeOf(old)) return
    if (old.status.phase !== 'Bound') throw forbidden(attributes, 'Only bound persistent volume claims can be expanded')
    const name = classOf(claim)
    const found = name && name === classOf(old) ? await reader.read(resources.storageClasses, '', name) : undefined
    if (found?.allowVolumeExpansion) return
    throw forbidden(
      attributes,
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    )
  },
})

const sizeOf = ({ spec }: core.PersistentVolumeClaim): bigint =>
  parseQuantity(spec.resources?.requests?.storage ?? '0').nano

const classOf = ({ metadata, spec }: core.PersistentVolumeClaim): string | undefined =>
  metadata.annotations?.[CLASS] ?? spec.storageClassName
