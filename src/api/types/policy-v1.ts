// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as meta from './meta-v1.ts'

export interface Eviction {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  deleteOptions?: meta.DeleteOptions
}

export interface PodDisruptionBudget {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: PodDisruptionBudgetSpec
  status: PodDisruptionBudgetStatus
}

export interface PodDisruptionBudgetList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: PodDisruptionBudget[]
}

export interface PodDisruptionBudgetSpec {
  minAvailable?: number | string
  selector?: meta.LabelSelector
  maxUnavailable?: number | string
  unhealthyPodEvictionPolicy?: 'AlwaysAllow' | 'IfHealthyBudget'
}

export interface PodDisruptionBudgetStatus {
  observedGeneration?: number
  disruptedPods?: Record<string, string>
  disruptionsAllowed: number
  currentHealthy: number
  desiredHealthy: number
  expectedPods: number
  conditions?: meta.Condition[]
}
