import type { core, storage } from '../../api/index.ts'
import { ageColumn, boolean, integer, nameColumn, text, UNSET, wide } from './columns.ts'
import type { Column } from './table.ts'

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'
const DEFAULT_ANNOTATIONS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]

const MODES: [string, string][] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
]

const accessModes = (modes: string[] = []) =>
  MODES.filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(',')

const className = ({ metadata, spec }: core.PersistentVolume | core.PersistentVolumeClaim) =>
  metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName ?? ''

const phase = ({ metadata, status }: core.PersistentVolume | core.PersistentVolumeClaim) =>
  metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? '')

export const persistentVolumeColumns: Column<core.PersistentVolume>[] = [
  nameColumn,
  text('Capacity', 'How much it holds.', ({ spec }) => spec.capacity?.storage ?? '0'),
  text('Access Modes', 'How it can be mounted.', ({ spec }) => accessModes(spec.accessModes)),
  text(
    'Reclaim Policy',
    'What happens when its claim is gone.',
    ({ spec }) => spec.persistentVolumeReclaimPolicy ?? '',
  ),
  text('Status', 'Whether it is free, bound or given up.', phase),
  text('Claim', 'Claim that it is bound to.', ({ spec: { claimRef } }) =>
    claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name}` : '',
  ),
  text('StorageClass', 'Class that it belongs to.', className),
  text('VolumeAttributesClass', 'Attributes that it has.', ({ spec }) => spec.volumeAttributesClassName ?? UNSET),
  text('Reason', 'Why it failed.', ({ status }) => status.reason ?? ''),
  ageColumn,
  wide(text('VolumeMode', 'Filesystem or block device.', ({ spec }) => spec.volumeMode ?? UNSET)),
]

export const persistentVolumeClaimColumns: Column<core.PersistentVolumeClaim>[] = [
  nameColumn,
  text('Status', 'Whether it is bound.', phase),
  text('Volume', 'Volume that it is bound to.', ({ spec }) => spec.volumeName ?? ''),
  text('Capacity', 'How much the volume holds.', ({ spec, status }) =>
    spec.volumeName ? (status.capacity?.storage ?? '0') : '',
  ),
  text('Access Modes', 'How the volume can be mounted.', ({ spec, status }) =>
    spec.volumeName ? accessModes(status.accessModes) : '',
  ),
  text('StorageClass', 'Class that it asks for.', className),
  text('VolumeAttributesClass', 'Attributes that it asks for.', ({ spec }) => spec.volumeAttributesClassName ?? UNSET),
  ageColumn,
  wide(text('VolumeMode', 'Filesystem or block device.', ({ spec }) => spec.volumeMode ?? UNSET)),
]

export const storageClassColumns: Column<storage.StorageClass>[] = [
  {
    ...nameColumn,
    cell: ({ metadata }) =>
      DEFAULT_ANNOTATIONS.some(key => metadata.annotations?.[key] === 'true')
        ? `${metadata.name} (default)`
        : metadata.name,
  },
  text('Provisioner', 'Who makes the volumes.', ({ provisioner }) => provisioner),
  text(
    'ReclaimPolicy',
    'What happens to a volume when its claim is gone.',
    ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete',
  ),
  text('VolumeBindingMode', 'When a claim is bound.', ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate'),
  text(
    'AllowVolumeExpansion',
    'Whether a volume can grow.',
    ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
  ),
  ageColumn,
]

export const volumeAttributesClassColumns: Column<storage.VolumeAttributesClass>[] = [
  nameColumn,
  text('DriverName', 'CSI driver that knows the attributes.', ({ driverName }) => driverName),
  ageColumn,
]

export const volumeAttachmentColumns: Column<storage.VolumeAttachment>[] = [
  nameColumn,
  { ...text('Attacher', 'Driver that attaches.', ({ spec }) => spec.attacher), format: 'name' },
  text('PV', 'Volume to attach.', ({ spec }) => spec.source?.persistentVolumeName ?? ''),
  text('Node', 'Node to attach it to.', ({ spec }) => spec.nodeName),
  boolean('Attached', 'Whether it is attached.', ({ status }) => status.attached ?? false),
  ageColumn,
]

export const csiNodeColumns: Column<storage.CSINode>[] = [
  nameColumn,
  integer('Drivers', 'How many CSI drivers the node has.', ({ spec }) => spec.drivers?.length ?? 0),
  ageColumn,
]

export const csiDriverColumns: Column<storage.CSIDriver>[] = [
  nameColumn,
  boolean('AttachRequired', 'Whether volumes are attached first.', ({ spec }) => spec.attachRequired ?? true),
  boolean('PodInfoOnMount', 'Whether the driver is told of the pod.', ({ spec }) => spec.podInfoOnMount ?? false),
  boolean('StorageCapacity', 'Whether the driver reports what is free.', ({ spec }) => spec.storageCapacity ?? false),
  text('TokenRequests', 'Audiences of the tokens it gets.', ({ spec }) =>
    spec.tokenRequests?.length ? spec.tokenRequests.map(({ audience }) => audience).join(',') : UNSET,
  ),
  boolean('RequiresRepublish', 'Whether mounts are repeated.', ({ spec }) => spec.requiresRepublish ?? false),
  text(
    'Modes',
    'Lives of volumes that it knows.',
    ({ spec }) => (spec.volumeLifecycleModes ?? []).join(',') || '<none>',
  ),
  ageColumn,
]
