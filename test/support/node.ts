import { join } from 'node:path'
import type { core } from '../../src/api/index.ts'
import { resources } from '../../src/api/index.ts'
import { type Component, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts'
import { type Client, connect } from '../../src/client/index.ts'
import { type KubeletConfiguration, startKubelet } from '../../src/kubelet/index.ts'
import { startTestApiServer, type TestApiServer } from './apiserver.ts'
import { startContainerd, type TestContainerd } from './containerd.ts'

/** An API server, a containerd and a kubelet between them, all of a test's own. */
export interface TestNode {
  api: TestApiServer
  containerd: TestContainerd
  client: Client
  name: string
  startKubelet(): Promise<void>
  stopKubelet(): Promise<void>
  stop(): Promise<void>
}

const parts = { clock: systemClock, random: systemRandom, log: silentLogger }

export async function startTestNode(config: Partial<KubeletConfiguration> = {}): Promise<TestNode> {
  const [api, containerd] = await Promise.all([startTestApiServer(), startContainerd()])
  const client = connect({ server: api.url, ca: api.ca, ...api.admin, ...parts })
  const name = 'node-1'
  let kubelet: Component | undefined
  const node: TestNode = {
    api,
    containerd,
    client,
    name,
    async startKubelet() {
      kubelet = await startKubelet({
        client,
        config: {
          cgroupRoot: containerd.cgroupRoot,
          podLogsDir: join(containerd.root, 'logs'),
          clusterDNS: ['10.96.0.10'],
          ...config,
        },
        nodeName: name,
        nodeIp: '127.0.0.1',
        rootDir: join(containerd.root, 'kubelet'),
        endpoint: containerd.endpoint,
        cniConfDir: containerd.cniConfDir,
        tls: { ...api.pki.serving, clientCa: api.ca },
        port: 0,
        ...parts,
      })
    },
    async stopKubelet() {
      await kubelet?.stop()
      kubelet = undefined
    },
    async stop() {
      await node.stopKubelet()
      await client.close()
      await api.stop()
      await containerd.stop()
    },
  }
  try {
    await prepareNamespace(client)
    await node.startKubelet()
  } catch (error) {
    await node.stop()
    throw error
  }
  return node
}

/** What the controllers would put into each namespace. */
async function prepareNamespace(client: Client): Promise<void> {
  const namespace = 'default'
  await client.create(resources.serviceAccounts, { metadata: { namespace, name: 'default' } })
  await client.create(resources.configMaps, {
    metadata: { namespace, name: 'kube-root-ca.crt' },
    data: { 'ca.crt': 'a certificate' },
  })
}

/** Waits, without asking again and again, until a pod is as wanted; rejects with its last status. */
export async function podThat(
  client: Client,
  name: string,
  wanted: (pod: core.Pod) => boolean,
  timeout = 30_000,
): Promise<core.Pod> {
  const namespace = 'default'
  const signal = AbortSignal.timeout(timeout)
  let last = await client.get(resources.pods, { namespace, name })
  const { resourceVersion } = last.metadata
  if (wanted(last)) return last
  const fieldSelector = `metadata.name=${name}`
  try {
    for await (const { type, object } of client.watch(resources.pods, {
      namespace,
      fieldSelector,
      resourceVersion,
      signal,
    })) {
      if (type === 'BOOKMARK') continue
      last = object
      if (wanted(last)) return last
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  throw new Error(`pod ${name} is not as wanted after ${timeout} ms: ${JSON.stringify(last.status)}`)
}
