// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as core from './core-v1.ts'
import type * as meta from './meta-v1.ts'

export interface CronJob {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: CronJobSpec
  status: CronJobStatus
}

export interface CronJobList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: CronJob[]
}

export interface CronJobSpec {
  schedule: string
  timeZone?: string
  startingDeadlineSeconds?: number
  concurrencyPolicy?: 'Allow' | 'Forbid' | 'Replace'
  suspend?: boolean
  jobTemplate: JobTemplateSpec
  successfulJobsHistoryLimit?: number
  failedJobsHistoryLimit?: number
}

export interface CronJobStatus {
  active?: core.ObjectReference[]
  lastScheduleTime?: string
  lastSuccessfulTime?: string
}

export interface Job {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: JobSpec
  status: JobStatus
}

export interface JobCondition {
  type: string
  status: string
  lastProbeTime?: string
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface JobList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: Job[]
}

export interface JobSpec {
  parallelism?: number
  completions?: number
  activeDeadlineSeconds?: number
  podFailurePolicy?: PodFailurePolicy
  successPolicy?: SuccessPolicy
  backoffLimit?: number
  backoffLimitPerIndex?: number
  maxFailedIndexes?: number
  selector?: meta.LabelSelector
  manualSelector?: boolean
  template: core.PodTemplateSpec
  ttlSecondsAfterFinished?: number
  completionMode?: 'Indexed' | 'NonIndexed'
  suspend?: boolean
  podReplacementPolicy?: 'Failed' | 'TerminatingOrFailed'
  managedBy?: string
}

export interface JobStatus {
  conditions?: JobCondition[]
  startTime?: string
  completionTime?: string
  active?: number
  succeeded?: number
  failed?: number
  terminating?: number
  completedIndexes?: string
  failedIndexes?: string
  uncountedTerminatedPods?: UncountedTerminatedPods
  ready?: number
}

export interface JobTemplateSpec {
  metadata: meta.ObjectMeta
  spec: JobSpec
}

export interface PodFailurePolicy {
  rules: PodFailurePolicyRule[]
}

export interface PodFailurePolicyOnExitCodesRequirement {
  containerName?: string
  operator: 'In' | 'NotIn'
  values: number[]
}

export interface PodFailurePolicyOnPodConditionsPattern {
  type: string
  status: string
}

export interface PodFailurePolicyRule {
  action: 'Count' | 'FailIndex' | 'FailJob' | 'Ignore'
  onExitCodes?: PodFailurePolicyOnExitCodesRequirement
  onPodConditions?: PodFailurePolicyOnPodConditionsPattern[]
}

export interface SuccessPolicy {
  rules: SuccessPolicyRule[]
}

export interface SuccessPolicyRule {
  succeededIndexes?: string
  succeededCount?: number
}

export interface UncountedTerminatedPods {
  succeeded?: string[]
  failed?: string[]
}
