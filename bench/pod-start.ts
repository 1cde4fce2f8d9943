/**
 * From the create of a pod until a client that watches sees it Running, through the whole cluster: API server, scheduler,
 * kubelet. Against the same calls made bare on the same containerd: RunPodSandbox, CreateContainer and StartContainer, with
 * the same image, network and cgroup parent. One pod at a time, the two in turn.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type core, type Draft, resources } from '../src/api/index.ts'
import { silentLogger, systemClock } from '../src/base/index.ts'
import type { Client } from '../src/client/index.ts'
import { type ContainerConfig, connectCri, type Runtime, type SandboxConfig } from '../src/kubelet/index.ts'
import { eventually, type TestCluster } from '../test/support/cluster.ts'
import { connectTo, createCluster, DEMO_IMAGE, socketOf } from './support/cluster.ts'
import { against, type Figure } from './support/figures.ts'
import { main, progress } from './support/main.ts'

const WARM_UP = 2
const ROUNDS = 21
const NAMESPACE = 'default'

async function measure(stack: AsyncDisposableStack): Promise<Figure[]> {
  const cluster = await createCluster(stack)
  await cluster.k8ts('up')
  const client = await connectTo(cluster, stack)
  const runtime = connectCri({ endpoint: socketOf(cluster), clock: systemClock, log: silentLogger })
  stack.defer(() => runtime.close())
  await eventually(() => client.get(resources.serviceAccounts, { namespace: NAMESPACE, name: 'default' }))
  const bare: number[] = []
  const whole: number[] = []
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const alone = await startBare(runtime, cluster)
    const pod = await startPod(client, runtime)
    progress(`bare ${alone.toFixed(0)} ms, pod ${pod.toFixed(0)} ms`)
    if (round < WARM_UP) continue
    bare.push(alone)
    whole.push(pod)
  }
  const figure = against('the CRI calls alone', whole, bare)
  return [{ name: 'pod start, create to Running', unit: 'ms', ...figure, target: { of: 'ratio', most: 1.3 } }]
}

async function startPod(client: Client, runtime: Runtime): Promise<number> {
  const name = `bench-${randomUUID()}`
  const watch = await watchPod(client, name)
  const began = performance.now()
  await client.create(resources.pods, podNamed(name))
  await watch.running
  const took = performance.now() - began
  watch.stop()
  await client.delete(resources.pods, { namespace: NAMESPACE, name }, { gracePeriodSeconds: 0 })
  await untilEmpty(runtime)
  return took
}

/** Watches before there is anything to see. */
async function watchPod(client: Client, name: string): Promise<{ running: Promise<void>; stop(): void }> {
  const { metadata } = await client.list(resources.pods, { namespace: NAMESPACE, limit: 1 })
  const aborter = new AbortController()
  const events = client.watch(resources.pods, {
    namespace: NAMESPACE,
    fieldSelector: `metadata.name=${name}`,
    resourceVersion: metadata.resourceVersion ?? '',
    signal: aborter.signal,
  })
  const untilRunning = async () => {
    for await (const { object } of events) if (object.status?.phase === 'Running') return
    throw new Error('the watch ended before the pod was Running')
  }
  return { running: untilRunning(), stop: () => aborter.abort() }
}

const podNamed = (name: string): Draft<core.Pod> => ({
  metadata: { name, namespace: NAMESPACE },
  spec: { containers: [{ name: 'main', image: DEMO_IMAGE, imagePullPolicy: 'IfNotPresent' }] },
})

async function startBare(runtime: Runtime, cluster: TestCluster): Promise<number> {
  const sandbox = sandboxConfig(cluster)
  const began = performance.now()
  const id = await runtime.runSandbox(sandbox)
  const containerId = await runtime.createContainer(id, CONTAINER, sandbox)
  await runtime.startContainer(containerId)
  const took = performance.now() - began
  await runtime.stopContainer(containerId, 0)
  await runtime.stopSandbox(id)
  await runtime.removeSandbox(id)
  await untilEmpty(runtime)
  return took
}

/** What is still being removed would slow the next one down. */
const untilEmpty = (runtime: Runtime) => eventually(async () => (await runtime.listSandboxes()).length === 0)

/** Without the labels by which the kubelet knows what is its own. */
function sandboxConfig({ name, dataDirectory }: TestCluster): SandboxConfig {
  const uid = randomUUID()
  return {
    metadata: { name: `bare-${uid}`, namespace: 'bare', uid, attempt: 0 },
    hostname: 'bare',
    logDirectory: join(dataDirectory, 'logs', 'bare', uid),
    portMappings: [],
    labels: {},
    annotations: {},
    cgroupParent: `/k8ts/${name}/kubepods/besteffort/pod${uid}`,
    sysctls: {},
    namespaces: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' },
    privileged: false,
    supplementalGroups: [],
    seccomp: { type: 'RuntimeDefault' },
  }
}

const CONTAINER: ContainerConfig = {
  metadata: { name: 'main', attempt: 0 },
  image: DEMO_IMAGE,
  command: [],
  args: [],
  workingDir: '',
  envs: [],
  mounts: [],
  labels: {},
  annotations: {},
  logPath: '0.log',
  stdin: false,
  stdinOnce: false,
  tty: false,
  resources: {},
  namespaces: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' },
  privileged: false,
  capabilities: { add: [], drop: [] },
  supplementalGroups: [],
  readonlyRootfs: false,
  noNewPrivs: false,
  maskedPaths: [],
  readonlyPaths: [],
  seccomp: { type: 'Unconfined' },
}

if (import.meta.main) await main(measure)
