import { type core, errors, resources } from '../../api/index.ts'
import type { Context } from '../pipeline/context.ts'
import type { Registry } from '../registry/registry.ts'
import type { Verb } from '../registry/verbs.ts'
import { type Address, readyEndpoints } from './endpoints.ts'
import { forward, forwardUpgrade, type Target } from './forward.ts'
import { type KubeletClient, kubelet } from './kubelet.ts'

/** `[scheme:]name[:port]`, as proxy paths name what they mean. */
function splitName(name: string): { scheme: 'http' | 'https'; name: string; port: string } {
  const parts = name.split(':')
  if (parts.length === 1) return { scheme: 'http', name, port: '' }
  if (parts.length === 2) return { scheme: 'http', name: parts[0]!, port: parts[1]! }
  const [scheme, own, port] = parts
  if (parts.length > 3 || (scheme !== 'http' && scheme !== 'https' && scheme !== ''))
    throw errors.badRequest(`invalid service request ${JSON.stringify(name)}`)
  return { scheme: scheme === 'https' ? 'https' : 'http', name: own!, port: port! }
}

/** What follows `/proxy` in the path, with the query. */
function restOf({ info, request }: Context): string {
  const url = request.url ?? ''
  const mark = url.indexOf('?')
  const rest = `/${info.parts.slice(3).join('/')}${info.path.endsWith('/') && info.parts.length > 3 ? '/' : ''}`
  return rest + (mark === -1 ? '' : url.slice(mark))
}

const send = (context: Context, target: Target) =>
  context.upgrade ? forwardUpgrade(context, target) : forward(context, target)

/** Any path of a node's kubelet. */
export const nodeProxy =
  (client: KubeletClient | undefined): Verb =>
  async (registry, call, context) => {
    const { name, port } = splitName(call.name)
    const target = await kubelet(registry, name, client, restOf(context))
    return send(context, port ? { ...target, port: Number(port) } : target)
  }

/** Any path of a pod's own server. */
export const podProxy: Verb = async (registry, call, context) => {
  const { scheme, name, port } = splitName(call.name)
  const pod = await registry.reader.read(resources.pods, call.namespace, name)
  if (!pod) throw errors.notFound(resources.pods, name)
  const host = pod.status.podIP
  if (!host) throw errors.badRequest(`address not allowed`)
  const ports = pod.spec.containers.flatMap(container => container.ports ?? [])
  const named = port ? ports.find(each => each.name === port)?.containerPort : ports[0]?.containerPort
  const number = named ?? (port ? Number(port) : scheme === 'https' ? 443 : 80)
  return send(context, { scheme, host, port: number, path: restOf(context), ...insecure(scheme) })
}

/** Nobody can know the authorities of the servers in pods. */
const insecure = (scheme: string) => (scheme === 'https' ? { tls: { rejectUnauthorized: false } } : {})

/** Any path of a Service, at one of its ready endpoints. */
export const serviceProxy: Verb = async (registry, call, context) => {
  const { scheme, name, port } = splitName(call.name)
  const service = await registry.reader.read(resources.services, call.namespace, name)
  if (!service) throw errors.notFound(resources.services, name)
  const backend = await backendOf(registry, service, port)
  if (!backend) throw errors.serviceUnavailable(`no endpoints available for service ${JSON.stringify(call.name)}`)
  return send(context, { scheme, ...backend, path: restOf(context), ...insecure(scheme) })
}

async function backendOf(registry: Registry, service: core.Service, port: string): Promise<Address | undefined> {
  const ports = service.spec.ports ?? []
  const wanted = port ? ports.find(each => each.name === port || String(each.port) === port) : ports[0]
  if (!wanted)
    throw errors.serviceUnavailable(
      `no service port ${JSON.stringify(port)} found for service ${JSON.stringify(service.metadata.name)}`,
    )
  const backends = await readyEndpoints(registry, service, wanted.name ?? '')
  return backends[Math.floor(registry.random.next() * backends.length)]
}
