import { startApiServer } from '../../apiserver/index.ts'
import { openLmdb } from '../../store/index.ts'
import { type Part, readPem, runAsProcess } from './process.ts'

/** The flags of kube-apiserver, in camel case. */
export interface ApiServerFlags {
  dataDir: string
  bindAddress: string
  securePort: number
  advertiseAddress: string
  tlsCertFile: string
  tlsPrivateKeyFile: string
  clientCaFile: string
  serviceAccountIssuer: string
  serviceAccountKeyFile: string[]
  serviceAccountSigningKeyFile: string
  serviceClusterIpRange: string
  serviceNodePortRange: string
  kubeletCertificateAuthority?: string
  kubeletClientCertificate?: string
  kubeletClientKey?: string
}

export const apiServer = (flags: ApiServerFlags): Part => ({
  name: 'apiserver',
  async start(context) {
    const store = await openLmdb({ path: flags.dataDir, ...context })
    const server = await startApiServer({
      store,
      host: flags.bindAddress,
      port: flags.securePort,
      advertiseAddress: flags.advertiseAddress,
      tls: { cert: readPem(flags.tlsCertFile), key: readPem(flags.tlsPrivateKeyFile) },
      clientCa: readPem(flags.clientCaFile),
      serviceAccount: {
        issuer: flags.serviceAccountIssuer,
        signingKey: readPem(flags.serviceAccountSigningKeyFile),
        publicKeys: flags.serviceAccountKeyFile.map(readPem),
      },
      serviceClusterIpRange: flags.serviceClusterIpRange,
      serviceNodePortRange: flags.serviceNodePortRange,
      kubeletClient: kubeletClient(flags),
      ...context,
    })
    return {
      async stop() {
        await server.stop()
        await store.close()
      },
    }
  },
})

export const runApiServer = (flags: ApiServerFlags) => runAsProcess(apiServer(flags))

function kubeletClient(flags: ApiServerFlags) {
  const { kubeletCertificateAuthority: ca, kubeletClientCertificate: cert, kubeletClientKey: key } = flags
  return ca && cert && key ? { ca: readPem(ca), cert: readPem(cert), key: readPem(key) } : undefined
}
