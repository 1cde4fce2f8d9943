import { ip, type Resource, resources } from '../api/index.ts'
import type { Clock, Component, Logger, Random } from '../base/index.ts'
import type { Store } from '../store/index.ts'
import { chain } from './admission/admission.ts'
import type { TolerationSeconds } from './admission/default-toleration-seconds.ts'
import { startAdmission } from './admission/plugins.ts'
import { type ProxyClient, startAggregation } from './aggregation/index.ts'
import type { AuditOptions } from './audit/index.ts'
import { bootstrapTokens } from './authn/bootstrap-tokens.ts'
import { publishAuthentication, type RequestHeader } from './authn/extension.ts'
import { signingKey, verifyingKey } from './authn/keys.ts'
import type { OidcOptions } from './authn/oidc.ts'
import { frontProxy } from './authn/request-header.ts'
import { parseTokenFile } from './authn/token-file.ts'
import type { TokenWebhookOptions } from './authn/token-webhook.ts'
import { anyToken, TokenAuthenticator, type TokenJudge, type TokenOptions } from './authn/tokens.ts'
import { certificatesOf } from './authn/x509.ts'
import { type AuthorizerConfig, startAuthorization, USUAL_AUTHORIZERS } from './authz/modes.ts'
import { ensurePolicy } from './authz/policy/index.ts'
import { bootstrap } from './bootstrap.ts'
import { followDefinitions } from './crd/index.ts'
import { createDiscovery, type Discovery } from './discovery/index.ts'
import { ensureFlowControl } from './flow-control.ts'
import { RequestMetrics, storedObjects } from './metrics.ts'
import { createOpenApi } from './openapi/index.ts'
import { authentication } from './pipeline/authenticate.ts'
import { type BrowserOptions, browserHeaders } from './pipeline/browsers.ts'
import { Deadlines } from './pipeline/deadlines.ts'
import { expire, handle, type Pipeline } from './pipeline/handle.ts'
import { InFlight, LIMITS, type Limits } from './pipeline/in-flight.ts'
import { resourceHandler } from './pipeline/resources.ts'
import { resolveService } from './proxy/endpoints.ts'
import { createStrategies } from './registry/index.ts'
import { createRegistry, type Registry } from './registry/registry.ts'
import { ResourceTable } from './registry/resource-table.ts'
import { startHooks } from './routes/hooks.ts'
import { createRoutes } from './routes/index.ts'
import { openidRoutes } from './routes/openid.ts'
import { type Http2Options, listen, type ServingTls } from './server.ts'
import { version } from './version.ts'
import { createWebhookClient } from './webhook/client.ts'

export { isAdmissionPlugin } from './admission/order.ts'
export type { AuditOptions, Delivery } from './audit/index.ts'
export type { AuthorizerConfig } from './authz/modes.ts'
export type { WebhookConfig } from './authz/webhook.ts'
export type { Http2Options, ServingTls } from './server.ts'
export { version } from './version.ts'
export type { Connection } from './webhook/post.ts'

/** Certificates and keys are PEM texts. */
export interface ApiServerOptions {
  store: Store
  /** Where to listen. */
  host: string
  /** 0 for any free one. */
  port: number
  /** Where nodes and pods reach this server. */
  advertiseAddress: string
  tls: ServingTls
  http2?: Http2Options
  /** Signs the client certificates that are believed; without it none is asked for. */
  clientCa?: string
  serviceAccount: ServiceAccountOptions
  serviceClusterIpRange: string
  serviceNodePortRange: string
  /** Who decides what somebody may do, in this order. Default: Node, RBAC */
  authorizers?: AuthorizerConfig[]
  /** Whether the tokens that nodes join by are believed. Source: --enable-bootstrap-token-auth */
  bootstrapTokens?: boolean
  /** Whether one may ask for a path and not say who one is; by default one may. Source: --anonymous-auth */
  anonymous?: (path: string) => boolean
  /** Milliseconds that a request may take that is to end. Source: --request-timeout */
  requestTimeout?: number
  limits?: Limits
  /** Seconds that a watch lasts at least that does not say so. Source: --min-request-timeout */
  shortestWatch?: number
  /** Seconds that events are kept. Source: --event-ttl */
  eventTtl?: number
  /** Whether a built-in resource is served; by default all are. Source: --runtime-config */
  serves?: (resource: Resource) => boolean
  tolerationSeconds?: TolerationSeconds
  /** What answers say to browsers. */
  browsers?: BrowserOptions
  /** How this server is called in addresses that it tells. Source: --external-hostname */
  externalHost?: string
  /** Whether this server is an endpoint of the Service kubernetes; by default it is. */
  endpoints?: boolean
  /** Milliseconds that it serves on when it is told to stop, while it says that it will. Source: --shutdown-delay-duration */
  shutdownDelay?: number
  /** Another issuer whose tokens are believed. */
  oidc?: OidcOptions
  /** A service that is shown the tokens that nobody here believes. */
  tokenWebhook?: TokenWebhookOptions
  audit?: AuditOptions
  /** Tokens that do not end; the text of a token file. */
  tokenFile?: string
  /** Admission plugins that do not run, and those that run besides the usual, by name. */
  disabledAdmissionPlugins?: string[]
  enabledAdmissionPlugins?: string[]
  /** What the administrator has written for them, by their names. */
  admissionConfigurations?: Record<string, unknown>
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

/** PEM texts; the rest is as in TokenOptions. */
export interface ServiceAccountOptions
  extends Pick<TokenOptions, 'issuer' | 'furtherIssuers' | 'audiences' | 'lookup' | 'extend' | 'longest'> {
  signingKey: string
  publicKeys: string[]
  /** Where the keys are said to be. */
  jwksUri?: string
}

export interface ApiServer extends Component {
  url: string
  port: number
}

/** Milliseconds that requests under way have when the server stops. */
const GRACE = 10_000
const REQUEST_TIMEOUT = 60_000

/** The Kubernetes API on one store. Resolves when it is ready to serve. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { clock, random, log, store } = options
  const registry = registryOf(options)
  registry.strategies.restoreServices(await registry.reader.list(resources.services))
  const { authorizers = USUAL_AUTHORIZERS } = options
  const authorization = await startAuthorization(registry, authorizers)
  const { authorizer, grants } = authorization
  const webhookClient = createWebhookClient((...service) => resolveService(registry, ...service), clock)
  const admission = await startAdmission(registry, {
    webhookClient,
    authorizer,
    grants,
    disabled: options.disabledAdmissionPlugins,
    enabled: options.enabledAdmissionPlugins,
    configurations: options.admissionConfigurations,
    tolerationSeconds: options.tolerationSeconds,
  })
  const definitions = await followDefinitions(registry, webhookClient)
  const aggregation = await startAggregation(registry, options.proxyClient)
  const signing = signingKey(options.serviceAccount.signingKey)
  const verifying = options.serviceAccount.publicKeys.map(verifyingKey)
  const tokenOptions = {
    ...options.serviceAccount,
    signing,
    verifying,
    fixed: parseTokenFile(options.tokenFile ?? ''),
  }
  const tokens = anyToken([
    new TokenAuthenticator(tokenOptions, registry.reader, () => clock.now()),
    ...(options.bootstrapTokens ? [bootstrapTokens(registry.reader, () => clock.now())] : []),
    ...(await tokensOf(options, registry)),
  ])
  const auditor = options.audit && (await audited(options.audit, registry))
  /** Aborts when the server is told to stop, and when it takes no more requests. */
  const stopping = new AbortController()
  const served = new AbortController()
  const metrics = new RequestMetrics(
    [admission.metrics, storedObjects(store, resource => registry.served(resource).prefix)],
    Math.floor(clock.now() / 1000),
  )
  const hooks = startHooks()
  hooks.reached('following')
  let url = ''
  let discovery: Discovery | undefined
  const pipeline: Pipeline = {
    clock,
    random,
    log,
    authenticate: authentication({
      tokens,
      // Whoever says nothing of himself must not be allowed everything.
      anonymous: authorizers.some(({ type }) => type === 'AlwaysAllow')
        ? () => false
        : (options.anonymous ?? (() => true)),
      ...proxyTrust(options),
    }),
    authorizer,
    resources: registry.resources,
    elsewhere: path => aggregation.route(path),
    route: createRoutes({
      metrics,
      paths: () => [...(discovery?.paths() ?? []), '/openapi/v2', '/openapi/v3', '/openapi/v3/'],
      further: [
        path => discovery?.(path),
        createOpenApi({
          resources: () => registry.resources.all(),
          schemaOf: resource => registry.resources.served(resource)?.custom?.schema,
          remote: aggregation.openApi,
          version: version.gitVersion,
          clock,
        }),
      ],
      exact: openidRoutes(options.serviceAccount, verifying, () => url),
      live: [
        { name: 'ping', check() {} },
        { name: 'log', check() {} },
        { name: 'loopback-serving-certificate', check() {} },
        { name: 'etcd', check: async () => void (await store.revision()) },
      ],
      ready: [
        { name: 'etcd-readiness', check: async () => void (await store.revision()) },
        { name: 'informer-sync', check() {} },
        ...hooks.checks,
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
    timeout: options.requestTimeout ?? REQUEST_TIMEOUT,
    inFlight: new InFlight(options.limits ?? LIMITS, clock),
    ...(auditor ? { audit: auditor } : {}),
    ...(options.browsers ? { furtherHeaders: browserHeaders(options.browsers) } : {}),
    stopping: served.signal,
  }
  const listener = await listen({
    ...options,
    clientCa: [options.clientCa, options.requestHeader?.ca].filter(Boolean).join('\n') || undefined,
    request: (request, response, upgrade) => handle(pipeline, request, response, upgrade),
  })
  url = urlOf(options, listener.port)
  const serverAddress = `${options.externalHost ?? options.advertiseAddress}:${listener.port}`
  discovery = createDiscovery({ resources: () => registry.resources.all(), remote: aggregation.remote, serverAddress })
  await Promise.all([
    bootstrap(registry, {
      advertiseAddress: options.advertiseAddress,
      port: listener.port,
      serviceAddress: ip.addressAt(ip.parseCidr(options.serviceClusterIpRange), 1),
      serviceRange: options.serviceClusterIpRange,
      endpoints: options.endpoints,
    }).then(() => publishAuthentication(registry, options)),
    authorizers.some(({ type }) => type === 'RBAC') && ensurePolicy(registry),
    ensureFlowControl(registry),
  ])
  hooks.reached('bootstrapped')
  aggregation.registerLocal()
  log.info({ host: options.host, port: listener.port }, 'serving')
  let stopped: Promise<void> | undefined
  async function stop() {
    if (options.shutdownDelay) await clock.sleep(options.shutdownDelay)
    served.abort()
    await listener.close(GRACE)
    await definitions.stop()
    await aggregation.stop()
    await admission.stop()
    await authorization.stop()
    webhookClient.close()
    await auditor?.stop()
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

/** Whom to believe that a client is somebody else, and whom no more than who he is himself. */
function proxyTrust({ requestHeader, clientCa }: ApiServerOptions) {
  if (!requestHeader) return {}
  return { frontProxy: frontProxy(requestHeader), authorities: certificatesOf(clientCa ?? '') }
}

/** Most servers note nothing, and then nothing is loaded for it. */
async function audited(options: AuditOptions, registry: Registry) {
  const { startAudit } = await import('./audit/index.ts')
  return startAudit(options, registry)
}

async function tokensOf({ tokenWebhook: webhook, oidc, serviceAccount }: ApiServerOptions, registry: Registry) {
  const judges: TokenJudge[] = []
  if (oidc) judges.push((await import('./authn/oidc.ts')).oidcTokens(oidc, registry))
  if (webhook) {
    const { tokenWebhook } = await import('./authn/token-webhook.ts')
    judges.push(tokenWebhook(webhook, serviceAccount.audiences ?? [serviceAccount.issuer], registry))
  }
  return judges
}

function urlOf({ host, advertiseAddress, externalHost }: ApiServerOptions, port: number): string {
  const shown = externalHost ?? (host === '0.0.0.0' || host === '::' ? advertiseAddress : host)
  return `https://${shown.includes(':') ? `[${shown}]` : shown}:${port}`
}

function registryOf({
  store,
  clock,
  random,
  log,
  serviceClusterIpRange,
  serviceNodePortRange,
  serves,
  eventTtl,
  shortestWatch,
}: ApiServerOptions): Registry {
  const strategies = createStrategies({ serviceClusterIpRange, serviceNodePortRange, eventTtl, random })
  const parts = {
    store,
    clock,
    random,
    log,
    strategies,
    resources: new ResourceTable(serves),
    admission: chain([]),
    ...(shortestWatch === undefined ? {} : { shortestWatch }),
  }
  return createRegistry(parts)
}
