// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as core from './core-v1.ts'
import type * as meta from './meta-v1.ts'

export interface ControllerRevision {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  data: unknown
  revision: number
}

export interface ControllerRevisionList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: ControllerRevision[]
}

export interface DaemonSet {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: DaemonSetSpec
  status: DaemonSetStatus
}

export interface DaemonSetCondition {
  type: string
  status: string
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface DaemonSetList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: DaemonSet[]
}

export interface DaemonSetSpec {
  selector: meta.LabelSelector
  template: core.PodTemplateSpec
  updateStrategy: DaemonSetUpdateStrategy
  minReadySeconds?: number
  revisionHistoryLimit?: number
}

export interface DaemonSetStatus {
  currentNumberScheduled: number
  numberMisscheduled: number
  desiredNumberScheduled: number
  numberReady: number
  observedGeneration?: number
  updatedNumberScheduled?: number
  numberAvailable?: number
  numberUnavailable?: number
  collisionCount?: number
  conditions?: DaemonSetCondition[]
}

export interface DaemonSetUpdateStrategy {
  type?: 'OnDelete' | 'RollingUpdate'
  rollingUpdate?: RollingUpdateDaemonSet
}

export interface Deployment {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: DeploymentSpec
  status: DeploymentStatus
}

export interface DeploymentCondition {
  type: string
  status: string
  lastUpdateTime?: string
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface DeploymentList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: Deployment[]
}

export interface DeploymentSpec {
  replicas?: number
  selector: meta.LabelSelector
  template: core.PodTemplateSpec
  strategy: DeploymentStrategy
  minReadySeconds?: number
  revisionHistoryLimit?: number
  paused?: boolean
  progressDeadlineSeconds?: number
}

export interface DeploymentStatus {
  observedGeneration?: number
  replicas?: number
  updatedReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  unavailableReplicas?: number
  terminatingReplicas?: number
  conditions?: DeploymentCondition[]
  collisionCount?: number
}

export interface DeploymentStrategy {
  type?: 'Recreate' | 'RollingUpdate'
  rollingUpdate?: RollingUpdateDeployment
}

export interface ReplicaSet {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: ReplicaSetSpec
  status: ReplicaSetStatus
}

export interface ReplicaSetCondition {
  type: string
  status: string
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface ReplicaSetList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: ReplicaSet[]
}

export interface ReplicaSetSpec {
  replicas?: number
  minReadySeconds?: number
  selector: meta.LabelSelector
  template: core.PodTemplateSpec
}

export interface ReplicaSetStatus {
  replicas: number
  fullyLabeledReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  terminatingReplicas?: number
  observedGeneration?: number
  conditions?: ReplicaSetCondition[]
}

export interface RollingUpdateDaemonSet {
  maxUnavailable?: number | string
  maxSurge?: number | string
}

export interface RollingUpdateDeployment {
  maxUnavailable?: number | string
  maxSurge?: number | string
}

export interface RollingUpdateStatefulSetStrategy {
  partition?: number
  maxUnavailable?: number | string
}

export interface StatefulSet {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: StatefulSetSpec
  status: StatefulSetStatus
}

export interface StatefulSetCondition {
  type: string
  status: string
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface StatefulSetList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: StatefulSet[]
}

export interface StatefulSetOrdinals {
  start: number
}

export interface StatefulSetPersistentVolumeClaimRetentionPolicy {
  whenDeleted?: string
  whenScaled?: string
}

export interface StatefulSetSpec {
  replicas?: number
  selector: meta.LabelSelector
  template: core.PodTemplateSpec
  volumeClaimTemplates?: core.PersistentVolumeClaim[]
  serviceName: string
  podManagementPolicy?: 'OrderedReady' | 'Parallel'
  updateStrategy: StatefulSetUpdateStrategy
  revisionHistoryLimit?: number
  minReadySeconds?: number
  persistentVolumeClaimRetentionPolicy?: StatefulSetPersistentVolumeClaimRetentionPolicy
  ordinals?: StatefulSetOrdinals
}

export interface StatefulSetStatus {
  observedGeneration?: number
  replicas: number
  readyReplicas?: number
  currentReplicas?: number
  updatedReplicas?: number
  currentRevision?: string
  updateRevision?: string
  collisionCount?: number
  conditions?: StatefulSetCondition[]
  availableReplicas: number
}

export interface StatefulSetUpdateStrategy {
  type?: 'OnDelete' | 'RollingUpdate'
  rollingUpdate?: RollingUpdateStatefulSetStrategy
}
