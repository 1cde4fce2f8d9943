import { type core, type FieldError, names, quantity } from '../../../api/index.ts'
import { VOLUME_MODES, validateAccessModes } from './claims.ts'
import { at, complaints, forbidden, invalid, notSupported, required } from './field.ts'
import { validateNoBackstep } from './mounts.ts'
import { validateQuantity } from './resources.ts'
import { validateNodeSelector } from './selectors.ts'
import { filled, SOURCES, validateDriverName, validateIscsi } from './volumes.ts'

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidatePersistentVolumeSpec */

const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain']

type Spec = core.PersistentVolumeSpec

/** What says where a volume is, in the order in which it is looked at. */
const KINDS = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const

export const sourceOf = (spec: Spec): Partial<Spec> =>
  Object.fromEntries(KINDS.filter(kind => spec[kind] !== undefined).map(kind => [kind, spec[kind]]))

export function validateVolumeSpec(spec: Spec, path: string): FieldError[] {
  const { accessModes, persistentVolumeReclaimPolicy: policy, volumeMode, storageClassName: className } = spec
  const reclaim = `${path}.persistentVolumeReclaimPolicy`
  const problems = accessModes?.length ? [] : [required(`${path}.accessModes`)]
  problems.push(
    ...validateAccessModes(accessModes, `${path}.accessModes`),
    ...validateCapacity(spec.capacity ?? {}, `${path}.capacity`),
  )
  if (policy && !RECLAIM_POLICIES.includes(policy)) problems.push(notSupported(reclaim, policy, RECLAIM_POLICIES))
  problems.push(...validateAffinity(spec.nodeAffinity, `${path}.nodeAffinity`), ...validateSource(spec, path))
  if (policy === 'Recycle' && /^\/+(\.\/*)*$/.test(spec.hostPath?.path ?? '')) {
    problems.push(forbidden(reclaim, "may not be 'recycle' for a hostPath mount of '/'"))
  }
  if (className) {
    problems.push(...complaints(`${path}.storageClassName`, className, names.dns1123SubdomainProblems(className)))
  }
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode)) {
    problems.push(notSupported(`${path}.volumeMode`, volumeMode, VOLUME_MODES))
  }
  return [...problems, ...validateAttributes(spec, path)]
}

function validateCapacity(capacity: Record<string, string>, path: string): FieldError[] {
  const entries = Object.entries(capacity)
  const problems = entries.length ? [] : [required(path)]
  if (capacity.storage === undefined || entries.length > 1) {
    problems.push(notSupported(path, entries.length ? capacity : null, ['storage']))
  }
  for (const [name, amount] of entries) {
    problems.push(...validateQuantity(at(path, name), amount))
    if (quantity.compare(amount, quantity.zero) <= 0) {
      problems.push(invalid(at(path, name), amount, 'must be greater than zero'))
    }
  }
  return problems
}

function validateAffinity(affinity: core.VolumeNodeAffinity | undefined, path: string): FieldError[] {
  if (!affinity) return []
  return affinity.required
    ? validateNodeSelector(affinity.required, `${path}.required`)
    : [required(`${path}.required`, 'must specify required node constraints')]
}

/** Where a volume is, in one place only. */
export function validateSource(spec: Spec, path: string): FieldError[] {
  const [kind, ...more] = KINDS.filter(each => spec[each] !== undefined)
  if (!kind) return [required(path, 'must specify a volume type')]
  const check = (own[kind] ?? SOURCES[kind as keyof typeof SOURCES]) as Check
  const problems = check(spec[kind], `${path}.${kind}`)
  if (kind === 'local' && !spec.nodeAffinity) {
    problems.push(required(`${path}.nodeAffinity`, 'Local volume requires node affinity'))
  }
  const shown = (other: string) => (other === 'cephfs' ? 'cephFS' : other)
  return [
    ...problems,
    // One kind is looked at whatever else there is.
    ...more.flatMap(other =>
      other === 'flexVolume'
        ? filled(`${path}.flexVolume`, spec.flexVolume!, 'driver')
        : [forbidden(`${path}.${shown(other)}`, 'may not specify more than 1 volume type')],
    ),
  ]
}

type Check = (source: unknown, path: string) => FieldError[]

const SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const

/** Both parts of it are names of objects. */
const validateReference = ({ name, namespace }: core.SecretReference, path: string): FieldError[] => [
  ...(name ? complaints(`${path}.name`, name, names.dns1123SubdomainProblems(name)) : [required(`${path}.name`)]),
  ...(namespace
    ? complaints(`${path}.namespace`, namespace, names.dns1123LabelProblems(namespace))
    : [required(`${path}.namespace`)]),
]

const validateSecret = ({ secretRef }: { secretRef?: object }, path: string): FieldError[] =>
  secretRef ? filled(`${path}.secretRef`, secretRef, 'name', 'namespace') : []

/** Kinds that a volume has and a pod has not, or that say more in a volume. */
const own: { [K in keyof Spec]?: (source: NonNullable<Spec[K]>, path: string) => FieldError[] } = {
  local: ({ path: place }, path) => (place ? validateNoBackstep(place, `${path}.path`) : [required(`${path}.path`)]),
  csi: (source, path) => [
    ...validateDriverName(source.driver, `${path}.driver`),
    ...filled(path, source, 'volumeHandle'),
    ...SECRETS.flatMap(field => (source[field] ? validateReference(source[field], `${path}.${field}`) : [])),
  ],
  azureFile: (source, path) => [
    ...filled(path, source, 'secretName', 'shareName'),
    ...(source.secretNamespace === '' ? [required(`${path}.secretNamespace`)] : []),
  ],
  storageos: (source, path) => [...filled(path, source, 'volumeName'), ...validateSecret(source, path)],
  iscsi: (source, path) => [
    ...validateIscsi(source, path),
    ...(source.secretRef ? filled(`${path}.secretRef`, source.secretRef, 'name') : []),
  ],
  cinder: (source, path) => [...filled(path, source, 'volumeID'), ...validateSecret(source, path)],
}

function validateAttributes({ volumeAttributesClassName: name, csi }: Spec, path: string): FieldError[] {
  if (name === undefined) return []
  const field = `${path}.volumeAttributesClassName`
  return [
    ...(name
      ? complaints(field, name, names.dns1123SubdomainProblems(name))
      : [required(field, 'an empty string is disallowed')]),
    ...(csi ? [] : [required(`${path}.csi`, 'has to be specified when using volumeAttributesClassName')]),
  ]
}
