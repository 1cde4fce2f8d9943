import { type core, type FieldError, names, quantity } from '../../../api/index.ts'
import { validateNoBackstep, validateRelativePath } from './containers.ts'
import { validateResourceFieldRef, validateVolumeFieldRef } from './env.ts'
import { complaints, duplicate, each, forbidden, invalid, notSupported, required } from './field.ts'
import { validateLabelSelector } from './selectors.ts'

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
const TEN_MINUTES = 600
const FOUR_GIB = 2 ** 32
const LARGEST_MODE = 0o777

type Source = keyof core.VolumeSource

export function validateVolumes(volumes: core.Volume[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>()
  return each(volumes, path, (volume, at) => {
    const problems = validateSource(volume, at)
    if (!volume.name) return [...problems, required(`${at}.name`)]
    const bad = complaints(`${at}.name`, volume.name, names.dns1123LabelProblems(volume.name))
    if (bad.length === 0 && seen.has(volume.name)) bad.push(duplicate(`${at}.name`, volume.name))
    seen.add(volume.name)
    return [...problems, ...bad]
  })
}

type Check<K extends Source> = (source: NonNullable<core.VolumeSource[K]>, path: string) => FieldError[]

const filled = (path: string, source: object, ...fields: string[]): FieldError[] =>
  fields.filter(field => !(source as Record<string, unknown>)[field]).map(field => required(`${path}.${field}`))

/** Each kind of volume that is checked, by the field that holds it; the others have no rules of their own. */
const SOURCES: { [K in Source]?: Check<K> } = {
  emptyDir: ({ sizeLimit }, path) =>
    sizeLimit && quantity.compare(sizeLimit, '0') < 0
      ? [forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : [],
  hostPath: validateHostPath,
  secret: ({ secretName, defaultMode, items }, path) => [
    ...(secretName ? [] : [required(`${path}.secretName`)]),
    ...validateMode(defaultMode, `${path}.defaultMode`),
    ...validateItems(items, `${path}.items`),
  ],
  configMap: ({ name, defaultMode, items }, path) => [
    ...(name ? [] : [required(`${path}.name`)]),
    ...validateMode(defaultMode, `${path}.defaultMode`),
    ...validateItems(items, `${path}.items`),
  ],
  persistentVolumeClaim: (source, path) => filled(path, source, 'claimName'),
  nfs: (source, path) => [
    ...filled(path, source, 'server', 'path'),
    ...(source.path && !source.path.startsWith('/')
      ? [invalid(`${path}.path`, source.path, 'must be an absolute path')]
      : []),
  ],
  iscsi: (source, path) => filled(path, source, 'targetPortal', 'iqn'),
  gcePersistentDisk: (source, path) => filled(path, source, 'pdName'),
  awsElasticBlockStore: (source, path) => filled(path, source, 'volumeID'),
  cephfs: (source, path) => filled(path, source, 'monitors'),
  rbd: (source, path) => filled(path, source, 'monitors', 'image'),
  cinder: (source, path) => filled(path, source, 'volumeID'),
  flexVolume: (source, path) => filled(path, source, 'driver'),
  azureFile: (source, path) => filled(path, source, 'secretName', 'shareName'),
  azureDisk: (source, path) => filled(path, source, 'diskName', 'diskURI'),
  vsphereVolume: (source, path) => filled(path, source, 'volumePath'),
  csi: (source, path) => filled(path, source, 'driver'),
  downwardAPI: ({ items, defaultMode }, path) => [
    ...validateMode(defaultMode, `${path}.defaultMode`),
    ...each(items, path, file => validateDownwardFile(file, path)),
  ],
  projected: validateProjected,
  ephemeral: ({ volumeClaimTemplate }, path) => (volumeClaimTemplate ? [] : [required(`${path}.volumeClaimTemplate`)]),
}

function validateSource(volume: core.Volume, path: string): FieldError[] {
  // In the order of the table: the first one is judged, the others are too many.
  const [kind, ...more] = [...new Set([...Object.keys(SOURCES), ...Object.keys(volume)])].filter(
    (key): key is Source => key !== 'name' && volume[key as Source] !== undefined,
  )
  if (!kind) return [required(path, 'must specify a volume type')]
  const check = SOURCES[kind] as ((source: unknown, path: string) => FieldError[]) | undefined
  return [
    ...(check?.(volume[kind], `${path}.${kind}`) ?? []),
    ...more.map(other => forbidden(`${path}.${other}`, 'may not specify more than 1 volume type')),
  ]
}

function validateHostPath(source: core.HostPathVolumeSource, path: string): FieldError[] {
  if (!source.path) return [required(`${path}.path`)]
  const problems = validateNoBackstep(source.path, `${path}.path`)
  if (source.type !== undefined && !HOST_PATH_TYPES.includes(source.type)) {
    problems.push(notSupported(`${path}.type`, source.type, HOST_PATH_TYPES))
  }
  return problems
}

const validateMode = (mode: number | undefined, field: string): FieldError[] =>
  mode !== undefined && (mode < 0 || mode > LARGEST_MODE)
    ? [invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]
    : []

const validateItems = (items: core.KeyToPath[] | undefined, path: string): FieldError[] =>
  each(items, path, ({ key, path: file, mode }, at) => [
    ...(key ? complaints(`${at}.key`, key, names.configMapKeyProblems(key)) : [required(`${at}.key`)]),
    ...validateFilePath(file, `${at}.path`),
    ...validateMode(mode, `${at}.mode`),
  ])

/** A name for a file in a volume; names that begin with two dots are the kubelet's own. */
function validateFilePath(value: string, field: string): FieldError[] {
  if (!value) return [required(field)]
  const reserved = value.startsWith('..') && !value.startsWith('../')
  return [
    ...validateRelativePath(value, field),
    ...(reserved ? [invalid(field, value, "must not start with '..'")] : []),
  ]
}

function validateDownwardFile(file: core.DownwardAPIVolumeFile, path: string): FieldError[] {
  const problems = validateFilePath(file.path, `${path}.path`)
  const { fieldRef, resourceFieldRef, mode } = file
  if (fieldRef) {
    problems.push(...validateVolumeFieldRef(fieldRef, `${path}.fieldRef`))
    if (resourceFieldRef) {
      problems.push(invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
    }
  } else if (resourceFieldRef) {
    problems.push(...validateResourceFieldRef(resourceFieldRef, `${path}.resourceFieldRef`, true))
  } else problems.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
  return [...problems, ...validateMode(mode, `${path}.mode`)]
}

function validateProjected({ sources, defaultMode }: core.ProjectedVolumeSource, path: string): FieldError[] {
  const files = new Set<string>()
  return [
    ...validateMode(defaultMode, `${path}.defaultMode`),
    ...each(sources, `${path}.sources`, (source, at) => {
      const kinds = Object.keys(source)
      if (kinds.length === 0) return [required(at, 'must specify a source type')]
      return [
        ...kinds.slice(1).map(kind => forbidden(`${at}.${kind}`, 'may not specify more than 1 volume type per source')),
        ...validateProjection(source, at),
        ...validateDistinctFiles(source, at, files),
      ]
    }),
  ]
}

function validateProjection(source: core.VolumeProjection, path: string): FieldError[] {
  const problems: FieldError[] = []
  for (const kind of ['secret', 'configMap'] as const) {
    const projection = source[kind]
    if (!projection) continue
    if (!projection.name) problems.push(required(`${path}.${kind}.name`))
    problems.push(...validateItems(projection.items, `${path}.${kind}.items`))
  }
  for (const file of source.downwardAPI?.items ?? [])
    problems.push(...validateDownwardFile(file, `${path}.downwardAPI`))
  if (source.serviceAccountToken) {
    problems.push(...validateTokenProjection(source.serviceAccountToken, `${path}.serviceAccountToken`))
  }
  if (source.clusterTrustBundle) {
    const { name, signerName, labelSelector, path: file } = source.clusterTrustBundle
    const field = `${path}.clusterTrustBundle`
    if (!name && !signerName) problems.push(required(field, 'either name or signerName must be specified'))
    if (name) problems.push(...complaints(`${field}.name`, name, names.dns1123SubdomainProblems(name)))
    problems.push(...validateLabelSelector(labelSelector, `${field}.labelSelector`))
    if (!file) problems.push(required(`${field}.path`))
  }
  return problems
}

function validateTokenProjection(token: core.ServiceAccountTokenProjection, path: string): FieldError[] {
  const field = `${path}.expirationSeconds`
  const seconds = token.expirationSeconds ?? TEN_MINUTES
  const problems: FieldError[] = []
  if (seconds < TEN_MINUTES) problems.push(invalid(field, seconds, 'may not specify a duration less than 10 minutes'))
  if (seconds > FOUR_GIB) problems.push(invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds'))
  return [...problems, ...validateFilePath(token.path, `${path}.path`)]
}

/** Two sources of a volume may not put the same file into it. */
function validateDistinctFiles(source: core.VolumeProjection, path: string, files: Set<string>): FieldError[] {
  const all = [
    ...(source.secret?.items ?? []),
    ...(source.configMap?.items ?? []),
    ...(source.downwardAPI?.items ?? []),
    ...(source.serviceAccountToken ? [source.serviceAccountToken] : []),
    ...(source.clusterTrustBundle ? [source.clusterTrustBundle] : []),
  ]
  return all.flatMap(({ path: file }) => {
    if (!file) return []
    if (files.has(file)) return [invalid(path, file, 'conflicting duplicate paths')]
    files.add(file)
    return []
  })
}
