import type { autoscaling, autoscalingV1, FieldError } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { each, forbidden, invalid, nonNegative, notSupported, required } from '../validation/field.ts'
import { validateMetric, validateReference } from '../validation/metrics.ts'
import { validateQuantity } from '../validation/resources.ts'

/** Either version; they differ in how metrics are written. */
type Autoscaler = autoscaling.HorizontalPodAutoscaler | autoscalingV1.HorizontalPodAutoscaler

const SELECT_POLICIES = ['Disabled', 'Max', 'Min']
const POLICY_TYPES = ['Percent', 'Pods']
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
    const most = 'spec.maxReplicas'
    if (maxReplicas === 0) problems.push(required(most, 'must be set and greater than 0'))
    else if (maxReplicas < 0) problems.push(invalid(most, maxReplicas, 'must be greater than or equal to 1'))
    if (maxReplicas < minReplicas) {
      problems.push(invalid(most, maxReplicas, 'must be greater than or equal to `minReplicas`'))
    }
    // Of what can be scaled, these alone are in the group without a name.
    const inGroup = scaleTargetRef?.kind !== 'ReplicationController'
    problems.push(...validateReference(scaleTargetRef, 'spec.scaleTargetRef', inGroup))
    const { metrics, behavior } = spec as autoscaling.HorizontalPodAutoscalerSpec
    return [
      ...problems,
      ...each(metrics, 'spec.metrics', validateMetric),
      ...(minReplicas === 0 && !metrics?.some(({ type }) => type === 'Object' || type === 'External')
        ? [forbidden('spec.metrics', NOT_TO_ZERO)]
        : []),
      ...validateRules(behavior?.scaleUp, 'spec.behavior.scaleUp'),
      ...validateRules(behavior?.scaleDown, 'spec.behavior.scaleDown'),
    ]
  },
  validateStatusUpdate: ({ status }) => [
    ...nonNegative('status.currentReplicas', status.currentReplicas),
    ...nonNegative('status.desiredReplicas', status.desiredReplicas),
  ],
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

const NOT_TO_ZERO = 'must specify at least one Object or External metric to support scaling to zero replicas'
const MOST_WINDOW_SECONDS = 3600
const MOST_PERIOD_SECONDS = 1800

function validateRules(rules: autoscaling.HPAScalingRules | undefined, path: string): FieldError[] {
  if (!rules) return []
  const { stabilizationWindowSeconds: window = 0, selectPolicy, policies, tolerance } = rules
  const field = `${path}.stabilizationWindowSeconds`
  const problems: FieldError[] = []
  if (window < 0) problems.push(invalid(field, window, 'must be greater than or equal to zero'))
  if (window > MOST_WINDOW_SECONDS) {
    problems.push(invalid(field, window, `must be less than or equal to ${MOST_WINDOW_SECONDS}`))
  }
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy)) {
    problems.push(notSupported(`${path}.selectPolicy`, selectPolicy, SELECT_POLICIES))
  }
  if (!policies?.length) problems.push(required(`${path}.policies`, 'must specify at least one Policy'))
  problems.push(...each(policies, `${path}.policies`, validatePolicy))
  return tolerance === undefined ? problems : [...problems, ...validateQuantity(`${path}.tolerance`, tolerance)]
}

function validatePolicy({ type, value, periodSeconds }: autoscaling.HPAScalingPolicy, path: string): FieldError[] {
  const problems = POLICY_TYPES.includes(type) ? [] : [notSupported(`${path}.type`, type, POLICY_TYPES)]
  if (value <= 0) problems.push(invalid(`${path}.value`, value, 'must be greater than zero'))
  const field = `${path}.periodSeconds`
  if (periodSeconds <= 0) problems.push(invalid(field, periodSeconds, 'must be greater than zero'))
  return periodSeconds > MOST_PERIOD_SECONDS
    ? [...problems, invalid(field, periodSeconds, `must be less than or equal to ${MOST_PERIOD_SECONDS}`)]
    : problems
}
