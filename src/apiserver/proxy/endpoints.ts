import { type core, type discovery, resources, SERVICE_NAME } from '../../api/index.ts'
import type { Bytes } from '../../store/index.ts'
import { memoized } from '../memo.ts'
import type { Registry } from '../registry/registry.ts'
import { decodeEntry } from '../registry/served.ts'

/** Where something listens. */
export interface Address {
  host: string
  port: number
}

const HTTPS = 443

/** Remembered beside the bytes, since webhooks and proxies ask for the same few at every request. */
const decoded = new WeakMap<Bytes, discovery.EndpointSlice>()

/** The endpoint slices of a Service. */
export async function slicesOf(
  { store, served }: Pick<Registry, 'store' | 'served'>,
  namespace: string,
  service: string,
): Promise<discovery.EndpointSlice[]> {
  const { entries } = await store.list(`${served(resources.endpointSlices).prefix}${namespace}/`)
  return entries
    .map(entry => memoized(decoded, entry.value, () => decodeEntry<discovery.EndpointSlice>(entry)))
    .filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === service)
}

/** The ready endpoints of one port of a Service. */
export async function readyEndpoints(
  registry: Pick<Registry, 'store' | 'served'>,
  { metadata: { name, namespace } }: core.Service,
  portName: string,
): Promise<Address[]> {
  const slices = await slicesOf(registry, namespace!, name)
  return slices.flatMap(slice => readyAddresses(slice, portName))
}

function readyAddresses({ endpoints, ports }: discovery.EndpointSlice, portName: string): Address[] {
  const port = ports?.find(({ name }) => (name ?? '') === portName)?.port
  if (!port) return []
  return (endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses }) => addresses.map(host => ({ host, port })))
}

/**
 * One of the places where a Service's port is served now. Goes to the endpoints rather than to the cluster's address, so
 * that it works on a machine without a service proxy. Rejects in upstream's words.
 * Source: k8s.io/kube-aggregator/pkg/apiserver/resolvers.go, k8s.io/apiserver/pkg/util/proxy ResolveEndpoint
 */
export async function resolveService(
  registry: Pick<Registry, 'store' | 'served' | 'reader' | 'random'>,
  namespace: string,
  name: string,
  port = HTTPS,
): Promise<Address> {
  const service = await registry.reader.read(resources.services, namespace, name)
  if (!service) throw new Error(`service ${JSON.stringify(name)} not found`)
  if (service.spec.type === 'ExternalName') return { host: service.spec.externalName ?? '', port }
  const wanted = service.spec.ports?.find(each => each.port === port)
  if (!wanted) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`)
  const ready = await readyEndpoints(registry, service, wanted.name ?? '')
  const chosen = ready[Math.floor(registry.random.next() * ready.length)]
  if (!chosen) throw new Error(`no endpoints available for service ${JSON.stringify(name)}`)
  return chosen
}
