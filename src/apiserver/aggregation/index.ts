import { Agent } from 'node:https'
import { type apiregistration, resources } from '../../api/index.ts'
import type { Component } from '../../base/index.ts'
import type { RemoteVersion } from '../discovery/groups.ts'
import type { RemoteOpenApi } from '../openapi/remote.ts'
import type { Handler } from '../pipeline/context.ts'
import { type Live, live } from '../registry/live.ts'
import type { Registry } from '../registry/registry.ts'
import { registerLocal } from './local.ts'
import { proxied } from './proxy.ts'
import { type ProxyClient, RemoteService } from './remote.ts'

export type { ProxyClient } from './remote.ts'

type APIService = apiregistration.APIService

/**
 * Group versions that other servers serve, by way of this one.
 * Source: https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/
 */
export interface Aggregation extends Component {
  /** What answers a path of a group version that another server serves. */
  route(path: string): Handler | undefined
  /** For discovery; a new array when it has changed, and the same one as long as it has not. */
  remote(): RemoteVersion[]
  /** What other servers say of their types; a new array when it has changed. */
  openApi(): RemoteOpenApi[]
  /** Registers what this server serves itself, now and whenever definitions add to it. Does not wait for it. */
  registerLocal(): void
}

/** Connections that are kept to each of the other servers. */
const FREE_SOCKETS = 16

export async function startAggregation(registry: Registry, client?: ProxyClient): Promise<Aggregation> {
  const services = await live(registry, resources.apiServices)
  const agent = new Agent({ keepAlive: true, maxFreeSockets: FREE_SOCKETS, timeout: 60_000 })
  const remotes = new Map<string, RemoteService>()
  let versions: RemoteVersion[] | undefined
  let documents: RemoteOpenApi[] | undefined
  const changed = () => {
    versions = undefined
    documents = undefined
  }
  const follow = () => reconcile(registry, services, remotes, { client, agent, changed })
  services.changed(follow)
  follow()
  return {
    remote() {
      versions ??= [...remotes.values()].map(versionOf)
      return versions
    },
    openApi() {
      documents ??= [...remotes.values()].map(remote => ({
        place: `apis/${remote.spec.group}/${remote.spec.version}`,
        ...remote.openApi,
        handler: proxied(registry, remote, { client, agent }),
      }))
      return documents
    },
    route(path) {
      if (!remotes.size) return undefined
      const [, root, group, version] = path.split('/', 4)
      const remote = root === 'apis' ? remotes.get(`${version}.${group}`) : undefined
      return remote && proxied(registry, remote, { client, agent })
    },
    registerLocal() {
      const register = serialized(() => registerLocal(registry, services), registry)
      registry.resources.changed(register)
      register()
    },
    async stop() {
      await services.stop()
      for (const remote of remotes.values()) remote.stop()
      agent.destroy()
    },
  }
}

/** One RemoteService for each APIService that names a Service; a new one when what it names has changed. */
function reconcile(
  registry: Registry,
  services: Live<APIService>,
  remotes: Map<string, RemoteService>,
  options: ConstructorParameters<typeof RemoteService>[2],
): void {
  const wanted = new Map(services.objects.filter(({ spec }) => spec.service).map(each => [each.metadata.name, each]))
  for (const [name, remote] of remotes) {
    const spec = wanted.get(name)?.spec
    if (spec && JSON.stringify(spec) === JSON.stringify(remote.spec)) continue
    remote.stop()
    remotes.delete(name)
    options.changed()
  }
  for (const [name, service] of wanted) {
    if (remotes.has(name)) continue
    const remote = new RemoteService(registry, service, options)
    remotes.set(name, remote)
    options.changed()
    remote.start().catch(error => registry.log.warn({ error, apiService: name }, 'could not follow'))
  }
}

const versionOf = ({ spec, served, available }: RemoteService): RemoteVersion => ({
  group: spec.group ?? '',
  version: spec.version ?? '',
  resources: served,
  stale: !available,
})

/** Runs `work` at every call, but never twice at once: one more time when it was called meanwhile. */
function serialized(work: () => Promise<void>, { log }: Registry): () => void {
  let running = false
  let again = false
  return async function run() {
    again = true
    if (running) return
    running = true
    while (again) {
      again = false
      await work().catch(error => log.warn({ error }, 'could not register what is served'))
    }
    running = false
  }
}
