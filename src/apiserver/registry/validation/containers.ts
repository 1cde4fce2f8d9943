import { type core, type FieldError, isSidecar, names } from '../../../api/index.ts'
import { validateEnv, validateEnvFrom } from './env.ts'
import {
  complaints,
  duplicate,
  each,
  forbidden,
  invalid,
  notFound,
  notSupported,
  oneOf,
  optionalOneOf,
  required,
} from './field.ts'
import { validateProbes } from './probes.ts'
import { validateResources } from './resources.ts'
import { validateSecurityContext } from './security.ts'

/** What a container is checked against. */
interface Surroundings {
  volumes: Map<string, core.Volume>
  grace: number | undefined
}

export const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const MESSAGE_POLICIES = ['FallbackToLogsOnError', 'File']
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure']
const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None']

/** All containers of a pod. Source: k8s.io/kubernetes/pkg/apis/core/validation validateContainers */
export function validateContainers(spec: core.PodSpec, path: string): FieldError[] {
  const around: Surroundings = {
    volumes: new Map(spec.volumes?.map(volume => [volume.name, volume])),
    grace: spec.terminationGracePeriodSeconds,
  }
  const problems = spec.containers?.length ? [] : [required(`${path}.containers`)]
  return [
    ...problems,
    ...each(spec.containers, `${path}.containers`, (container, at) => validateContainer(container, at, around)),
    ...each(spec.initContainers, `${path}.initContainers`, (container, at) =>
      validateInitContainer(container, at, around),
    ),
    ...each(spec.ephemeralContainers, `${path}.ephemeralContainers`, (container, at) =>
      validateEphemeralContainer(container, spec, at, around),
    ),
    ...validateUniqueNames(spec, path),
    ...validateHostPorts(spec.containers, `${path}.containers`),
    ...validateHostPorts(spec.initContainers?.filter(isSidecar), `${path}.initContainers`),
  ]
}

/** A name is taken once among all three kinds of containers. */
function validateUniqueNames(spec: core.PodSpec, path: string): FieldError[] {
  const seen = new Set<string>()
  return (['containers', 'initContainers', 'ephemeralContainers'] as const).flatMap(kind =>
    each<{ name: string }>(spec[kind], `${path}.${kind}`, ({ name }, at) => {
      if (!name) return []
      if (seen.has(name)) return [duplicate(`${at}.name`, name)]
      seen.add(name)
      return []
    }),
  )
}

function validateContainer(container: core.Container, path: string, around: Surroundings): FieldError[] {
  return [...validateCommon(container, path, around), ...validateProbes(container, path, around.grace)]
}

function validateInitContainer(container: core.Container, path: string, around: Surroundings): FieldError[] {
  if (isSidecar(container)) return validateContainer(container, path, around)
  const misplaced = (['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const).filter(
    field => container[field],
  )
  return [
    ...validateCommon(container, path, around),
    ...misplaced.map(field =>
      forbidden(`${path}.${field}`, 'may not be set for init containers without restartPolicy=Always'),
    ),
  ]
}

const NOT_EPHEMERAL = ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle', 'resizePolicy'] as const

function validateEphemeralContainer(
  container: core.EphemeralContainer,
  spec: core.PodSpec,
  path: string,
  around: Surroundings,
): FieldError[] {
  const problems = validateCommon(container, path, around)
  const target = container.targetContainerName
  if (target && ![...spec.containers, ...(spec.initContainers ?? [])].some(({ name }) => name === target)) {
    problems.push(notFound(`${path}.targetContainerName`, target))
  }
  for (const field of NOT_EPHEMERAL) {
    if (container[field]) problems.push(forbidden(`${path}.${field}`, 'cannot be set for an Ephemeral Container'))
  }
  return problems
}

function validateCommon(
  container: core.Container | core.EphemeralContainer,
  path: string,
  { volumes }: Surroundings,
): FieldError[] {
  const { name, image } = container
  return [
    ...(name ? complaints(`${path}.name`, name, names.dns1123LabelProblems(name)) : [required(`${path}.name`)]),
    ...(image ? [] : [required(`${path}.image`)]),
    ...optionalOneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, MESSAGE_POLICIES),
    ...optionalOneOf(`${path}.restartPolicy`, container.restartPolicy, RESTART_POLICIES),
    ...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, PULL_POLICIES),
    ...validatePorts(container.ports, `${path}.ports`),
    ...validateEnv(container.env, `${path}.env`),
    ...validateEnvFrom(container.envFrom, `${path}.envFrom`),
    ...validateMounts(container, volumes, path),
    ...validateDevices(container, volumes, path),
    ...validateResources(container.resources ?? {}, `${path}.resources`),
    ...each(container.resources?.claims, `${path}.resources.claims`, ({ name }, at) =>
      name ? [] : [required(`${at}.name`)],
    ),
    ...validateSecurityContext(container.securityContext, `${path}.securityContext`),
  ]
}

function validatePorts(ports: core.ContainerPort[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>()
  return each(ports, path, (port, at) => {
    const problems: FieldError[] = []
    if (port.name) {
      const bad = names.portNameProblems(port.name)
      if (bad.length) problems.push(...complaints(`${at}.name`, port.name, bad))
      else if (seen.has(port.name)) problems.push(duplicate(`${at}.name`, port.name))
      else seen.add(port.name)
    }
    if (!port.containerPort) problems.push(required(`${at}.containerPort`))
    else
      problems.push(
        ...complaints(`${at}.containerPort`, port.containerPort, names.portNumberProblems(port.containerPort)),
      )
    if (port.hostPort)
      problems.push(...complaints(`${at}.hostPort`, port.hostPort, names.portNumberProblems(port.hostPort)))
    return [...problems, ...oneOf(`${at}.protocol`, port.protocol, PROTOCOLS)]
  })
}

/** Two containers cannot both have a port of their node. */
function validateHostPorts(containers: core.Container[] | undefined, path: string): FieldError[] {
  const taken = new Set<string>()
  return each(containers, path, ({ ports }, at) =>
    each(ports, `${at}.ports`, ({ protocol, hostIP = '', hostPort }, portAt) => {
      if (!hostPort) return []
      const key = `${protocol}/${hostIP}/${hostPort}`
      if (taken.has(key)) return [duplicate(`${portAt}.hostPort`, key)]
      taken.add(key)
      return []
    }),
  )
}

function validateMounts(
  container: core.Container | core.EphemeralContainer,
  volumes: Map<string, core.Volume>,
  path: string,
): FieldError[] {
  const places = new Set<string>()
  return each(container.volumeMounts, `${path}.volumeMounts`, (mount, at) => {
    const problems = validateVolumeName(mount.name, volumes, at)
    if (!mount.mountPath) problems.push(required(`${at}.mountPath`))
    if (places.has(mount.mountPath)) problems.push(invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'))
    places.add(mount.mountPath)
    if (mount.subPath) problems.push(...validateRelativePath(mount.subPath, `${at}.subPath`))
    if (mount.subPathExpr) {
      if (mount.subPath) {
        problems.push(invalid(`${at}.subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
      }
      problems.push(...validateRelativePath(mount.subPathExpr, `${at}.subPathExpr`))
    }
    return [...problems, ...validatePropagation(mount, container, at)]
  })
}

function validatePropagation(
  { mountPropagation: value }: core.VolumeMount,
  container: core.Container | core.EphemeralContainer,
  path: string,
): FieldError[] {
  const field = `${path}.mountPropagation`
  if (value === undefined) return []
  if (!PROPAGATIONS.includes(value)) return [notSupported(field, value, PROPAGATIONS)]
  return value === 'Bidirectional' && !container.securityContext?.privileged
    ? [forbidden(field, 'Bidirectional mount propagation is available only to privileged containers')]
    : []
}

const validateVolumeName = (name: string, volumes: Map<string, core.Volume>, path: string): FieldError[] => {
  if (!name) return [required(`${path}.name`)]
  return volumes.has(name) ? [] : [notFound(`${path}.name`, name)]
}

function validateDevices(
  container: core.Container | core.EphemeralContainer,
  volumes: Map<string, core.Volume>,
  path: string,
): FieldError[] {
  return each(container.volumeDevices, `${path}.volumeDevices`, (device, at) => {
    const problems = validateVolumeName(device.name, volumes, at)
    const volume = volumes.get(device.name)
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      problems.push(
        invalid(
          `${at}.name`,
          device.name,
          'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
        ),
      )
    }
    if (!device.devicePath) problems.push(required(`${at}.devicePath`))
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
