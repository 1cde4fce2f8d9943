import {
  type apps,
  type autoscaling,
  type autoscalingV1,
  type batch,
  type core,
  isConditionTrue,
  type KubeObject,
  type policy,
} from '../../api/index.ts'
import {
  ageColumn,
  boolean,
  formatLabels,
  integer,
  NONE,
  nameColumn,
  selectorColumn,
  templateColumns,
  text,
  UNSET,
  wide,
} from './columns.ts'
import { humanDuration, since } from './duration.ts'
import type { Column } from './table.ts'

export const deploymentColumns: Column<apps.Deployment>[] = [
  nameColumn,
  text(
    'Ready',
    'Pods that are ready, out of those wanted.',
    ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
  ),
  text('Up-to-date', 'Pods that have the newest template.', ({ status }) => status.updatedReplicas ?? 0),
  text('Available', 'Pods that have been ready for minReadySeconds.', ({ status }) => status.availableReplicas ?? 0),
  ageColumn,
  ...templateColumns<apps.Deployment>(({ spec }) => spec.template),
  selectorColumn(({ spec }) => spec.selector),
]

type Replicated = apps.ReplicaSet | core.ReplicationController

const replicaColumns: Column<Replicated>[] = [
  nameColumn,
  integer('Desired', 'Pods that are wanted.', ({ spec }) => spec.replicas ?? 0),
  integer('Current', 'Pods that exist.', ({ status }) => status.replicas ?? 0),
  integer('Ready', 'Pods that are ready.', ({ status }) => status.readyReplicas ?? 0),
  ageColumn,
  ...templateColumns<Replicated>(({ spec }) => spec.template),
]

export const replicaSetColumns: Column<apps.ReplicaSet>[] = [
  ...(replicaColumns as Column<apps.ReplicaSet>[]),
  selectorColumn(({ spec }) => spec.selector),
]

export const replicationControllerColumns: Column<core.ReplicationController>[] = [
  ...(replicaColumns as Column<core.ReplicationController>[]),
  wide(text('Selector', 'Labels of the pods that belong to the object.', ({ spec }) => formatLabels(spec.selector))),
]

export const scaleColumns: Column<autoscalingV1.Scale & KubeObject>[] = [
  nameColumn,
  integer('Desired', 'Pods that are wanted.', ({ spec }) => spec?.replicas ?? 0),
  integer('Available', 'Pods that there are.', ({ status }) => status?.replicas ?? 0),
  ageColumn,
]

export const statefulSetColumns: Column<apps.StatefulSet>[] = [
  nameColumn,
  text(
    'Ready',
    'Pods that are ready, out of those wanted.',
    ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
  ),
  ageColumn,
  ...templateColumns<apps.StatefulSet>(({ spec }) => spec.template),
]

export const daemonSetColumns: Column<apps.DaemonSet>[] = [
  nameColumn,
  integer('Desired', 'Nodes that should run the pod.', ({ status }) => status.desiredNumberScheduled ?? 0),
  integer('Current', 'Nodes that should run the pod and do.', ({ status }) => status.currentNumberScheduled ?? 0),
  integer('Ready', 'Nodes whose pod is ready.', ({ status }) => status.numberReady ?? 0),
  integer('Up-to-date', 'Nodes whose pod has the newest template.', ({ status }) => status.updatedNumberScheduled ?? 0),
  integer('Available', 'Nodes whose pod is available.', ({ status }) => status.numberAvailable ?? 0),
  text('Node Selector', 'Labels of the nodes that run the pod.', ({ spec }) =>
    formatLabels(spec.template.spec?.nodeSelector),
  ),
  ageColumn,
  ...templateColumns<apps.DaemonSet>(({ spec }) => spec.template),
  selectorColumn(({ spec }) => spec.selector),
]

export const jobColumns: Column<batch.Job>[] = [
  nameColumn,
  text('Status', 'State of the job.', jobStatus),
  text('Completions', 'Pods that succeeded, out of those wanted.', jobCompletions),
  text('Duration', 'Time from its start to its end, or until now.', jobDuration),
  ageColumn,
  ...templateColumns<batch.Job>(({ spec }) => spec.template),
  selectorColumn(({ spec }) => spec.selector),
]

function jobStatus({ metadata, status }: batch.Job): string {
  const has = (type: string) => isConditionTrue(status.conditions, type)
  if (has('Complete')) return 'Complete'
  if (has('Failed')) return 'Failed'
  if (metadata.deletionTimestamp) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running'
}

function jobCompletions({ spec, status }: batch.Job): string {
  const succeeded = status.succeeded ?? 0
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`
  const parallelism = spec.parallelism ?? 0
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function jobDuration({ status }: batch.Job, now: number): string {
  if (!status.startTime) return ''
  const end = status.completionTime ? Date.parse(status.completionTime) : now
  return humanDuration(end - Date.parse(status.startTime))
}

export const cronJobColumns: Column<batch.CronJob>[] = [
  nameColumn,
  text('Schedule', 'When it runs, in cron format.', ({ spec }) => spec.schedule),
  text('Timezone', 'Time zone of the schedule.', ({ spec }) => spec.timeZone ?? NONE),
  boolean('Suspend', 'Whether further runs are held back.', ({ spec }) =>
    spec.suspend === undefined ? UNSET : spec.suspend ? 'True' : 'False',
  ),
  integer('Active', 'Jobs that run now.', ({ status }) => status.active?.length ?? 0),
  text('Last Schedule', 'Time since it last ran.', ({ status }, now) =>
    status.lastScheduleTime ? since(status.lastScheduleTime, now) : NONE,
  ),
  ageColumn,
  ...templateColumns<batch.CronJob>(({ spec }) => spec.jobTemplate?.spec?.template),
  selectorColumn(({ spec }) => spec.jobTemplate?.spec?.selector),
]

export const podDisruptionBudgetColumns: Column<policy.PodDisruptionBudget>[] = [
  nameColumn,
  text('Min Available', 'Pods that must stay available.', ({ spec }) => String(spec.minAvailable ?? 'N/A')),
  text('Max Unavailable', 'Pods that may be unavailable.', ({ spec }) => String(spec.maxUnavailable ?? 'N/A')),
  integer('Allowed Disruptions', 'Pods that may be evicted now.', ({ status }) => status.disruptionsAllowed ?? 0),
  ageColumn,
]

export const controllerRevisionColumns: Column<apps.ControllerRevision>[] = [
  nameColumn,
  text('Controller', 'Object that the revision belongs to.', ({ metadata }) => {
    const owner = metadata.ownerReferences?.find(({ controller }) => controller)
    if (!owner) return NONE
    const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : ''
    return `${owner.kind.toLowerCase()}${group}/${owner.name}`
  }),
  text('Revision', 'Number of the revision.', ({ revision }) => String(revision ?? 0)),
  ageColumn,
]

type Autoscaler = autoscaling.HorizontalPodAutoscaler | autoscalingV1.HorizontalPodAutoscaler

export const horizontalPodAutoscalerColumns: Column<Autoscaler>[] = [
  nameColumn,
  text(
    'Reference',
    'Object that is scaled.',
    ({ spec }) => `${spec.scaleTargetRef?.kind}/${spec.scaleTargetRef?.name}`,
  ),
  text('Targets', 'Measured and wanted value of each metric.', scaleTargets),
  text('MinPods', 'Fewest pods.', ({ spec }) => String(spec.minReplicas ?? UNSET)),
  text('MaxPods', 'Most pods.', ({ spec }) => String(spec.maxReplicas)),
  text('Replicas', 'Pods now.', ({ status }) => String(status.currentReplicas ?? 0)),
  ageColumn,
]

function scaleTargets({ spec, status }: Autoscaler): string {
  if (!('metrics' in spec)) {
    const wanted = (spec as autoscalingV1.HorizontalPodAutoscalerSpec).targetCPUUtilizationPercentage
    if (wanted === undefined) return NONE
    const current = (status as autoscalingV1.HorizontalPodAutoscalerStatus).currentCPUUtilizationPercentage
    return `cpu: ${current === undefined ? '<unknown>' : `${current}%`}/${wanted}%`
  }
  const metrics = spec.metrics ?? []
  if (metrics.length === 0) return NONE
  const measured = (status as autoscaling.HorizontalPodAutoscalerStatus).currentMetrics ?? []
  const shown = metrics.slice(0, 2).map((metric, index) => scaleTarget(metric, measured[index]))
  return metrics.length > 2 ? `${shown.join(', ')} + ${metrics.length - 2} more...` : shown.join(', ')
}

function scaleTarget(metric: autoscaling.MetricSpec, measured: autoscaling.MetricStatus | undefined): string {
  const resource = metric.resource ?? metric.containerResource
  const target = (resource ?? metric.pods ?? metric.object ?? metric.external)?.target
  const current = (
    measured?.resource ??
    measured?.containerResource ??
    measured?.pods ??
    measured?.object ??
    measured?.external
  )?.current
  const prefix = resource ? `${resource.name}: ` : ''
  const suffix = target?.averageValue !== undefined && !resource && !metric.pods ? ' (avg)' : ''
  return `${prefix}${scaleValue(current) ?? '<unknown>'}/${scaleValue(target) ?? '<auto>'}${suffix}`
}

function scaleValue(value: autoscaling.MetricValueStatus | undefined): string | undefined {
  if (value?.averageValue !== undefined) return value.averageValue
  if (value?.averageUtilization !== undefined) return `${value.averageUtilization}%`
  return value?.value
}
