import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApiServer } from '../../apiserver/index.ts'
import type { Clock, Logger } from '../../base/index.ts'
import { openLmdb } from '../../store/index.ts'
import { ensureServingPair, type KeyPair } from '../pki.ts'
import { addressIn, hostAddress } from '../settings.ts'
import { type Part, readPem, runAsProcess } from './process.ts'

/** The flags of kube-apiserver, in camel case. */
export interface ApiServerFlags {
  dataDir?: string
  etcdServers?: string[]
  bindAddress: string
  securePort: number
  advertiseAddress?: string
  certDir?: string
  tlsCertFile?: string
  tlsPrivateKeyFile?: string
  clientCaFile?: string
  tokenAuthFile?: string
  authorizationMode?: string[]
  serviceAccountIssuer?: string[]
  serviceAccountKeyFile?: string[]
  serviceAccountSigningKeyFile?: string
  serviceClusterIpRange: string
  serviceNodePortRange: string
  kubeletCertificateAuthority?: string
  kubeletClientCertificate?: string
  kubeletClientKey?: string
  proxyClientCertFile?: string
  proxyClientKeyFile?: string
  requestheaderClientCaFile?: string
  requestheaderAllowedNames?: string[]
  requestheaderUsernameHeaders?: string[]
  requestheaderGroupHeaders?: string[]
  requestheaderExtraHeadersPrefix?: string[]
  enableAdmissionPlugins?: string[]
  disableAdmissionPlugins?: string[]
  runtimeConfig?: string[]
  allowPrivileged?: boolean
  /** Names of further flags that were given. */
  withoutEffect?: string[]
}

const CERT_DIR = '/var/run/kubernetes'
const ISSUER = 'https://kubernetes.default.svc.cluster.local'
const WILDCARDS = ['0.0.0.0', '::']

export const apiServer = (flags: ApiServerFlags): Part => ({
  name: 'apiserver',
  async start(context) {
    warn(flags, context.log)
    const advertiseAddress = advertised(flags)
    const serviceClusterIpRange = flags.serviceClusterIpRange.split(',', 1)[0]!
    const tls = await servingPair(flags, [advertiseAddress, addressIn(serviceClusterIpRange, 1)], context.clock)
    const data = dataDirectory(flags)
    const store = await openLmdb({ path: data.path, ...context })
    const server = await startApiServer({
      store,
      host: flags.bindAddress,
      port: flags.securePort,
      advertiseAddress,
      tls,
      clientCa: flags.clientCaFile && readPem(flags.clientCaFile),
      tokenFile: flags.tokenAuthFile && readPem(flags.tokenAuthFile),
      allowAll: flags.authorizationMode?.includes('AlwaysAllow'),
      disabledAdmissionPlugins: flags.disableAdmissionPlugins,
      serviceAccount: serviceAccountKeys(flags, tls),
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

/** Says what of upstream's is asked for and not done. */
function warn(flags: ApiServerFlags, log: Logger): void {
  for (const flag of flags.withoutEffect ?? []) log.warn({ flag: `--${flag}` }, 'flag has no effect')
  if (flags.etcdServers)
    log.warn(
      { etcdServers: flags.etcdServers, dataDir: flags.dataDir },
      'etcd is not spoken to: the embedded store in --data-dir is used, or one that goes with this process',
    )
  const modes = (flags.authorizationMode ?? []).filter(mode => mode !== 'AlwaysAllow')
  if (modes.length)
    log.warn({ modes }, 'of these authorization modes none is there: components and system:masters are let in')
  if (flags.enableAdmissionPlugins)
    log.warn({ plugins: flags.enableAdmissionPlugins }, 'no admission plugin is off by default')
  if (flags.runtimeConfig)
    log.warn({ runtimeConfig: flags.runtimeConfig }, 'the stable versions are served, and no others')
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

/** Source: k8s.io/apiserver/pkg/server/options serving.go MaybeDefaultWithSelfSignedCerts */
async function servingPair(
  { tlsCertFile, tlsPrivateKeyFile, certDir = CERT_DIR, bindAddress }: ApiServerFlags,
  addresses: string[],
  clock: Clock,
): Promise<KeyPair> {
  if (tlsCertFile && tlsPrivateKeyFile) return { cert: readPem(tlsCertFile), key: readPem(tlsPrivateKeyFile) }
  if (tlsCertFile || tlsPrivateKeyFile)
    throw new Error('--tls-cert-file and --tls-private-key-file must be specified together')
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', hostname(), '127.0.0.1']
  const bound = WILDCARDS.includes(bindAddress) ? [] : [bindAddress]
  mkdirSync(certDir, { recursive: true })
  return ensureServingPair(join(certDir, 'apiserver'), [...names, ...addresses, ...bound], clock)
}

/** Without keys of their own, tokens are signed by the serving key. */
function serviceAccountKeys(
  { serviceAccountIssuer, serviceAccountKeyFile, serviceAccountSigningKeyFile }: ApiServerFlags,
  { key }: KeyPair,
) {
  const signingKey = serviceAccountSigningKeyFile ? readPem(serviceAccountSigningKeyFile) : key
  return {
    issuer: serviceAccountIssuer?.[0] ?? ISSUER,
    signingKey,
    publicKeys: serviceAccountKeyFile?.map(readPem) ?? [signingKey],
  }
}

function kubeletClient(flags: ApiServerFlags) {
  const { kubeletCertificateAuthority: ca, kubeletClientCertificate: cert, kubeletClientKey: key } = flags
  return ca && cert && key ? { ca: readPem(ca), cert: readPem(cert), key: readPem(key) } : undefined
}

function proxyClient({ proxyClientCertFile: cert, proxyClientKeyFile: key }: ApiServerFlags) {
  return cert && key ? { cert: readPem(cert), key: readPem(key) } : undefined
}

function requestHeader(flags: ApiServerFlags) {
  if (!flags.requestheaderClientCaFile) return undefined
  return {
    ca: readPem(flags.requestheaderClientCaFile),
    allowedNames: flags.requestheaderAllowedNames ?? [],
    usernameHeaders: flags.requestheaderUsernameHeaders ?? [],
    groupHeaders: flags.requestheaderGroupHeaders ?? [],
    extraHeaderPrefixes: flags.requestheaderExtraHeadersPrefix ?? [],
  }
}
