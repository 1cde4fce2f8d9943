import { type core, type FieldError, names, quantity } from '../../../api/index.ts'
import { validateClaimSpec } from './claims.ts'
import { complaints, duplicate, each, forbidden, invalid, notSupported, required, tooLong } from './field.ts'
import { validateNoBackstep, validateRelativePath } from './mounts.ts'
import { validateDownwardFile, validateItems, validateMode, validateProjected } from './projected.ts'
import { validateAnnotations, validateLabels } from './selectors.ts'

/** The volumes of a pod. Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateVolumes */

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const LARGEST_PARTITION = 255
const LARGEST_LUN = 255
const LONGEST_DRIVER = 63
const LONGEST_TENANT = 64

type Source = keyof core.VolumeSource

/** What is wrong with the volumes, and those by name with which nothing is: only these can be mounted. */
export interface CheckedVolumes {
  problems: FieldError[]
  valid: Map<string, core.Volume>
}

/** `pod`: the name of the pod that the volumes are of, unless they are those of a template. */
export function validateVolumes(
  volumes: core.Volume[] | undefined,
  path: string,
  pod: string | undefined,
): CheckedVolumes {
  const valid = new Map<string, core.Volume>()
  const created = new Set(volumes?.filter(({ ephemeral }) => pod && ephemeral).map(({ name }) => `${pod}-${name}`))
  const problems = each(volumes, path, (volume, at) => {
    const bad = [...validateSource(volume, at), ...validateClaimName(volume, at, pod)]
    if (!volume.name) bad.push(required(`${at}.name`))
    else bad.push(...complaints(`${at}.name`, volume.name, names.dns1123LabelProblems(volume.name)))
    if (valid.has(volume.name)) bad.push(duplicate(`${at}.name`, volume.name))
    if (bad.length === 0) valid.set(volume.name, volume)
    const claim = volume.persistentVolumeClaim?.claimName ?? ''
    if (created.has(claim)) {
      const detail = 'must not reference a PVC that gets created for an ephemeral volume'
      bad.push(invalid(`${at}.persistentVolumeClaim.claimName`, claim, detail))
    }
    return bad
  })
  return { problems, valid }
}

/** The claim of an ephemeral volume gets its name from the pod's and the volume's. */
function validateClaimName({ name, ephemeral }: core.Volume, path: string, pod: string | undefined): FieldError[] {
  if (!ephemeral || !pod || !name) return []
  const claim = `${pod}-${name}`
  return names
    .dns1123SubdomainProblems(claim)
    .map(problem => invalid(`${path}.name`, name, `PVC name ${JSON.stringify(claim)}: ${problem}`))
}

type Check<K extends Source> = (source: NonNullable<core.VolumeSource[K]>, path: string) => FieldError[]

const isEmpty = (value: unknown) => !value || (Array.isArray(value) && value.length === 0)

export const filled = (path: string, source: object, ...fields: string[]): FieldError[] =>
  fields.filter(field => isEmpty((source as Record<string, unknown>)[field])).map(field => required(`${path}.${field}`))

const validateSecretRef = (secret: { name?: string } | undefined, path: string): FieldError[] =>
  secret && !secret.name ? [required(`${path}.secretRef.name`)] : []

const validatePartition = (partition: number | undefined, path: string): FieldError[] =>
  partition !== undefined && (partition < 0 || partition > LARGEST_PARTITION)
    ? [invalid(`${path}.partition`, partition, 'must be between 0 and 255, inclusive')]
    : []

/** Each kind of volume by the field that holds it, in the order in which they are looked at. */
export const SOURCES: { [K in Source]-?: Check<K> } = {
  emptyDir: ({ sizeLimit }, path) =>
    sizeLimit && quantity.compare(sizeLimit, '0') < 0
      ? [forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : [],
  hostPath: validateHostPath,
  gitRepo: (source, path) => [
    ...filled(path, source, 'repository'),
    ...validateRelativePath(source.directory ?? '', `${path}.directory`),
  ],
  gcePersistentDisk: (source, path) => {
    const field = path.replace(/gcePersistentDisk$/, 'persistentDisk')
    return [...filled(field, source, 'pdName'), ...validatePartition(source.partition, field)]
  },
  awsElasticBlockStore: (source, path) => [
    ...filled(path, source, 'volumeID'),
    ...validatePartition(source.partition, path),
  ],
  secret: ({ secretName, defaultMode, items }, path) => [
    ...(secretName ? [] : [required(`${path}.secretName`)]),
    ...validateMode(defaultMode, `${path}.defaultMode`),
    ...validateItems(items, `${path}.items`),
  ],
  nfs: (source, path) => [
    ...filled(path, source, 'server', 'path'),
    ...(source.path?.startsWith('/') ? [] : [invalid(`${path}.path`, source.path, 'must be an absolute path')]),
  ],
  iscsi: validateIscsi,
  glusterfs: (source, path) => filled(path, source, 'endpoints', 'path'),
  flocker: ({ datasetName = '', datasetUUID }, path) => [
    ...(datasetName || datasetUUID ? [] : [required(path, 'one of datasetName and datasetUUID is required')]),
    ...(datasetName && datasetUUID
      ? [invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously')]
      : []),
    ...(datasetName.includes('/') ? [invalid(`${path}.datasetName`, datasetName, "must not contain '/'")] : []),
  ],
  persistentVolumeClaim: (source, path) => filled(path, source, 'claimName'),
  rbd: (source, path) => filled(path, source, 'monitors', 'image'),
  cinder: (source, path) => [...filled(path, source, 'volumeID'), ...validateSecretRef(source.secretRef, path)],
  cephfs: (source, path) => filled(path, source, 'monitors'),
  quobyte: validateQuobyte,
  downwardAPI: ({ items, defaultMode }, path) => [
    ...validateMode(defaultMode, `${path}.defaultMode`),
    ...each(items, path, file => validateDownwardFile(file, path)),
  ],
  fc: validateFibreChannel,
  flexVolume: (source, path) => filled(path, source, 'driver'),
  configMap: ({ name, defaultMode, items }, path) => [
    ...(name ? [] : [required(`${path}.name`)]),
    ...validateMode(defaultMode, `${path}.defaultMode`),
    ...validateItems(items, `${path}.items`),
  ],
  azureFile: (source, path) => filled(path, source, 'secretName', 'shareName'),
  vsphereVolume: (source, path) => filled(path, source, 'volumePath'),
  photonPersistentDisk: (source, path) => filled(path, source, 'pdID'),
  portworxVolume: (source, path) => filled(path, source, 'volumeID'),
  azureDisk: validateAzureDisk,
  storageos: validateStorageOs,
  projected: validateProjected,
  scaleIO: (source, path) => filled(path, source, 'gateway', 'system', 'volumeName'),
  csi: ({ driver, nodePublishSecretRef: secret }, path) => [
    ...validateDriverName(driver, `${path}.driver`),
    ...(secret && !secret.name ? [required(`${path}.nodePublishSecretRef.name`)] : []),
    ...(secret?.name ? complaints(`${path}.name`, secret.name, names.dns1123SubdomainProblems(secret.name)) : []),
  ],
  ephemeral: ({ volumeClaimTemplate: template }, path) =>
    template
      ? validateClaimTemplate(template, `${path}.volumeClaimTemplate`)
      : [required(`${path}.volumeClaimTemplate`)],
  image: ({ reference, pullPolicy }, path) => [
    ...(reference ? [] : [required(`${path}.reference`)]),
    ...(pullPolicy && !PULL_POLICIES.includes(pullPolicy)
      ? [notSupported(`${path}.pullPolicy`, pullPolicy, PULL_POLICIES)]
      : []),
  ],
}

/** Two are misspelt where upstream says that they are too many. */
const NAMED: Partial<Record<Source, string>> = { downwardAPI: 'downwarAPI', cephfs: 'cephFS' }

function validateSource(volume: core.Volume, path: string): FieldError[] {
  // The first one is judged, the others are too many.
  const [kind, ...more] = (Object.keys(SOURCES) as Source[]).filter(key => volume[key] !== undefined)
  if (!kind) return [required(path, 'must specify a volume type')]
  const check = SOURCES[kind] as (source: unknown, path: string) => FieldError[]
  return [
    ...check(volume[kind], `${path}.${kind}`),
    ...more.map(other => forbidden(`${path}.${NAMED[other] ?? other}`, 'may not specify more than 1 volume type')),
  ]
}

export function validateHostPath(source: core.HostPathVolumeSource, path: string): FieldError[] {
  if (!source.path) return [required(`${path}.path`)]
  const problems = validateNoBackstep(source.path, `${path}.path`)
  if (source.type !== undefined && !HOST_PATH_TYPES.includes(source.type)) {
    problems.push(notSupported(`${path}.type`, source.type, HOST_PATH_TYPES))
  }
  return problems
}

const ISCSI_NAMES: Record<string, RegExp> = {
  iqn: /^iqn\.\d{4}-\d{2}\.([a-z0-9-.]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[a-fA-F0-9]{16}$/,
  naa: /^naa.[a-fA-F0-9]{32}$/,
}

function validateIscsiName(name: string, field: string): FieldError[] {
  const format = ISCSI_NAMES[name.slice(0, 3)]
  if (!format) return [invalid(field, name, 'must be valid format starting with iqn, eui, or naa')]
  return format.test(name) ? [] : [invalid(field, name, 'must be valid format')]
}

type Iscsi = Omit<core.ISCSIVolumeSource, 'secretRef'> & { secretRef?: { name?: string; namespace?: string } }

export function validateIscsi(source: Iscsi, path: string): FieldError[] {
  const { iqn, lun, initiatorName } = source
  return [
    ...filled(path, source, 'targetPortal'),
    ...(iqn ? validateIscsiName(iqn, `${path}.iqn`) : [required(`${path}.iqn`)]),
    ...validateLun(lun, `${path}.lun`),
    ...((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef
      ? [required(`${path}.secretRef`)]
      : []),
    ...(initiatorName === undefined ? [] : validateIscsiName(initiatorName, `${path}.initiatorname`)),
  ]
}

const validateLun = (lun: number, field: string): FieldError[] =>
  lun < 0 || lun > LARGEST_LUN ? [invalid(field, lun, `must be between 0 and ${LARGEST_LUN}, inclusive`)] : []

const REGISTRY = 'must be a host:port pair or multiple pairs separated by commas'

export function validateQuobyte(
  { registry, tenant = '', volume }: core.QuobyteVolumeSource,
  path: string,
): FieldError[] {
  const problems: FieldError[] = []
  if (!registry) problems.push(required(`${path}.registry`, REGISTRY))
  else if (tenant.length > LONGEST_TENANT) {
    problems.push(required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'))
  } else {
    for (const pair of registry.split(','))
      if (!/^([^:]*|\[[^\]]*\]):[^:]*$/.test(pair)) problems.push(invalid(`${path}.registry`, registry, REGISTRY))
  }
  return volume ? problems : [...problems, required(`${path}.volume`)]
}

export function validateFibreChannel({ targetWWNs, wwids, lun }: core.FCVolumeSource, path: string): FieldError[] {
  const field = `${path}.targetWWNs`
  if (!targetWWNs?.length) {
    return wwids?.length ? [] : [required(field, 'must specify either targetWWNs or wwids, but not both')]
  }
  return [
    ...(wwids?.length ? [invalid(field, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously')] : []),
    ...(lun === undefined
      ? [required(`${path}.lun`, 'lun is required if targetWWNs is specified')]
      : validateLun(lun, `${path}.lun`)),
  ]
}

const CACHING_MODES = ['None', 'ReadOnly', 'ReadWrite']
const DISK_KINDS = ['Dedicated', 'Managed', 'Shared']
const MANAGED_URI = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
const BLOB_URI = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'

export function validateAzureDisk(source: core.AzureDiskVolumeSource, path: string): FieldError[] {
  const { cachingMode, kind, diskURI = '' } = source
  const problems = filled(path, source, 'diskName', 'diskURI')
  if (cachingMode !== undefined && !CACHING_MODES.includes(cachingMode)) {
    problems.push(notSupported(`${path}.cachingMode`, cachingMode, CACHING_MODES))
  }
  if (kind === undefined) return problems
  if (!DISK_KINDS.includes(kind)) problems.push(notSupported(`${path}.kind`, kind, DISK_KINDS))
  const [start, form] = kind === 'Managed' ? ['/subscriptions/', MANAGED_URI] : ['https://', BLOB_URI]
  return diskURI.startsWith(start) ? problems : [...problems, notSupported(`${path}.diskURI`, diskURI, [form])]
}

function validateStorageOs(source: core.StorageOSVolumeSource, path: string): FieldError[] {
  const { volumeName, volumeNamespace } = source
  const label = (field: string, name: string) => complaints(`${path}.${field}`, name, names.dns1123LabelProblems(name))
  return [
    ...(volumeName ? label('volumeName', volumeName) : [required(`${path}.volumeName`)]),
    ...(volumeNamespace ? label('volumeNamespace', volumeNamespace) : []),
    ...validateSecretRef(source.secretRef, path),
  ]
}

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateCSIDriverName */
export function validateDriverName(name: string | undefined, field: string): FieldError[] {
  if (!name) return [required(field)]
  return [
    ...(name.length > LONGEST_DRIVER ? [tooLong(field, '', LONGEST_DRIVER)] : []),
    ...complaints(field, name, names.dns1123SubdomainProblems(name.toLowerCase())),
  ]
}

const TEMPLATE_METADATA = new Set(['annotations', 'labels'])

/** A template of a claim has no say in what its claims are called. */
function validateClaimTemplate({ metadata, spec }: core.PersistentVolumeClaimTemplate, path: string): FieldError[] {
  const field = `${path}.metadata`
  return [
    ...validateLabels(metadata?.labels, `${field}.labels`),
    ...validateAnnotations(metadata?.annotations, `${field}.annotations`),
    ...Object.entries(metadata ?? {})
      .filter(([name, value]) => !TEMPLATE_METADATA.has(name) && !isEmpty(value))
      .map(([name]) => forbidden(`${field}.${name}`, 'cannot be set')),
    ...validateClaimSpec(spec, `${path}.spec`),
  ]
}
