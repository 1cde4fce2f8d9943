import type { Agent } from 'node:https'
import { StatusError } from '../../api/index.ts'
import type { Context, Handler, User } from '../pipeline/context.ts'
import { text } from '../pipeline/respond.ts'
import { resolveService } from '../proxy/endpoints.ts'
import { forward, forwardUpgrade, type Target } from '../proxy/forward.ts'
import type { Registry } from '../registry/registry.ts'
import type { ProxyClient, RemoteService } from './remote.ts'

const unavailable = (message = 'service unavailable') => text(503, `${message}\n`)

/** Passes a request on to the server of its group version, which believes what this one says of the user. */
export function proxied(
  registry: Registry,
  { available, spec }: RemoteService,
  { client, agent }: { client?: ProxyClient; agent: Agent },
): Handler {
  const { name = '', namespace = '', port } = spec.service!
  return async context => {
    if (!available) return unavailable()
    const address = await resolveService(registry, namespace, name, port).catch(() => undefined)
    if (!address) return unavailable()
    const target: Target = {
      scheme: 'https',
      ...address,
      path: context.request.url ?? '/',
      headers: remoteHeaders(context),
      agent,
      tls: {
        ...client,
        servername: `${name}.${namespace}.svc`,
        rejectUnauthorized: !spec.insecureSkipTLSVerify,
        ...(spec.caBundle ? { ca: Buffer.from(spec.caBundle, 'base64').toString() } : {}),
      },
    }
    try {
      return await (context.upgrade ? forwardUpgrade(context, target) : forward(context, target))
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      registry.log.warn({ error, apiService: `${spec.version}.${spec.group}` }, 'could not pass on')
      return unavailable(error.message)
    }
  }
}

/** Who asks, in the headers of the front proxy; whatever the client has sent under their names is dropped. */
function remoteHeaders({ request, user }: Context): Record<string, string | string[] | undefined> {
  const headers: Record<string, string | string[] | undefined> = {}
  for (const name of Object.keys(request.headers)) if (name.startsWith('x-remote-')) headers[name] = undefined
  return { ...headers, ...identity(user) }
}

/** Source: k8s.io/client-go/transport SetAuthProxyHeaders */
function identity({ name, uid, groups, extra }: User): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { 'x-remote-user': name, 'x-remote-group': groups }
  if (uid) headers['x-remote-uid'] = uid
  for (const [key, values] of Object.entries(extra ?? {}))
    headers[`x-remote-extra-${encodeURIComponent(key.toLowerCase())}`] = values
  return headers
}
