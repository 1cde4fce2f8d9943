import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { type KubeletConfiguration, startKubelet } from '../../kubelet/index.ts'
import { hostAddress } from '../settings.ts'
import { type Context, connectWith, readPem, runAsProcess, withClient } from './process.ts'

/** The flags of the kubelet, in camel case. */
export interface KubeletFlags {
  kubeconfig: string
  /** A KubeletConfiguration, YAML or JSON. */
  config: string
  hostnameOverride?: string
  nodeIp?: string
  rootDir: string
  /** `unix:///run/containerd/containerd.sock`; else from the configuration. */
  containerRuntimeEndpoint?: string
  /** Watched, so that the node is Ready as soon as its network is. */
  cniConfDir: string
}

/** The configuration's fields that concern the process; the others are the kubelet's own. */
interface ProcessConfiguration extends Partial<KubeletConfiguration> {
  port?: number
  healthzPort?: number
  healthzBindAddress?: string
  tlsCertFile: string
  tlsPrivateKeyFile: string
  authentication?: { x509?: { clientCAFile?: string } }
  containerRuntimeEndpoint?: string
}

export async function runKubelet(flags: KubeletFlags): Promise<void> {
  const config = await readConfiguration(flags.config)
  const health = { host: config.healthzBindAddress, port: config.healthzPort ?? 10248 }
  const clientCa = config.authentication?.x509?.clientCAFile
  if (!clientCa) throw new Error(`${flags.config}: authentication.x509.clientCAFile is required`)
  const endpoint = flags.containerRuntimeEndpoint ?? config.containerRuntimeEndpoint
  if (!endpoint) throw new Error('--container-runtime-endpoint is required, here or in the configuration file')
  const start = async (context: Context) => {
    const client = await connectWith(flags.kubeconfig, 'kubelet', context)
    const kubelet = await startKubelet({
      client,
      config,
      nodeName: (flags.hostnameOverride ?? hostname()).toLowerCase(),
      nodeIp: flags.nodeIp ?? hostAddress(),
      rootDir: flags.rootDir,
      endpoint,
      cniConfDir: flags.cniConfDir,
      tls: {
        cert: readPem(config.tlsCertFile),
        key: readPem(config.tlsPrivateKeyFile),
        clientCa: readPem(clientCa),
      },
      port: config.port ?? 10250,
      ...context,
    })
    return withClient(kubelet, client)
  }
  await runAsProcess({ name: 'kubelet', health, start })
}

/** The YAML library is loaded only for a file that is not JSON: the one that `up` writes is. */
async function readConfiguration(path: string): Promise<ProcessConfiguration> {
  const text = readFileSync(path, 'utf8')
  const config = text.startsWith('{') ? JSON.parse(text) : (await import('yaml')).parse(text)
  if (config?.kind !== 'KubeletConfiguration') throw new Error(`${path}: not a KubeletConfiguration`)
  return config
}
