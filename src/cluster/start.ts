import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApiServer } from '../apiserver/index.ts'
import {
  type Clock,
  type Component,
  type Logger,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from '../base/index.ts'
import { type Client, connect, loadKubeconfig } from '../client/index.ts'
import { startControllerManager } from '../controllers/index.ts'
import { startScheduler } from '../scheduler/index.ts'
import { openLmdb } from '../store/index.ts'
import { ensureKubeconfigs } from './kubeconfig.ts'
import { ensurePki } from './pki.ts'
import { addressIn } from './settings.ts'

export interface ClusterOptions {
  /** Of the API server, on 127.0.0.1. Default: a free one */
  port?: number
  /** Kept after `stop`; without it, a temporary one that goes with the cluster. */
  dataDirectory?: string
  serviceCidr?: string
  podCidr?: string
  /** Default: both. An API server alone is enough for many tests. */
  components?: ('controller-manager' | 'scheduler')[]
  clock?: Clock
  random?: Random
  log?: Logger
}

/** A control plane without nodes, inside this process. */
export interface Cluster extends Component {
  url: string
  /** As system:masters. */
  client: Client
  /** The path of the admin's kubeconfig, for kubectl and other clients. */
  kubeconfig: string
}

/** Starts API server, controller manager and scheduler inside this process: Kubernetes as a library. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { clock = systemClock, random = systemRandom, log = silentLogger } = options
  const context = { clock, random, log }
  const directory = options.dataDirectory ?? mkdtempSync(join(tmpdir(), 'k8ts-'))
  const serviceCidr = options.serviceCidr ?? '10.96.0.0/16'
  const pki = join(directory, 'pki')
  const pem = (file: string) => readFileSync(join(pki, file), 'utf8')
  const { authority } = await ensurePki({
    directory: pki,
    nodeName: 'localhost',
    nodeIp: '127.0.0.1',
    serviceIp: addressIn(serviceCidr, 1),
    domain: 'cluster.local',
    clock,
  })
  const store = await openLmdb({ path: join(directory, 'store'), ...context })
  const server = await startApiServer({
    store,
    host: '127.0.0.1',
    port: options.port ?? 0,
    advertiseAddress: '127.0.0.1',
    tls: { cert: pem('apiserver.crt'), key: pem('apiserver.key') },
    clientCa: pem('ca.crt'),
    serviceAccount: {
      issuer: 'https://kubernetes.default.svc.cluster.local',
      signingKey: pem('sa.key'),
      publicKeys: [pem('sa.pub')],
    },
    serviceClusterIpRange: serviceCidr,
    serviceNodePortRange: '30000-32767',
    proxyClient: { cert: pem('front-proxy-client.crt'), key: pem('front-proxy-client.key') },
    requestHeader: {
      ca: pem('front-proxy-ca.crt'),
      allowedNames: ['front-proxy-client'],
      usernameHeaders: ['X-Remote-User'],
      groupHeaders: ['X-Remote-Group'],
      extraHeaderPrefixes: ['X-Remote-Extra-'],
    },
    ...context,
  })
  const kubeconfigs = join(directory, 'kubeconfig')
  const url = `https://127.0.0.1:${server.port}`
  await ensureKubeconfigs({
    directory: kubeconfigs,
    clusterName: 'k8ts',
    nodeName: 'localhost',
    server: url,
    authority,
  })
  const clients: Client[] = []
  const connectAs = async (identity: string) => {
    const client = connect({ ...(await loadKubeconfig(join(kubeconfigs, `${identity}.conf`))), ...context })
    clients.push(client)
    return client
  }
  const starts = {
    'controller-manager': async () =>
      startControllerManager({
        client: await connectAs('controller-manager'),
        clusterCidr: options.podCidr ?? '10.244.0.0/16',
        nodeCidrMaskSize: 24,
        rootCa: pem('ca.crt'),
        ...context,
      }),
    scheduler: async () => startScheduler({ client: await connectAs('scheduler'), ...context }),
  }
  const components = options.components ?? (['controller-manager', 'scheduler'] as const)
  const running = await Promise.all(components.map(name => starts[name]()))
  const client = await connectAs('admin')

  let stopping: Promise<void> | undefined
  async function stop() {
    await Promise.all(running.map(component => component.stop()))
    await Promise.all(clients.map(each => each.close()))
    await server.stop()
    await store.close()
    if (!options.dataDirectory) rmSync(directory, { recursive: true, force: true })
  }
  return { url, client, kubeconfig: join(kubeconfigs, 'admin.conf'), stop: () => (stopping ??= stop()) }
}
