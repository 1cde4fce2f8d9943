// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as core from './core-v1.ts'
import type * as meta from './meta-v1.ts'

export interface CSIDriver {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: CSIDriverSpec
}

export interface CSIDriverList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: CSIDriver[]
}

export interface CSIDriverSpec {
  attachRequired?: boolean
  podInfoOnMount?: boolean
  volumeLifecycleModes?: string[]
  storageCapacity?: boolean
  fsGroupPolicy?: string
  tokenRequests?: TokenRequest[]
  requiresRepublish?: boolean
  seLinuxMount?: boolean
  nodeAllocatableUpdatePeriodSeconds?: number
  serviceAccountTokenInSecrets?: boolean
  preventPodSchedulingIfMissing?: boolean
}

export interface CSINode {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: CSINodeSpec
}

export interface CSINodeDriver {
  name: string
  nodeID: string
  topologyKeys?: string[]
  allocatable?: VolumeNodeResources
}

export interface CSINodeList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: CSINode[]
}

export interface CSINodeSpec {
  drivers: CSINodeDriver[]
}

export interface CSIStorageCapacity {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  nodeTopology?: meta.LabelSelector
  storageClassName: string
  capacity?: string
  maximumVolumeSize?: string
}

export interface CSIStorageCapacityList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: CSIStorageCapacity[]
}

export interface StorageClass {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  provisioner: string
  parameters?: Record<string, string>
  reclaimPolicy?: 'Delete' | 'Recycle' | 'Retain'
  mountOptions?: string[]
  allowVolumeExpansion?: boolean
  volumeBindingMode?: 'Immediate' | 'WaitForFirstConsumer'
  allowedTopologies?: core.TopologySelectorTerm[]
}

export interface StorageClassList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: StorageClass[]
}

export interface TokenRequest {
  audience: string
  expirationSeconds?: number
}

export interface VolumeAttachment {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: VolumeAttachmentSpec
  status: VolumeAttachmentStatus
}

export interface VolumeAttachmentList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: VolumeAttachment[]
}

export interface VolumeAttachmentSource {
  persistentVolumeName?: string
  inlineVolumeSpec?: core.PersistentVolumeSpec
}

export interface VolumeAttachmentSpec {
  attacher: string
  source: VolumeAttachmentSource
  nodeName: string
}

export interface VolumeAttachmentStatus {
  attached: boolean
  attachmentMetadata?: Record<string, string>
  attachError?: VolumeError
  detachError?: VolumeError
}

export interface VolumeAttributesClass {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  driverName: string
  parameters?: Record<string, string>
}

export interface VolumeAttributesClassList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: VolumeAttributesClass[]
}

export interface VolumeError {
  time?: string
  message?: string
  errorCode?: number
}

export interface VolumeNodeResources {
  count?: number
}
