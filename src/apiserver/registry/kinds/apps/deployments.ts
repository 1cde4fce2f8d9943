import type { apps, FieldError } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { forbidden, immutable, invalid, nonNegative, notSupported, required } from '../../validation/field.ts'
import { isZero, validateAmount, validateAtMostAll } from '../../validation/int-or-percent.ts'
import { validateWorkload } from '../../validation/pod-template.ts'
import { defaultPodTemplate } from '../core/pod-defaults.ts'
import { podSpecWarnings } from '../core/pod-warnings.ts'

/** Source: k8s.io/kubernetes/pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation ValidateDeployment */
export const deploymentStrategy: Strategy<apps.Deployment> = {
  defaults({ spec }) {
    defaultPodTemplate(spec.template)
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
    spec.progressDeadlineSeconds ??= 600
    spec.strategy.type ||= 'RollingUpdate'
    if (spec.strategy.type !== 'RollingUpdate') return
    spec.strategy.rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%', ...spec.strategy.rollingUpdate }
  },

  validate: ({ spec }) => [
    ...nonNegative('spec.replicas', spec.replicas),
    ...validateWorkload(spec),
    ...validateStrategy(spec.strategy, 'spec.strategy'),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...validateDeadline(spec),
  ],
  validateUpdate: ({ spec }, { spec: old }) => immutable('spec.selector', spec.selector, old.selector),
  validateStatusUpdate: ({ status }) => validateStatus(status),
  generationOf: ['annotations'],
  warnings: ({ spec }) => podSpecWarnings(spec.template.spec, 'spec.template.spec'),
}

function validateDeadline({
  progressDeadlineSeconds: deadline,
  minReadySeconds = 0,
}: apps.DeploymentSpec): FieldError[] {
  const field = 'spec.progressDeadlineSeconds'
  if (deadline === undefined) return []
  const problems = nonNegative(field, deadline)
  return deadline <= minReadySeconds
    ? [...problems, invalid(field, deadline, 'must be greater than minReadySeconds')]
    : problems
}

function validateStrategy({ type, rollingUpdate }: apps.DeploymentStrategy, path: string): FieldError[] {
  const field = `${path}.rollingUpdate`
  if (type === 'Recreate') {
    return rollingUpdate ? [forbidden(field, "may not be specified when strategy `type` is 'Recreate'")] : []
  }
  if (type !== 'RollingUpdate') return [notSupported(path, { type }, ['Recreate', 'RollingUpdate'])]
  if (!rollingUpdate) return [required(field, 'this should be defaulted and never be nil')]
  const { maxUnavailable, maxSurge } = rollingUpdate
  const problems = [
    ...validateAmount(maxUnavailable, `${field}.maxUnavailable`),
    ...validateAmount(maxSurge, `${field}.maxSurge`),
  ]
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    problems.push(invalid(`${field}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
  }
  return [...problems, ...validateAtMostAll(maxUnavailable, `${field}.maxUnavailable`)]
}

function validateStatus(status: apps.DeploymentStatus): FieldError[] {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
  const problems = (
    [
      'observedGeneration',
      'replicas',
      'updatedReplicas',
      'readyReplicas',
      'availableReplicas',
      'unavailableReplicas',
      'terminatingReplicas',
      'collisionCount',
    ] as const
  ).flatMap(field => nonNegative(`status.${field}`, status[field]))
  const most = (field: string, value: number, limit: number, name: string) => {
    if (value > limit) problems.push(invalid(`status.${field}`, value, `cannot be greater than ${name}`))
  }
  most('updatedReplicas', updatedReplicas, replicas, 'status.replicas')
  most('readyReplicas', readyReplicas, replicas, 'status.replicas')
  most('availableReplicas', availableReplicas, replicas, 'status.replicas')
  most('availableReplicas', availableReplicas, readyReplicas, 'readyReplicas')
  return problems
}
