import { type core, type FieldError, names } from '../../../api/index.ts'
import { validateResourceFieldRef, validateVolumeFieldRef } from './env.ts'
import { complaints, each, forbidden, invalid, notSupported, required } from './field.ts'
import { validateRelativePath } from './mounts.ts'

/** Volumes whose files the kubelet writes. Source: k8s.io/kubernetes/pkg/apis/core/validation validateProjectionSources */

const TEN_MINUTES = 600
const FOUR_GIB = 2 ** 32
const LARGEST_MODE = 0o777
const HOUR = 3600
const DAY = 86_400
const MOST_CERTIFICATE_DAYS = 91
const KEY_TYPES = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']

export const validateMode = (mode: number | undefined, field: string): FieldError[] =>
  mode !== undefined && (mode < 0 || mode > LARGEST_MODE)
    ? [invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]
    : []

export const validateItems = (items: core.KeyToPath[] | undefined, path: string): FieldError[] =>
  each(items, path, validateItem)

const validateItem = ({ key, path: file, mode }: core.KeyToPath, at: string): FieldError[] => [
  ...(key ? complaints(`${at}.key`, key, names.configMapKeyProblems(key)) : [required(`${at}.key`)]),
  ...validateFilePath(file, `${at}.path`),
  ...validateMode(mode, `${at}.mode`),
]

/** A name for a file in a volume; names that begin with two dots are the kubelet's own. */
function validateFilePath(value: string, field: string): FieldError[] {
  if (!value) return [required(field)]
  const reserved = value.startsWith('..') && !value.startsWith('../')
  return [
    ...validateRelativePath(value, field),
    ...(reserved ? [invalid(field, value, "must not start with '..'")] : []),
  ]
}

export function validateDownwardFile(file: core.DownwardAPIVolumeFile, path: string): FieldError[] {
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

export function validateProjected({ sources, defaultMode }: core.ProjectedVolumeSource, path: string): FieldError[] {
  const files = new Set<string>()
  return [
    ...validateMode(defaultMode, `${path}.defaultMode`),
    ...each(sources, `${path}.sources`, (source, at) => [
      ...validateProjection(source, at, path, files),
      ...(Object.keys(source).length > 1 ? [forbidden(at, 'may not specify more than 1 volume type per source')] : []),
    ]),
  ]
}

/** Each kind of source in the order in which they are looked at. `volume` is where upstream reports what two sources share. */
function validateProjection(
  source: core.VolumeProjection,
  path: string,
  volume: string,
  files: Set<string>,
): FieldError[] {
  const problems: FieldError[] = []
  const take = (file: string | undefined, shown = file): void => {
    if (!file) return
    if (files.has(file)) problems.push(invalid(volume, shown, 'conflicting duplicate paths'))
    files.add(file)
  }
  for (const kind of ['secret', 'configMap'] as const) {
    const projection = source[kind]
    if (!projection) continue
    if (!projection.name) problems.push(required(`${path}.${kind}.name`))
    for (const [index, item] of (projection.items ?? []).entries()) {
      problems.push(...validateItem(item, `${path}.${kind}.items[${index}]`))
      take(item.path, projection.name)
    }
  }
  for (const file of source.downwardAPI?.items ?? []) {
    problems.push(...validateDownwardFile(file, `${path}.downwardAPI`))
    take(file.path)
  }
  if (source.serviceAccountToken)
    problems.push(...validateToken(source.serviceAccountToken, `${path}.serviceAccountToken`, volume))
  const { podCertificate } = source
  if (podCertificate) {
    problems.push(...validateCertificate(podCertificate, `${path}.podCertificate`))
    for (const field of CERTIFICATE_PATHS) take(podCertificate[field])
  }
  return problems
}

function validateToken(token: core.ServiceAccountTokenProjection, path: string, volume: string): FieldError[] {
  const field = `${path}.expirationSeconds`
  const seconds = token.expirationSeconds ?? TEN_MINUTES
  const problems: FieldError[] = []
  if (seconds < TEN_MINUTES) problems.push(invalid(field, seconds, 'may not specify a duration less than 10 minutes'))
  if (seconds > FOUR_GIB) problems.push(invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds'))
  return [...problems, ...validateFilePath(token.path, `${volume}.path`)]
}

const CERTIFICATE_PATHS = ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const

function validateCertificate(certificate: core.PodCertificateProjection, path: string): FieldError[] {
  const { signerName, keyType, maxExpirationSeconds: seconds } = certificate
  const problems = signerName ? [] : [required(`${path}.signerName`)]
  if (!KEY_TYPES.includes(keyType)) problems.push(notSupported(`${path}.keyType`, keyType, KEY_TYPES))
  const most = signerName?.startsWith('kubernetes.io/') ? DAY : MOST_CERTIFICATE_DAYS * DAY
  const field = `${path}.maxExpirationSeconds`
  if (seconds !== undefined && seconds < HOUR) {
    problems.push(invalid(field, seconds, `if provided, maxExpirationSeconds must be >= ${HOUR}`))
  }
  if (seconds !== undefined && seconds > most) {
    problems.push(invalid(field, seconds, `if provided, maxExpirationSeconds must be <= ${most}`))
  }
  const given = CERTIFICATE_PATHS.filter(name => certificate[name])
  problems.push(...given.flatMap(name => validateFilePath(certificate[name]!, `${path}.${name}`)))
  const detail = 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath'
  return given.length ? problems : [...problems, required(path, detail)]
}
