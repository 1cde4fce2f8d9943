import { type core, quantity } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { validateClaimSpec } from '../../validation/claims.ts'
import { forbidden, immutable, invalid, same } from '../../validation/field.ts'
import { sourceOf, validateVolumeSpec } from '../../validation/persistent-volume.ts'
import { defaultClaimSpec } from './pod-defaults.ts'

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

/** Persistent volumes and claims. Source: k8s.io/kubernetes/pkg/apis/core/validation ValidatePersistentVolume */

export const persistentVolumeStrategy: Strategy<core.PersistentVolume> = {
  defaults({ spec, status }) {
    status.phase ||= 'Pending'
    spec.persistentVolumeReclaimPolicy ||= 'Retain'
    spec.volumeMode ??= 'Filesystem'
    if (spec.hostPath) spec.hostPath.type ??= ''
  },
  prepareCreate(volume, { now }) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: now }
  },
  validate: ({ spec }) => validateVolumeSpec(spec, 'spec'),
  validateUpdate({ spec }, { spec: old }) {
    const path = 'spec.persistentvolumesource'
    const [source, before] = [sourceOf(spec), sourceOf(old)]
    // This one may be set later.
    if (before.csi && !before.csi.controllerExpandSecretRef && source.csi) {
      source.csi = { ...source.csi }
      delete source.csi.controllerExpandSecretRef
    }
    // Upstream looks at the spec twice.
    const problems = validateVolumeSpec(spec, 'spec')
    if (!same(source, before)) problems.push(forbidden(path, `${path} is immutable after creation`))
    problems.push(...immutable('volumeMode', spec.volumeMode, old.volumeMode))
    const affinity = spec.nodeAffinity
    if (old.nodeAffinity && !same(affinity, old.nodeAffinity)) {
      problems.push(invalid('nodeAffinity', affinity ?? null, 'field is immutable'))
    }
    if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
      problems.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'))
    }
    return problems
  },
  warnings: ({ spec }) => volumeWarnings(spec),
  generation: false,
}

/** Kinds of volumes that are no more, by the name that upstream has for them. */
const GONE: [kind: keyof core.PersistentVolumeSpec, named: string, since: string][] = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]

const RECYCLE =
  'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.'

/** Source: k8s.io/kubernetes/pkg/api/persistentvolume/util.go */
const volumeWarnings = (spec: core.PersistentVolumeSpec): string[] => [
  ...(spec.persistentVolumeReclaimPolicy === 'Recycle' ? [RECYCLE] : []),
  ...GONE.filter(([kind]) => spec[kind] !== undefined).map(([, named, since]) => `spec.${named}: ${since}`),
]

export const persistentVolumeClaimStrategy: Strategy<core.PersistentVolumeClaim> = {
  defaults({ spec, status }) {
    defaultClaimSpec(spec)
    status.phase ||= 'Pending'
  },
  prepareCreate(claim) {
    claim.status = { phase: 'Pending' }
    settleSource(claim.spec)
  },
  prepareUpdate(claim, old) {
    settleSource(claim.spec, old.spec)
  },
  validate: ({ spec }) => validateClaimSpec(spec, 'spec'),
  validateUpdate({ spec, status }, { spec: old, status: before }) {
    // The binder fills in the volume once; a bound claim may ask for more.
    const allowed = { ...old }
    if (!old.volumeName) allowed.volumeName = spec.volumeName
    if (old.storageClassName === undefined) allowed.storageClassName = spec.storageClassName
    if ((before.phase ?? status.phase) === 'Bound') {
      allowed.resources = { ...old.resources, requests: spec.resources.requests }
      allowed.volumeAttributesClassName = spec.volumeAttributesClassName
    }
    const problems = same(spec, allowed) ? [] : [forbidden('spec', FROZEN)]
    const [wanted, asked, present] = [
      spec.resources.requests?.storage ?? '0',
      old.resources.requests?.storage ?? '0',
      before.capacity?.storage ?? '0',
    ]
    if (quantity.compare(wanted, asked) < 0 && quantity.compare(wanted, present) <= 0) {
      problems.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
    }
    return [...problems, ...immutable('volumeMode', spec.volumeMode, old.volumeMode)]
  },
  warnings: ({ metadata, spec }) => [
    ...(metadata.annotations?.[CLASS_ANNOTATION] === undefined
      ? []
      : [`metadata.annotations[${CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
    ...claimWarnings(spec, 'spec'),
  ],
  generation: false,
}

/** What the older of the two fields for the source of the data may name. */
const isOldSource = ({ apiGroup = '', kind }: core.TypedLocalObjectReference): boolean =>
  apiGroup === ''
    ? kind === 'PersistentVolumeClaim'
    : apiGroup === 'snapshot.storage.k8s.io' && kind === 'VolumeSnapshot'

/** The two fields for where the data comes from say the same, as long as the older one can. */
function settleSource(spec: core.PersistentVolumeClaimSpec, old?: core.PersistentVolumeClaimSpec): void {
  if (
    spec.dataSource &&
    !old?.dataSource &&
    !old?.dataSourceRef &&
    !spec.dataSourceRef &&
    !isOldSource(spec.dataSource)
  ) {
    delete spec.dataSource
  }
  // Sources in other namespaces are a feature that upstream has not switched on.
  if (spec.dataSourceRef?.namespace !== undefined) delete spec.dataSourceRef
  const { dataSource, dataSourceRef } = spec
  if (dataSource && !dataSourceRef) spec.dataSourceRef = { ...dataSource }
  else if (dataSourceRef && !dataSource) {
    const { apiGroup, kind, name } = dataSourceRef
    spec.dataSource = { ...(apiGroup === undefined ? {} : { apiGroup }), kind, name }
  }
}

const FROZEN =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

/** A tenth of a byte is what `100m` of storage means. Source: k8s.io/kubernetes/pkg/api/persistentvolumeclaim/util.go */
export const claimWarnings = ({ resources }: core.PersistentVolumeClaimSpec, path: string): string[] =>
  (['requests', 'limits'] as const).flatMap(list => {
    const amount = resources[list]?.storage
    const whole = amount === undefined || quantity.milliValue(amount) % 1000 === 0
    const field = `${path}.resources.${list}[storage]`
    return whole ? [] : [`${field}: fractional byte value "${amount}" is invalid, must be an integer`]
  })
