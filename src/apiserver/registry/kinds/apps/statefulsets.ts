import { type apps, type FieldError, names } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { forbidden, invalid, nonNegative, oneOf, required, same } from '../../validation/field.ts'
import { isZero, validateAmount, validateAtMostAll } from '../../validation/int-or-percent.ts'
import { validateWorkload } from '../../validation/pod-template.ts'
import { defaultClaimSpec, defaultPodTemplate } from '../core/pod-defaults.ts'
import { podSpecWarnings } from '../core/pod-warnings.ts'

type Spec = apps.StatefulSetSpec

/** Fields of the spec that may change, in the order of the message that names them. */
const UPDATABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const
const FROZEN =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
const RETENTION = ['Delete', 'Retain']

/** Source: k8s.io/kubernetes/pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation ValidateStatefulSet */
export const statefulSetStrategy: Strategy<apps.StatefulSet> = {
  defaults({ spec }) {
    defaultPodTemplate(spec.template)
    spec.podManagementPolicy ||= 'OrderedReady'
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
    spec.persistentVolumeClaimRetentionPolicy = {
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
      ...spec.persistentVolumeClaimRetentionPolicy,
    }
    const strategy = spec.updateStrategy
    if (!strategy.type) {
      strategy.type = 'RollingUpdate'
      strategy.rollingUpdate ??= {}
    }
    if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) {
      strategy.rollingUpdate = { partition: 0, maxUnavailable: 1, ...strategy.rollingUpdate }
    }
    for (const claim of spec.volumeClaimTemplates ?? []) {
      defaultClaimSpec(claim.spec)
      claim.status = { phase: 'Pending', ...claim.status }
      claim.kind ||= 'PersistentVolumeClaim'
      claim.apiVersion ||= 'v1'
    }
  },

  validate: ({ spec }) => [
    ...oneOf('spec.podManagementPolicy', spec.podManagementPolicy, ['OrderedReady', 'Parallel']),
    ...validateUpdateStrategy(spec.updateStrategy, 'spec.updateStrategy'),
    ...validateRetention(spec.persistentVolumeClaimRetentionPolicy, 'spec.persistentVolumeClaimRetentionPolicy'),
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.ordinals.start', spec.ordinals?.start),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...validateWorkload(spec, 'statefulset'),
  ],

  validateUpdate({ spec }, { spec: old }) {
    const allowed: Spec = { ...old }
    for (const field of UPDATABLE) Object.assign(allowed, { [field]: spec[field] })
    return same(spec, allowed) ? [] : [forbidden('spec', FROZEN)]
  },

  warnings: ({ spec }) => podSpecWarnings(spec.template.spec, 'spec.template.spec'),
  nameProblems: names.dns1123LabelProblems,
}

function validateUpdateStrategy({ type, rollingUpdate }: apps.StatefulSetUpdateStrategy, path: string): FieldError[] {
  const field = `${path}.rollingUpdate`
  if (!type) return [required(path)]
  if (type === 'OnDelete') {
    return rollingUpdate ? [invalid(field, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")] : []
  }
  if (type !== 'RollingUpdate') return [invalid(path, { type }, "must be 'RollingUpdate' or 'OnDelete'")]
  if (!rollingUpdate) return []
  const { partition, maxUnavailable } = rollingUpdate
  const problems = [
    ...nonNegative(`${field}.partition`, partition),
    ...validateAmount(maxUnavailable, `${field}.maxUnavailable`),
    ...validateAtMostAll(maxUnavailable, `${field}.maxUnavailable`),
  ]
  if (maxUnavailable !== undefined && isZero(maxUnavailable)) {
    problems.push(invalid(`${field}.maxUnavailable`, maxUnavailable, 'cannot be 0'))
  }
  return problems
}

const validateRetention = (
  policy: apps.StatefulSetPersistentVolumeClaimRetentionPolicy | undefined,
  path: string,
): FieldError[] =>
  policy
    ? [
        ...oneOf(`${path}.whenDeleted`, policy.whenDeleted, RETENTION),
        ...oneOf(`${path}.whenScaled`, policy.whenScaled, RETENTION),
      ]
    : []
