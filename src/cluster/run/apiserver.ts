import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApiServer } from '../../apiserver/index.ts'
import type { Logger } from '../../base/index.ts'
import { openLmdb } from '../../store/index.ts'
import { addressIn, hostAddress } from '../settings.ts'
import type { ApiServerFlags } from './apiserver-flags.ts'
import { auditOf, auditProblems } from './audit.ts'
import { authenticationProblems, oidcOf, requestHeader, serviceAccount, tokenWebhook } from './authentication.ts'
import { authorizersOf } from './authorization.ts'
import { MISSING_PLUGINS, pluginConfigurations, pluginProblems } from './plugins.ts'
import { type Part, readPem, runAsProcess } from './process.ts'
import { servesOf } from './runtime-config.ts'
import { browsersOf, checkTls, http2Of, servingPair, servingProblems, tlsOf, WILDCARDS } from './serving.ts'

export type { ApiServerFlags } from './apiserver-flags.ts'

export const apiServer = (flags: ApiServerFlags): Part => ({
  name: 'apiserver',
  async start(context) {
    check(flags)
    warn(flags, context.log)
    const serves = servesOf(flags.runtimeConfig)
    const authorizers = await authorizersOf(flags)
    const audit = await auditOf(flags)
    const advertiseAddress = advertised(flags)
    const serviceClusterIpRange = flags.serviceClusterIpRange.split(',', 1)[0]!
    const pair = await servingPair(flags, [advertiseAddress, addressIn(serviceClusterIpRange, 1)], context.clock)
    const data = dataDirectory(flags)
    const store = await openLmdb({ path: data.path, ...context })
    const anyone = authorizers.every(({ type }) => type !== 'AlwaysAllow') && flags.anonymousAuth !== false
    const server = await startApiServer({
      store,
      host: flags.bindAddress,
      port: flags.securePort,
      advertiseAddress,
      externalHost: flags.externalHostname,
      endpoints: flags.endpointReconcilerType !== 'none',
      tls: tlsOf(pair, flags),
      http2: http2Of(flags),
      browsers: browsersOf(flags),
      clientCa: flags.clientCaFile && readPem(flags.clientCaFile),
      anonymous: () => anyone,
      bootstrapTokens: flags.enableBootstrapTokenAuth,
      tokenFile: flags.tokenAuthFile && readPem(flags.tokenAuthFile),
      oidc: oidcOf(flags),
      tokenWebhook: await tokenWebhook(flags),
      authorizers,
      audit,
      serves,
      limits: {
        reading: flags.maxRequestsInflight ?? 400,
        writing: flags.maxMutatingRequestsInflight ?? 200,
        fair: flags.enablePriorityAndFairness ?? true,
      },
      requestTimeout: flags.requestTimeout,
      shortestWatch: flags.minRequestTimeout,
      eventTtl: flags.eventTtl === undefined ? undefined : flags.eventTtl / 1000,
      shutdownDelay: flags.shutdownDelayDuration,
      disabledAdmissionPlugins: flags.disableAdmissionPlugins,
      enabledAdmissionPlugins: flags.enableAdmissionPlugins,
      admissionConfigurations: await pluginConfigurations(flags),
      tolerationSeconds: {
        notReady: flags.defaultNotReadyTolerationSeconds ?? 300,
        unreachable: flags.defaultUnreachableTolerationSeconds ?? 300,
      },
      serviceAccount: serviceAccount(flags, pair),
      serviceClusterIpRange,
      serviceNodePortRange: flags.serviceNodePortRange.replace('+', '-'),
      kubeletClient: kubeletClient(flags),
      proxyClient: proxyClient(flags),
      requestHeader: requestHeader(flags),
      ...context,
    })
    return {
      async stop() {
        await server.stop()
        await store.close()
        data.remove()
      },
    }
  },
})

export const runApiServer = (flags: ApiServerFlags) => runAsProcess(apiServer(flags))

/** Throws in upstream's words what is wrong with flags, and with how they go together. */
function check(flags: ApiServerFlags): void {
  const problems = [
    ...servingProblems(flags),
    ...(Number(flags.shutdownDelayDuration) < 0 ? ['--shutdown-delay-duration can not be negative value'] : []),
    ...(Number(flags.livezGracePeriod) < 0 ? ['--livez-grace-period can not be a negative value'] : []),
    ...auditProblems(flags),
    ...authenticationProblems(flags),
    ...pluginProblems(flags),
    ...(['text', 'json', undefined].includes(flags.loggingFormat)
      ? []
      : [`format: Invalid value: ${JSON.stringify(flags.loggingFormat)}: Unsupported log format`]),
    ...flags.serviceClusterIpRange
      .split(',')
      .flatMap((range, index) =>
        /^[\da-f.:]+\/\d+$/i.test(range) ? [] : [`service-cluster-ip-range[${index}] is not a valid cidr`],
      ),
  ]
  if (problems.length) throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`)
  checkTls(flags)
}

/** Says what of upstream's is asked for and not done. */
function warn(flags: ApiServerFlags, log: Logger): void {
  for (const flag of flags.withoutEffect ?? []) log.warn({ flag }, 'flag has no effect')
  for (const plugin of flags.enableAdmissionPlugins ?? [])
    if (MISSING_PLUGINS.includes(plugin)) log.warn({ plugin }, 'admission plugin is not there')
  if (flags.etcdServers)
    log.warn(
      { etcdServers: flags.etcdServers, dataDir: flags.dataDir },
      'etcd is not spoken to: the embedded store in --data-dir is used, or one that goes with this process',
    )
  if (flags.authorizationConfig === undefined && (flags.authorizationMode ?? ['AlwaysAllow']).includes('AlwaysAllow'))
    log.warn(
      {},
      'AnonymousAuth is not allowed with the AlwaysAllow authorizer. Resetting AnonymousAuth to false. You should use a different authorizer',
    )
  if (flags.serviceClusterIpRange.includes(',')) log.warn({}, 'only the first range of Service addresses is used')
}

function advertised({ advertiseAddress, bindAddress }: ApiServerFlags): string {
  return advertiseAddress ?? (WILDCARDS.includes(bindAddress) ? hostAddress() : bindAddress)
}

/** Where the store lies; a temporary place lies beside the certificates, so that who removes those removes it too. */
function dataDirectory({ dataDir, etcdServers, certDir }: ApiServerFlags): { path: string; remove(): void } {
  if (dataDir) return { path: dataDir, remove() {} }
  if (!etcdServers) throw new Error('--data-dir, or --etcd-servers, must be specified')
  if (certDir) mkdirSync(certDir, { recursive: true })
  const path = mkdtempSync(join(certDir ?? tmpdir(), 'k8ts-store-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

function kubeletClient(flags: ApiServerFlags) {
  const { kubeletCertificateAuthority: ca, kubeletClientCertificate: cert, kubeletClientKey: key } = flags
  return ca && cert && key ? { ca: readPem(ca), cert: readPem(cert), key: readPem(key) } : undefined
}

function proxyClient({ proxyClientCertFile: cert, proxyClientKeyFile: key }: ApiServerFlags) {
  return cert && key ? { cert: readPem(cert), key: readPem(key) } : undefined
}
