import { type core, type FieldError, quantity } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { each, forbidden, invalid, notSupported, optionalOneOf, required, same } from '../../validation/field.ts'
import { validateQuantity } from '../../validation/resources.ts'
import { validateNodeSelector } from '../../validation/selectors.ts'
import { defaultClaimSpec } from './pod-defaults.ts'

/** Persistent volumes and claims. Source: k8s.io/kubernetes/pkg/apis/core/validation ValidatePersistentVolume */

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
const VOLUME_MODES = ['Block', 'Filesystem']
const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain']

/** Fields of a volume's spec that do not say where it is. */
const NOT_SOURCE = new Set([
  'capacity',
  'accessModes',
  'claimRef',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'mountOptions',
  'volumeMode',
  'nodeAffinity',
  'volumeAttributesClassName',
])

const sourceOf = (spec: core.PersistentVolumeSpec) =>
  Object.fromEntries(Object.entries(spec).filter(([field]) => !NOT_SOURCE.has(field)))

const validateAccessModes = (modes: string[] | undefined, path: string): FieldError[] =>
  each(modes, path, mode => (ACCESS_MODES.includes(mode) ? [] : [notSupported(path, mode, ACCESS_MODES)]))

export const persistentVolumeStrategy: Strategy<core.PersistentVolume> = {
  defaults({ spec, status }) {
    status.phase ||= 'Pending'
    spec.persistentVolumeReclaimPolicy ||= 'Retain'
    spec.volumeMode ??= 'Filesystem'
  },
  prepareCreate(volume, { now }) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: now }
  },
  validate({ spec }) {
    const problems = spec.accessModes?.length ? [] : [required('spec.accessModes')]
    problems.push(...validateAccessModes(spec.accessModes, 'spec.accessModes'))
    if (!spec.capacity?.storage) {
      problems.push(
        spec.capacity
          ? notSupported('spec.capacity', Object.keys(spec.capacity), ['storage'])
          : required('spec.capacity'),
      )
    } else if (quantity.compare(spec.capacity.storage, '0') <= 0) {
      problems.push(invalid('spec.capacity[storage]', spec.capacity.storage, 'must be greater than zero'))
    }
    const [source, ...more] = Object.keys(sourceOf(spec))
    if (!source) problems.push(required('spec', 'must specify a volume type'))
    problems.push(...more.map(kind => forbidden(`spec.${kind}`, 'may not specify more than 1 volume type')))
    if (spec.nodeAffinity?.required)
      problems.push(...validateNodeSelector(spec.nodeAffinity.required, 'spec.nodeAffinity.required'))
    else if (spec.local) problems.push(required('spec.nodeAffinity', 'Local volume requires node affinity'))
    return [
      ...problems,
      ...optionalOneOf('spec.persistentVolumeReclaimPolicy', spec.persistentVolumeReclaimPolicy, RECLAIM_POLICIES),
      ...optionalOneOf('spec.volumeMode', spec.volumeMode, VOLUME_MODES),
    ]
  },
  validateUpdate({ spec }, { spec: old }) {
    const path = 'spec.persistentvolumesource'
    const problems = same(sourceOf(spec), sourceOf(old)) ? [] : [forbidden(path, `${path} is immutable after creation`)]
    return spec.volumeMode === old.volumeMode
      ? problems
      : [...problems, invalid('spec.volumeMode', spec.volumeMode ?? null, 'field is immutable')]
  },
  generation: false,
}

export const persistentVolumeClaimStrategy: Strategy<core.PersistentVolumeClaim> = {
  defaults({ spec, status }) {
    defaultClaimSpec(spec)
    status.phase ||= 'Pending'
  },
  prepareCreate(claim) {
    claim.status = { phase: 'Pending' }
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
    if (!same(spec, allowed)) {
      return [
        forbidden(
          'spec',
          'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
        ),
      ]
    }
    const [wanted, present] = [spec.resources.requests?.storage, before.capacity?.storage]
    return wanted && present && quantity.compare(wanted, present) < 0
      ? [forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity')]
      : []
  },
  generation: false,
}

export function validateClaimSpec(spec: core.PersistentVolumeClaimSpec, path: string): FieldError[] {
  const problems = spec.accessModes?.length
    ? []
    : [required(`${path}.accessModes`, 'at least 1 access mode is required')]
  problems.push(...validateAccessModes(spec.accessModes, `${path}.accessModes`))
  const storage = spec.resources.requests?.storage
  const field = `${path}.resources[storage]`
  if (storage === undefined) problems.push(required(field))
  else if (quantity.isZero(storage)) problems.push(invalid(field, storage, 'must be greater than zero'))
  else problems.push(...validateQuantity(field, storage))
  return [...problems, ...optionalOneOf(`${path}.volumeMode`, spec.volumeMode, VOLUME_MODES)]
}
