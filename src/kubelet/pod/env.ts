import { type core, quantity } from '../../api/index.ts'
import { limitsOf, requestsOf } from './resources.ts'
import { containerNamed } from './spec.ts'

/** A container that cannot be made as it is written; the reason is shown as its waiting reason. */
export class ContainerConfigError extends Error {
  override name = 'ContainerConfigError'
  readonly reason: string

  constructor(message: string, reason = 'CreateContainerConfigError') {
    super(message)
    this.reason = reason
  }
}

/** What an environment is made from, besides the container. */
export interface EnvSources {
  configMap(name: string): Promise<core.ConfigMap | undefined>
  secret(name: string): Promise<core.Secret | undefined>
  /** Of the pod's namespace, and `kubernetes` of the namespace `default`. */
  services: core.Service[]
  podIps: string[]
  nodeIps: string[]
  nodeName: string
  /** What the node can give: the limit of a container that has none. */
  allocatable: Record<string, string>
}

/** `$(NAME)` becomes the value of NAME; `$$` is `$`; what is unknown stays as written. */
export function expand(text: string, value: (name: string) => string | undefined): string {
  return text.replace(/\$(?:\$|\(([^()]*)\))/g, (whole, name?: string) =>
    name === undefined ? '$' : (value(name) ?? whole),
  )
}

/** The place inside its volume that a mount shows; empty for the whole. Source: pkg/kubelet/kubelet_pods.go, makeMounts */
export function subPathOf({ subPath = '', subPathExpr }: core.VolumeMount, variables: Map<string, string>): string {
  const missing = new Set<string>()
  const path = subPathExpr
    ? expand(subPathExpr, name => {
        const value = variables.get(name)
        if (!value) missing.add(name)
        return value
      })
    : subPath
  if (missing.size > 0) throw new ContainerConfigError(`missing value for ${[...missing].sort().join(', ')}`)
  if (path.startsWith('/')) throw new ContainerConfigError(`error SubPath \`${path}\` must not be an absolute path`)
  if (path.split('/').includes('..'))
    throw new ContainerConfigError(`unable to provision SubPath \`${path}\`: must not contain '..'`)
  return path
}

/** The variables of a container, later ones winning. Source: pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables */
export async function environment(
  pod: core.Pod,
  container: core.Container,
  sources: EnvSources,
): Promise<Map<string, string>> {
  const services = serviceVariables(pod, sources.services)
  const result = new Map<string, string>()
  for (const from of container.envFrom ?? []) await addAll(from, sources, result)
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom
      ? await valueFrom(pod, container, variable.valueFrom, sources)
      : expand(variable.value ?? '', name => result.get(name) ?? services.get(name))
    if (value !== undefined) result.set(variable.name, value)
  }
  for (const [name, value] of services) if (!result.has(name)) result.set(name, value)
  return result
}

const inNamespace = (pod: core.Pod, name: string) => `${pod.metadata.namespace}/${name}`

async function addAll(
  { prefix = '', configMapRef, secretRef }: core.EnvFromSource,
  sources: EnvSources,
  result: Map<string, string>,
): Promise<void> {
  if (configMapRef) {
    const found = await sources.configMap(configMapRef.name ?? '')
    if (!found && !configMapRef.optional) throw missing('configmap', configMapRef.name)
    for (const [key, value] of sorted(found?.data)) result.set(prefix + key, value)
  } else if (secretRef) {
    const found = await sources.secret(secretRef.name ?? '')
    if (!found && !secretRef.optional) throw missing('secret', secretRef.name)
    for (const [key, value] of sorted(found?.data)) result.set(prefix + key, fromBase64(value))
  }
}

const sorted = (data: Record<string, string> = {}) => Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1))
const fromBase64 = (value: string) => Buffer.from(value, 'base64').toString()
const missing = (kind: string, name = '') => new ContainerConfigError(`${kind} "${name}" not found`)

async function valueFrom(
  pod: core.Pod,
  container: core.Container,
  { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef }: core.EnvVarSource,
  sources: EnvSources,
): Promise<string | undefined> {
  if (fieldRef) return podField(pod, fieldRef.fieldPath, sources)
  if (resourceFieldRef) return resourceField(pod, resourceFieldRef, container, sources.allocatable)
  if (configMapKeyRef) {
    const { name = '', key, optional } = configMapKeyRef
    const found = await sources.configMap(name)
    if (!found && !optional) throw missing('configmap', name)
    const value = found?.data?.[key]
    if (value === undefined && !optional)
      throw new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${inNamespace(pod, name)}`)
    return value
  }
  if (secretKeyRef) {
    const { name = '', key, optional } = secretKeyRef
    const found = await sources.secret(name)
    if (!found && !optional) throw missing('secret', name)
    const value = found?.data?.[key]
    if (value === undefined && !optional)
      throw new ContainerConfigError(`couldn't find key ${key} in Secret ${inNamespace(pod, name)}`)
    return value === undefined ? undefined : fromBase64(value)
  }
  return ''
}

/** The downward API. Source: https://kubernetes.io/docs/concepts/workloads/pods/downward-api/ */
export function podField(
  pod: core.Pod,
  path: string,
  { podIps, nodeIps, nodeName }: Pick<EnvSources, 'podIps' | 'nodeIps' | 'nodeName'>,
): string {
  const one = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(path)
  if (one) return pod.metadata[one[1] as 'labels' | 'annotations']?.[one[2]!] ?? ''
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name
    case 'metadata.namespace':
      return pod.metadata.namespace
    case 'metadata.uid':
      return pod.metadata.uid
    case 'metadata.labels':
      return formatMap(pod.metadata.labels)
    case 'metadata.annotations':
      return formatMap(pod.metadata.annotations)
    case 'spec.nodeName':
      return pod.spec.nodeName ?? nodeName
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? ''
    case 'status.hostIP':
      return nodeIps[0] ?? ''
    case 'status.hostIPs':
      return nodeIps.join(',')
    case 'status.podIP':
      return podIps[0] ?? ''
    case 'status.podIPs':
      return podIps.join(',')
    default:
      throw new ContainerConfigError(`unsupported fieldPath: ${path}`)
  }
}

/** One `key="value"` a line, as Go quotes. */
const formatMap = (map: Record<string, string> = {}) =>
  sorted(map)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n')

const DECIMALS = 9

export function resourceField(
  pod: core.Pod,
  { containerName, resource, divisor }: core.ResourceFieldSelector,
  own: core.Container | undefined,
  allocatable: Record<string, string>,
): string {
  const container = containerName ? containerNamed(pod, containerName) : own
  if (!container) throw new ContainerConfigError(`container ${containerName} not found`)
  const [kind, name = ''] = resource.split(/\.(.*)/s)
  const limits = limitsOf(container)
  // What has no limit may use the whole node.
  const fallback = name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' ? allocatable[name] : undefined
  const amount = (kind === 'limits' ? (limits[name] ?? fallback) : (requestsOf(container)[name] ?? limits[name])) ?? '0'
  const unit = quantity.isZero(divisor ?? '0') ? '1' : divisor!
  const scale = 10 ** DECIMALS
  if (name === 'cpu') return String(Math.ceil(quantity.milliValue(amount) / quantity.milliValue(unit)))
  return String(Math.ceil((quantity.value(amount) * scale) / (quantity.value(unit) * scale)))
}

/**
 * How Services showed themselves before DNS, and the address of the API that every client library reads.
 * Source: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
export function serviceVariables(pod: core.Pod, services: core.Service[]): Map<string, string> {
  const result = new Map<string, string>()
  for (const service of services) {
    const { name, namespace } = service.metadata
    const master = name === 'kubernetes' && namespace === 'default'
    const linked = namespace === pod.metadata.namespace && pod.spec.enableServiceLinks !== false
    const { clusterIP, ports = [] } = service.spec
    if (!(master || linked) || !clusterIP || clusterIP === 'None' || ports.length === 0) continue
    addService(result, name.toUpperCase().replaceAll('-', '_'), clusterIP, ports)
  }
  return result
}

function addService(result: Map<string, string>, name: string, ip: string, ports: core.ServicePort[]): void {
  const host = ip.includes(':') ? `[${ip}]` : ip
  result.set(`${name}_SERVICE_HOST`, ip)
  result.set(`${name}_SERVICE_PORT`, String(ports[0]!.port))
  for (const { name: portName, port } of ports)
    if (portName) result.set(`${name}_SERVICE_PORT_${portName.toUpperCase().replaceAll('-', '_')}`, String(port))
  for (const [index, { port, protocol = 'TCP' }] of ports.entries()) {
    const url = `${protocol.toLowerCase()}://${host}:${port}`
    if (index === 0) result.set(`${name}_PORT`, url)
    const prefix = `${name}_PORT_${port}_${protocol}`
    result.set(prefix, url)
    result.set(`${prefix}_PROTO`, protocol.toLowerCase())
    result.set(`${prefix}_PORT`, String(port))
    result.set(`${prefix}_ADDR`, ip)
  }
}
