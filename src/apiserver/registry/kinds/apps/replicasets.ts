import type { apps, core, FieldError } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { immutable, invalid, nonNegative } from '../../validation/field.ts'
import { validateWorkload } from '../../validation/pod-template.ts'
import { defaultPodTemplate } from '../core/pod-defaults.ts'
import { podSpecWarnings } from '../core/pod-warnings.ts'

/** Source: k8s.io/kubernetes/pkg/apis/apps/validation ValidateReplicaSet */
export const replicaSetStrategy: Strategy<apps.ReplicaSet> = {
  defaults({ spec }) {
    defaultPodTemplate(spec.template)
    spec.replicas ??= 1
  },
  validate: ({ spec }) => [
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateWorkload(spec),
  ],
  validateUpdate: ({ spec }, { spec: old }) => immutable('spec.selector', spec.selector, old.selector),
  validateStatusUpdate: ({ status }) => validateReplicaStatus(status),
  warnings: ({ spec }) => podSpecWarnings(spec.template.spec, 'spec.template.spec'),
  fields: ({ status }) => ({ 'status.replicas': String(status.replicas ?? 0) }),
}

const COUNTS = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'] as const

/** No count is negative, nor greater than one that includes it. */
export function validateReplicaStatus(status: apps.ReplicaSetStatus | core.ReplicationControllerStatus): FieldError[] {
  const { replicas = 0, fullyLabeledReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
  const problems = COUNTS.flatMap(field => nonNegative(`status.${field}`, status[field]))
  const most = (field: string, value: number, limit: number, name: string) => {
    if (value > limit) problems.push(invalid(`status.${field}`, value, `cannot be greater than ${name}`))
  }
  most('fullyLabeledReplicas', fullyLabeledReplicas, replicas, 'status.replicas')
  most('readyReplicas', readyReplicas, replicas, 'status.replicas')
  most('availableReplicas', availableReplicas, replicas, 'status.replicas')
  most('availableReplicas', availableReplicas, readyReplicas, 'readyReplicas')
  return problems
}
