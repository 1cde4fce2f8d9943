import type { autoscaling, autoscalingV1, FieldError } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { each, invalid, oneOf, required } from '../validation/field.ts'

/** Either version; they differ in how metrics are written. */
type Autoscaler = autoscaling.HorizontalPodAutoscaler | autoscalingV1.HorizontalPodAutoscaler

const METRIC_TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']
const DEFAULT_CPU_PERCENT = 80

/** Source: k8s.io/kubernetes/pkg/apis/autoscaling/v2/defaults.go, pkg/apis/autoscaling/validation */
export const horizontalPodAutoscalerStrategy: Strategy<Autoscaler> = {
  defaults(autoscaler) {
    autoscaler.spec.minReplicas ??= 1
    if (autoscaler.apiVersion === 'autoscaling/v2')
      defaultMetrics(autoscaler.spec as autoscaling.HorizontalPodAutoscalerSpec)
  },
  validate({ spec }) {
    const { minReplicas = 1, maxReplicas = 0, scaleTargetRef } = spec
    const problems: FieldError[] = []
    if (minReplicas < 1) problems.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
    if (maxReplicas < 1) problems.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'))
    else if (maxReplicas < minReplicas) {
      problems.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
    }
    if (!scaleTargetRef?.kind) problems.push(required('spec.scaleTargetRef.kind'))
    if (!scaleTargetRef?.name) problems.push(required('spec.scaleTargetRef.name'))
    return 'metrics' in spec ? [...problems, ...each(spec.metrics, 'spec.metrics', validateMetric)] : problems
  },
  generation: false,
}

function defaultMetrics(spec: autoscaling.HorizontalPodAutoscalerSpec): void {
  if (!spec.metrics?.length) {
    const target = { type: 'Utilization', averageUtilization: DEFAULT_CPU_PERCENT }
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }]
  }
  if (!spec.behavior) return
  spec.behavior.scaleUp = {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
    ...spec.behavior.scaleUp,
  }
  spec.behavior.scaleDown = {
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
    ...spec.behavior.scaleDown,
  }
}

function validateMetric(metric: autoscaling.MetricSpec, path: string): FieldError[] {
  if (!METRIC_TYPES.includes(metric.type)) return oneOf(`${path}.type`, metric.type, METRIC_TYPES)
  const field = `${metric.type[0]!.toLowerCase()}${metric.type.slice(1)}` as 'resource'
  if (!metric[field]) return [required(`${path}.${field}`, `must populate information for the given metric source`)]
  const { target, name } = metric[field]
  const problems =
    (metric.type === 'Resource' || metric.type === 'ContainerResource') && !name
      ? [required(`${path}.${field}.name`, 'must specify a resource name')]
      : []
  return target?.type
    ? problems
    : [...problems, required(`${path}.${field}.target.type`, 'must specify a metric target type')]
}
