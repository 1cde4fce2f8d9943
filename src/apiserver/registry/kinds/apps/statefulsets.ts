import { type apps, type core, type FieldError, names } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { validateClaimSpec } from '../../validation/claims.ts'
import { complaints, each, forbidden, invalid, nonNegative, oneOf, required, same } from '../../validation/field.ts'
import { validateStatefulWorkload } from '../../validation/pod-template.ts'
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
const RETENTION = ['Retain', 'Delete']

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
      strategy.rollingUpdate = { partition: 0, ...strategy.rollingUpdate }
      // A feature that upstream has not switched on.
      delete strategy.rollingUpdate.maxUnavailable
    }
    for (const claim of spec.volumeClaimTemplates ?? []) {
      defaultClaimSpec(claim.spec)
      claim.status = { phase: 'Pending', ...claim.status }
      claim.kind ||= 'PersistentVolumeClaim'
      claim.apiVersion ||= 'v1'
    }
  },

  validate: ({ spec }, old) => [
    ...validateManagement(spec.podManagementPolicy, 'spec.podManagementPolicy'),
    ...validateUpdateStrategy(spec.updateStrategy, 'spec.updateStrategy'),
    ...validateRetention(spec.persistentVolumeClaimRetentionPolicy, 'spec.persistentVolumeClaimRetentionPolicy'),
    // They cannot change, and so may stay as they once were valid.
    ...(old
      ? []
      : each(spec.volumeClaimTemplates, 'spec.volumeClaimTemplates', (claim, path) =>
          validateClaimSpec(claim.spec, `${path}.spec`),
        )),
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.ordinals.start', spec.ordinals?.start),
    ...(spec.serviceName && !old
      ? complaints('spec.serviceName', spec.serviceName, names.dns1123LabelProblems(spec.serviceName))
      : []),
    ...validateStatefulWorkload({ ...spec, template: asPods(spec) }),
  ],

  validateUpdate({ spec }, { spec: old }) {
    const allowed: Spec = { ...old }
    for (const field of UPDATABLE) Object.assign(allowed, { [field]: spec[field] })
    return same(spec, allowed) ? [] : [forbidden('spec', FROZEN)]
  },

  validateStatusUpdate: ({ status }) => validateStatus(status),
  warnings: ({ spec }) => podSpecWarnings(spec.template.spec, 'spec.template.spec'),
  nameProblems: names.dns1123LabelProblems,
}

const validateManagement = (policy: string | undefined, field: string): FieldError[] => {
  if (!policy) return [required(field)]
  const known = policy === 'OrderedReady' || policy === 'Parallel'
  return known ? [] : [invalid(field, policy, "must be 'OrderedReady' or 'Parallel'")]
}

/** What the controller makes of the template: each claim is a volume, and what it sets itself is not looked at. */
function asPods({ template, volumeClaimTemplates: claims = [] }: Spec): core.PodTemplateSpec {
  const { hostname: _, subdomain: __, ...spec } = template.spec
  if (claims.length === 0) return { ...template, spec }
  const taken = new Set(claims.map(({ metadata }) => metadata.name))
  const volumes = claims.map(({ metadata: { name = '' } }) => ({ name, persistentVolumeClaim: { claimName: name } }))
  return {
    ...template,
    spec: { ...spec, volumes: [...volumes, ...(spec.volumes ?? []).filter(v => !taken.has(v.name))] },
  }
}

const COUNTS = ['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const

function validateStatus(status: apps.StatefulSetStatus): FieldError[] {
  const [, ...parts] = COUNTS
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
  const negative = [...COUNTS, 'observedGeneration' as const, 'collisionCount' as const].flatMap(field =>
    nonNegative(`status.${field}`, status[field]),
  )
  const greater = parts
    .filter(field => (status[field] ?? 0) > replicas)
    .map(field => invalid(`status.${field}`, status[field], 'cannot be greater than status.replicas'))
  const problems = [...negative, ...greater]
  return availableReplicas > readyReplicas
    ? [
        ...problems,
        invalid('status.availableReplicas', availableReplicas, 'cannot be greater than status.readyReplicas'),
      ]
    : problems
}

function validateUpdateStrategy({ type, rollingUpdate }: apps.StatefulSetUpdateStrategy, path: string): FieldError[] {
  const field = `${path}.rollingUpdate`
  if (!type) return [required(path)]
  if (type === 'OnDelete') {
    return rollingUpdate ? [invalid(field, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")] : []
  }
  if (type !== 'RollingUpdate') return [invalid(path, { type }, "must be 'RollingUpdate' or 'OnDelete'")]
  if (!rollingUpdate) return []
  return nonNegative(`${field}.partition`, rollingUpdate.partition)
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
