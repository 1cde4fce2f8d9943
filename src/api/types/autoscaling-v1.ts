// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as meta from './meta-v1.ts'

export interface ContainerResourceMetricSource {
  name: string
  targetAverageUtilization?: number
  targetAverageValue?: string
  container: string
}

export interface ContainerResourceMetricStatus {
  name: string
  currentAverageUtilization?: number
  currentAverageValue: string
  container: string
}

export interface CrossVersionObjectReference {
  kind: string
  name: string
  apiVersion?: string
}

export interface ExternalMetricSource {
  metricName: string
  metricSelector?: meta.LabelSelector
  targetValue?: string
  targetAverageValue?: string
}

export interface ExternalMetricStatus {
  metricName: string
  metricSelector?: meta.LabelSelector
  currentValue: string
  currentAverageValue?: string
}

export interface HorizontalPodAutoscaler {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: HorizontalPodAutoscalerSpec
  status: HorizontalPodAutoscalerStatus
}

export interface HorizontalPodAutoscalerCondition {
  type: string
  status: string
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface HorizontalPodAutoscalerList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: HorizontalPodAutoscaler[]
}

export interface HorizontalPodAutoscalerSpec {
  scaleTargetRef: CrossVersionObjectReference
  minReplicas?: number
  maxReplicas: number
  targetCPUUtilizationPercentage?: number
}

export interface HorizontalPodAutoscalerStatus {
  observedGeneration?: number
  lastScaleTime?: string
  currentReplicas: number
  desiredReplicas: number
  currentCPUUtilizationPercentage?: number
}

export interface MetricSpec {
  type: 'ContainerResource' | 'External' | 'Object' | 'Pods' | 'Resource'
  object?: ObjectMetricSource
  pods?: PodsMetricSource
  resource?: ResourceMetricSource
  containerResource?: ContainerResourceMetricSource
  external?: ExternalMetricSource
}

export interface MetricStatus {
  type: 'ContainerResource' | 'External' | 'Object' | 'Pods' | 'Resource'
  object?: ObjectMetricStatus
  pods?: PodsMetricStatus
  resource?: ResourceMetricStatus
  containerResource?: ContainerResourceMetricStatus
  external?: ExternalMetricStatus
}

export interface ObjectMetricSource {
  target: CrossVersionObjectReference
  metricName: string
  targetValue: string
  selector?: meta.LabelSelector
  averageValue?: string
}

export interface ObjectMetricStatus {
  target: CrossVersionObjectReference
  metricName: string
  currentValue: string
  selector?: meta.LabelSelector
  averageValue?: string
}

export interface PodsMetricSource {
  metricName: string
  targetAverageValue: string
  selector?: meta.LabelSelector
}

export interface PodsMetricStatus {
  metricName: string
  currentAverageValue: string
  selector?: meta.LabelSelector
}

export interface ResourceMetricSource {
  name: string
  targetAverageUtilization?: number
  targetAverageValue?: string
}

export interface ResourceMetricStatus {
  name: string
  currentAverageUtilization?: number
  currentAverageValue: string
}

export interface Scale {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: ScaleSpec
  status: ScaleStatus
}

export interface ScaleSpec {
  replicas?: number
}

export interface ScaleStatus {
  replicas: number
  selector?: string
}
