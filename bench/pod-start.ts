/**
 * From the create of a pod until a client that watches sees it Running, through the whole cluster: API server, scheduler,
 * kubelet. Against the same calls made bare on the same containerd: RunPodSandbox, CreateContainer and StartContainer, with
 * the same image, network and cgroup parent. One pod at a time, the two in turn.
 */
import { randomUUID } from 'node:crypto'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { type core, type Draft, resources } from '../src/api/index.ts'
import { silentLogger, systemClock } from '../src/base/index.ts'
import type { Client } from '../src/client/index.ts'
import { type ContainerConfig, connectCri, type Runtime, type SandboxConfig } from '../src/kubelet/index.ts'
import { containerConfig } from '../src/kubelet/pod/container-config.ts'
import { sandboxConfig } from '../src/kubelet/pod/sandbox-config.ts'
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
    const alone = await startBare(client, runtime, cluster)
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

async function startBare(client: Client, runtime: Runtime, cluster: TestCluster): Promise<number> {
  // With all its defaults, and not there.
  const pod = await client.create(resources.pods, podNamed(`bare-${randomUUID()}`), { dryRun: true })
  const { sandbox, container } = configsOf(pod, cluster)
  const began = performance.now()
  const id = await runtime.runSandbox(sandbox)
  const containerId = await runtime.createContainer(id, container, sandbox)
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

/** What the kubelet would ask for, but for volumes, and for the labels by which it knows what is its own. */
function configsOf(pod: core.Pod, cluster: TestCluster): { sandbox: SandboxConfig; container: ContainerConfig } {
  const sandbox = sandboxConfig(pod, {
    attempt: 0,
    dns: { servers: ['10.96.0.10'], searches: ['default.svc.cluster.local'], options: ['ndots:5'] },
    podLogsDir: join(cluster.dataDirectory, 'logs', 'bare'),
    // Beside the pods', which the kubelet clears of what it does not know.
    cgroupParent: `/k8ts/${cluster.name}/kubepods/besteffort/bare${pod.metadata.uid}`,
  })
  const container = containerConfig(pod, pod.spec.containers[0]!, {
    restartCount: 0,
    environment: new Map(),
    image: undefined,
    imageRef: DEMO_IMAGE,
    mounts: [],
    node: { memoryCapacity: totalmem(), cpuCFSQuota: true, cpuPeriod: 100_000 },
    rootDir: cluster.dataDirectory,
    seccompDefault: false,
  })
  return { sandbox: { ...sandbox, labels: {} }, container: { ...container, labels: {} } }
}

if (import.meta.main) await main(measure)
