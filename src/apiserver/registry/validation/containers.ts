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
  tooMany,
} from './field.ts'
import { validateDevices, validateMounts } from './mounts.ts'
import { validateProbes } from './probes.ts'
import { validateResources } from './resources.ts'
import { validateSecurityContext } from './security.ts'

/** What a container is checked against. */
interface Surroundings {
  volumes: Map<string, core.Volume>
  spec: core.PodSpec
}

export const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError']
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure']

type AnyContainer = core.Container | core.EphemeralContainer

/** All containers of a pod, with the volumes that are as they should be. Source: k8s.io/kubernetes/pkg/apis/core/validation validateContainers */
export function validateContainers(spec: core.PodSpec, path: string, volumes: Map<string, core.Volume>): FieldError[] {
  const around: Surroundings = { volumes, spec }
  const problems = spec.containers?.length ? [] : [required(`${path}.containers`)]
  const own = new Set<string>()
  const taken = new Set(spec.containers?.map(({ name }) => name))
  const others = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name)
  return [
    ...problems,
    ...each(spec.containers, `${path}.containers`, (container, at) => [
      ...validateCommon(container, at, around),
      ...validateNameOnce(container, at, own),
      ...validateProbes(container, at, spec),
      ...validateRestartRules(container, at, false),
    ]),
    ...validateHostPorts(spec.containers, `${path}.containers`),
    ...each(spec.initContainers, `${path}.initContainers`, (container, at) => [
      ...validateCommon(container, at, around),
      ...validateRestartRules(container, at, true),
      ...validateNameOnce(container, at, taken),
      // These run one after another, so that each may have the ports of the one before it.
      ...validateHostPorts([container], `${path}.initContainers`),
      ...validateInit(container, at, spec),
    ]),
    ...each(spec.ephemeralContainers, `${path}.ephemeralContainers`, (container, at) => [
      ...validateCommon(container, at, around),
      ...validateImageSpace(container, at),
      ...validateNameOnce(container, at, taken),
      ...validateEphemeral(container, others, at),
    ]),
  ]
}

/** A name is taken once among all three kinds of containers. */
function validateNameOnce({ name }: AnyContainer, path: string, seen: Set<string>): FieldError[] {
  if (seen.has(name)) return [duplicate(`${path}.name`, name)]
  if (name) seen.add(name)
  return []
}

export const validateImageSpace = ({ image = '' }: AnyContainer, path: string): FieldError[] =>
  image === image.trim() ? [] : [invalid(`${path}.image`, image, 'must not have leading or trailing whitespace')]

function validateInit(container: core.Container, path: string, spec: core.PodSpec): FieldError[] {
  if (isSidecar(container)) return validateProbes(container, path, spec)
  const misplaced = (['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const).filter(
    field => container[field],
  )
  return [
    ...misplaced.map(field =>
      forbidden(`${path}.${field}`, 'may not be set for init containers without restartPolicy=Always'),
    ),
    ...each(container.resizePolicy, `${path}.resizePolicy`, ({ restartPolicy }, at) =>
      restartPolicy === 'RestartContainer'
        ? [
            invalid(
              `${at}.restartPolicy`,
              restartPolicy,
              "must not be set to 'RestartContainer' for non-sidecar initContainers",
            ),
          ]
        : [],
    ),
  ]
}

const NOT_EPHEMERAL = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const
const EPHEMERAL_DETAIL = 'cannot be set for an Ephemeral Container'

function validateEphemeral(container: core.EphemeralContainer, others: string[], path: string): FieldError[] {
  const target = container.targetContainerName
  const given = NOT_EPHEMERAL.filter(field => {
    const value = container[field]
    return value !== undefined && (field !== 'resources' || Object.keys(value).length > 0)
  })
  return [
    ...(target && !others.includes(target) ? [notFound(`${path}.targetContainerName`, target)] : []),
    ...given.map(field => forbidden(`${path}.${field}`, EPHEMERAL_DETAIL)),
    ...each(container.volumeMounts, `${path}.volumeMounts`, (mount, at) =>
      (['subPath', 'subPathExpr'] as const)
        .filter(field => mount[field])
        .map(field => forbidden(`${at}.${field}`, EPHEMERAL_DETAIL)),
    ),
  ]
}

function validateCommon(container: AnyContainer, path: string, { volumes, spec }: Surroundings): FieldError[] {
  const { name, image } = container
  return [
    ...(name ? complaints(`${path}.name`, name, names.dns1123LabelProblems(name)) : [required(`${path}.name`)]),
    ...(image ? [] : [required(`${path}.image`)]),
    ...oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, MESSAGE_POLICIES),
    ...validatePorts(container.ports, `${path}.ports`),
    ...validateEnv(container.env, `${path}.env`),
    ...validateEnvFrom(container.envFrom, `${path}.envFrom`),
    ...validateMounts(container, volumes, path),
    ...validateDevices(container, volumes, path),
    ...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, PULL_POLICIES),
    ...validateResources(container.resources ?? {}, `${path}.resources`, spec.resourceClaims),
    ...validateResizePolicy(container.resizePolicy, `${path}.resizePolicy`, spec.restartPolicy),
    ...validateSecurityContext(container.securityContext, `${path}.securityContext`, spec.hostUsers ?? true),
  ]
}

const RESIZABLE = ['cpu', 'memory']
const RESIZE_POLICIES = ['NotRequired', 'RestartContainer']

/** Upstream names the list, not the item, in all of these but the first. */
const validateResizePolicy = (
  policies: core.ContainerResizePolicy[] | undefined,
  path: string,
  restart: string | undefined,
): FieldError[] => {
  const seen = new Set<string>()
  return each(policies, path, ({ resourceName, restartPolicy }, at) => {
    const problems = seen.has(resourceName) ? [duplicate(at, resourceName)] : []
    seen.add(resourceName)
    problems.push(...oneOf(path, resourceName, RESIZABLE), ...oneOf(path, restartPolicy, RESIZE_POLICIES))
    if (restart === 'Never' && restartPolicy !== 'NotRequired') {
      problems.push(invalid(path, restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
    }
    return problems
  })
}

const MOST_RULES = 20
const MOST_EXIT_CODES = 255

/** Source: KEP-5307 */
function validateRestartRules(
  { restartPolicy, restartPolicyRules: rules }: core.Container,
  path: string,
  isInit: boolean,
): FieldError[] {
  const field = `${path}.restartPolicy`
  const problems = optionalOneOf(field, restartPolicy, RESTART_POLICIES)
  if (restartPolicy === undefined) {
    if (!rules?.length) return []
    problems.push(required(field, 'must specify restartPolicy when restart rules are used'))
    if (isInit) return problems
  } else if (restartPolicy === '') problems.push(notSupported(field, '', RESTART_POLICIES))
  const list = `${path}.restartPolicyRules`
  if (rules && rules.length > MOST_RULES) problems.push(tooMany(list, rules.length, MOST_RULES))
  return [...problems, ...each(rules, list, validateRestartRule)]
}

function validateRestartRule({ action = '', exitCodes }: core.ContainerRestartRule, path: string): FieldError[] {
  const actions = ['Restart', 'RestartAllContainers']
  const problems = actions.includes(action) ? [] : [notSupported(`${path}.action`, action, actions)]
  const field = `${path}.exitCodes`
  if (!exitCodes) return [...problems, required(field, 'must be specified')]
  const { operator = '', values = [] } = exitCodes
  if (operator !== 'In' && operator !== 'NotIn') {
    problems.push(notSupported(`${field}.operator`, operator, ['In', 'NotIn']))
  }
  return values.length > MOST_EXIT_CODES
    ? [...problems, tooMany(`${field}.values`, values.length, MOST_EXIT_CODES)]
    : problems
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
