import { ip, resources } from '../api/index.ts'
import type { Clock, Component, Logger, Random } from '../base/index.ts'
import type { Store } from '../store/index.ts'
import { chain } from './admission/admission.ts'
import { startAdmission } from './admission/plugins.ts'
import { type ProxyClient, startAggregation } from './aggregation/index.ts'
import { publishAuthentication, type RequestHeader } from './authn/extension.ts'
import { signingKey, verifyingKey } from './authn/keys.ts'
import { parseTokenFile } from './authn/token-file.ts'
import { TokenAuthenticator } from './authn/tokens.ts'
import { alwaysAllow, builtinAuthorizer } from './authz/builtin.ts'
import { bootstrap } from './bootstrap.ts'
import { followDefinitions } from './crd/index.ts'
import { createDiscovery } from './discovery/index.ts'
import { RequestMetrics } from './metrics.ts'
import { createOpenApi } from './openapi/index.ts'
import { Deadlines } from './pipeline/deadlines.ts'
import { expire, handle, type Pipeline } from './pipeline/handle.ts'
import { resourceHandler } from './pipeline/resources.ts'
import { resolveService } from './proxy/endpoints.ts'
import { createStrategies } from './registry/index.ts'
import { createRegistry, type Registry } from './registry/registry.ts'
import { ResourceTable } from './registry/resource-table.ts'
import { createRoutes } from './routes/index.ts'
import { openidRoutes } from './routes/openid.ts'
import { listen } from './server.ts'
import { version } from './version.ts'
import { createWebhookClient } from './webhook/client.ts'

/** Certificates and keys are PEM texts. */
export interface ApiServerOptions {
  store: Store
  /** Where to listen. */
  host: string
  /** 0 for any free one. */
  port: number
  /** Where nodes and pods reach this server. */
  advertiseAddress: string
  tls: { cert: string; key: string }
  /** Signs the client certificates that are believed; without it none is asked for. */
  clientCa?: string
  serviceAccount: { issuer: string; signingKey: string; publicKeys: string[] }
  serviceClusterIpRange: string
  serviceNodePortRange: string
  /** Lets those in that only authorization would keep out. Source: --authorization-mode=AlwaysAllow */
  allowAll?: boolean
  /** Tokens that do not end; the text of a token file. */
  tokenFile?: string
  /** Admission plugins that do not run, by name. */
  disabledAdmissionPlugins?: string[]
  /** How this server shows itself to those that it passes requests on to. */
  proxyClient?: ProxyClient
  /** What those need to know who asks them, published in a ConfigMap; the authority is the one that signed `proxyClient`. */
  requestHeader?: RequestHeader
  /** How to talk to kubelets, for logs and exec; without it those are not served. */
  kubeletClient?: { ca: string; cert: string; key: string }
  clock: Clock
  random: Random
  log: Logger
}

export interface ApiServer extends Component {
  url: string
  port: number
}

/** Milliseconds that requests under way have when the server stops. */
const GRACE = 10_000

/** The Kubernetes API on one store. Resolves when it is ready to serve. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { clock, random, log, store } = options
  const registry = registryOf(options)
  registry.strategies.restoreServices(await registry.reader.list(resources.services))
  const authorizer = options.allowAll ? alwaysAllow : builtinAuthorizer
  const webhookClient = createWebhookClient((...service) => resolveService(registry, ...service), clock)
  const admission = await startAdmission(registry, {
    webhookClient,
    authorizer,
    disabled: options.disabledAdmissionPlugins,
  })
  const definitions = await followDefinitions(registry, webhookClient)
  const aggregation = await startAggregation(registry, options.proxyClient)
  const signing = signingKey(options.serviceAccount.signingKey)
  const verifying = options.serviceAccount.publicKeys.map(verifyingKey)
  const tokenOptions = {
    issuer: options.serviceAccount.issuer,
    signing,
    verifying,
    fixed: parseTokenFile(options.tokenFile ?? ''),
  }
  const tokens = new TokenAuthenticator(tokenOptions, registry.reader, () => clock.now())
  const stopping = new AbortController()
  const metrics = new RequestMetrics()
  let ready = false
  let url = ''
  let discovery: ReturnType<typeof createDiscovery> | undefined
  const pipeline: Pipeline = {
    clock,
    random,
    log,
    tokens,
    authorizer,
    resources: registry.resources,
    route: createRoutes({
      metrics,
      further: [
        path => aggregation.route(path),
        path => discovery?.(path),
        createOpenApi({
          resources: () => registry.resources.all(),
          schemaOf: resource => registry.resources.served(resource)?.custom?.schema,
          version: version.gitVersion,
          clock,
        }),
      ],
      exact: openidRoutes(options.serviceAccount.issuer, verifying, () => url),
      live: [
        { name: 'ping', check() {} },
        { name: 'log', check() {} },
        { name: 'etcd', check: async () => void (await store.revision()) },
      ],
      ready: [
        {
          name: 'poststarthook/bootstrap-controller',
          check() {
            if (!ready) throw new Error('not finished')
          },
        },
        {
          name: 'shutdown',
          check() {
            if (stopping.signal.aborted) throw new Error('process is shutting down')
          },
        },
      ],
    }),
    resource: resourceHandler(registry, {
      tokens,
      authorizer,
      tokenOptions,
      kubeletClient: options.kubeletClient,
    }),
    metrics,
    deadlines: new Deadlines(clock, expire),
    stopping: stopping.signal,
  }
  const listener = await listen({
    ...options,
    request: (request, response, upgrade) => handle(pipeline, request, response, upgrade),
  })
  url = urlOf(options, listener.port)
  const serverAddress = `${options.advertiseAddress}:${listener.port}`
  discovery = createDiscovery({ resources: () => registry.resources.all(), remote: aggregation.remote, serverAddress })
  await bootstrap(registry, {
    advertiseAddress: options.advertiseAddress,
    port: listener.port,
    serviceAddress: ip.addressAt(ip.parseCidr(options.serviceClusterIpRange), 1),
  })
  await publishAuthentication(registry, options)
  ready = true
  aggregation.registerLocal()
  log.info({ host: options.host, port: listener.port }, 'serving')
  let stopped: Promise<void> | undefined
  async function stop() {
    await listener.close(GRACE)
    await definitions.stop()
    await aggregation.stop()
    await admission.stop()
    webhookClient.close()
  }
  return {
    url,
    port: listener.port,
    stop() {
      stopping.abort()
      stopped ??= stop()
      return stopped
    },
  }
}

function urlOf({ host, advertiseAddress }: ApiServerOptions, port: number): string {
  const shown = host === '0.0.0.0' || host === '::' ? advertiseAddress : host
  return `https://${shown.includes(':') ? `[${shown}]` : shown}:${port}`
}

function registryOf({
  store,
  clock,
  random,
  log,
  serviceClusterIpRange,
  serviceNodePortRange,
}: ApiServerOptions): Registry {
  const strategies = createStrategies({ serviceClusterIpRange, serviceNodePortRange, random })
  const parts = { store, clock, random, log, strategies, resources: new ResourceTable(), admission: chain([]) }
  return createRegistry(parts)
}
