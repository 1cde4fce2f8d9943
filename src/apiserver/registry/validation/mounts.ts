import type { core, FieldError } from '../../../api/index.ts'
import { each, forbidden, invalid, notFound, notSupported, required } from './field.ts'

/** Where a container sees the volumes of its pod. Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateVolumeMounts */

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None']
const RECURSIVE = ['Disabled', 'Enabled', 'IfPossible']

type Container = Pick<core.Container, 'volumeMounts' | 'volumeDevices' | 'securityContext'>
type Volumes = Map<string, core.Volume>

export function validateMounts(container: Container, volumes: Volumes, path: string): FieldError[] {
  const list = `${path}.volumeMounts`
  const places = new Set<string>()
  const devices = container.volumeDevices ?? []
  return each(container.volumeMounts, list, (mount, at) => {
    const { name, mountPath, subPath, subPathExpr } = mount
    const problems = validateVolumeName(name, volumes, at)
    if (!mountPath) problems.push(required(`${at}.mountPath`))
    if (places.has(mountPath)) problems.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'))
    places.add(mountPath)
    if (devices.some(device => device.name === name)) {
      problems.push(invalid(`${at}.name`, name, 'must not already exist in volumeDevices'))
    }
    if (devices.some(({ devicePath }) => devicePath === mountPath)) {
      problems.push(invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'))
    }
    // Upstream leaves the index out of what follows.
    if (subPath) problems.push(...validateRelativePath(subPath, `${list}.subPath`))
    if (subPathExpr) {
      if (subPath) {
        problems.push(invalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
      }
      problems.push(...validateRelativePath(subPathExpr, `${list}.subPathExpr`))
    }
    return [
      ...problems,
      ...validatePropagation(mount, container, `${list}.mountPropagation`),
      ...validateRecursive(mount, `${list}.recursiveReadOnly`),
    ]
  })
}

function validatePropagation(
  { mountPropagation: value }: core.VolumeMount,
  { securityContext }: Container,
  field: string,
): FieldError[] {
  if (value === undefined) return []
  if (!PROPAGATIONS.includes(value)) return [notSupported(field, value, PROPAGATIONS)]
  return value === 'Bidirectional' && !securityContext?.privileged
    ? [forbidden(field, 'Bidirectional mount propagation is available only to privileged containers')]
    : []
}

function validateRecursive(mount: core.VolumeMount, field: string): FieldError[] {
  const { recursiveReadOnly: value, readOnly, mountPropagation = 'None' } = mount
  if (value === undefined || value === 'Disabled') return []
  if (!RECURSIVE.includes(value)) return [notSupported(field, value, RECURSIVE)]
  return [
    ...(readOnly ? [] : [forbidden(field, 'may only be specified when readOnly is true')]),
    ...(mountPropagation === 'None'
      ? []
      : [forbidden(field, 'may only be specified when mountPropagation is None or not specified')]),
  ]
}

const validateVolumeName = (name: string, volumes: Volumes, path: string): FieldError[] => [
  ...(name ? [] : [required(`${path}.name`)]),
  ...(volumes.has(name) ? [] : [notFound(`${path}.name`, name)]),
]

const NOT_BLOCK = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateVolumeDevices */
export function validateDevices(container: Container, volumes: Volumes, path: string): FieldError[] {
  const [seen, places] = [new Set<string>(), new Set<string>()]
  const mounts = container.volumeMounts ?? []
  return each(container.volumeDevices, `${path}.volumeDevices`, ({ name, devicePath }, at) => {
    const [nameField, pathField] = [`${at}.name`, `${at}.devicePath`]
    const problems = name ? [] : [required(nameField)]
    if (seen.has(name)) problems.push(invalid(nameField, name, 'must be unique'))
    const volume = volumes.get(name)
    if (!volume) problems.push(notFound(nameField, name))
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) problems.push(invalid(nameField, name, NOT_BLOCK))
    if (!devicePath) problems.push(required(pathField))
    if (places.has(devicePath)) problems.push(invalid(pathField, devicePath, 'must be unique'))
    if (validateNoBackstep(devicePath, pathField).length) {
      problems.push(invalid(pathField, devicePath, "can not contain backsteps ('..')"))
    } else places.add(devicePath)
    if (mounts.some(mount => mount.name === name)) {
      problems.push(invalid(nameField, name, 'must not already exist in volumeMounts'))
    }
    if (mounts.some(({ mountPath }) => mountPath === devicePath)) {
      problems.push(invalid(pathField, devicePath, 'must not already exist as a path in volumeMounts'))
    }
    if (name) seen.add(name)
    return problems
  })
}

/** A path that stays below where it starts. */
export function validateRelativePath(value: string, field: string): FieldError[] {
  const problems = value.startsWith('/') ? [invalid(field, value, 'must be a relative path')] : []
  return [...problems, ...validateNoBackstep(value, field)]
}

export const validateNoBackstep = (value: string, field: string): FieldError[] =>
  value.split('/').includes('..') ? [invalid(field, value, "must not contain '..'")] : []
