import type { core, FieldError } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { invalid, nonNegative, required } from '../../validation/field.ts'
import { validateRunsForever } from '../../validation/pod-template.ts'
import { validateLabels } from '../../validation/selectors.ts'
import { validateReplicaStatus } from '../apps/replicasets.ts'
import { defaultPodTemplate } from './pod-defaults.ts'
import { podSpecWarnings } from './pod-warnings.ts'

/** Source: k8s.io/kubernetes/pkg/registry/core/replicationcontroller/strategy.go */
export const replicationControllerStrategy: Strategy<core.ReplicationController> = {
  defaults({ metadata, spec }) {
    defaultPodTemplate(spec.template)
    spec.replicas ??= 1
    const labels = spec.template?.metadata?.labels
    if (!labels) return
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
    if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels }
  },
  validate: ({ spec }) => [
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.replicas', spec.replicas),
    ...validateSelector(spec),
    ...(spec.template
      ? validateRunsForever(spec.template, 'spec.template', 'ReplicationController')
      : [required('spec.template')]),
  ],
  validateStatusUpdate: ({ status }) => validateReplicaStatus(status),
  warnings: ({ spec }) => podSpecWarnings(spec.template?.spec, 'spec.template.spec'),
  defaultPropagation: 'orphan',
  fields: ({ status }) => ({ 'status.replicas': String(status.replicas ?? 0) }),
}

function validateSelector({ selector = {}, template }: core.ReplicationControllerSpec): FieldError[] {
  if (Object.keys(selector).length === 0) return [required('spec.selector')]
  const labels = template?.metadata?.labels ?? {}
  const problems = validateLabels(selector, 'spec.selector')
  const matches = !template || Object.entries(selector).every(([key, value]) => labels[key] === value)
  return matches
    ? problems
    : [
        ...problems,
        invalid(
          'spec.template.metadata.labels',
          template?.metadata?.labels ?? null,
          '`selector` does not match template `labels`',
        ),
      ]
}
