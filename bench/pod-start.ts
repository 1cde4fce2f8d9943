/**
 * How long a pod takes from create to Running, beside the same CRI calls made bare (sandbox, container, start), in turns
 * in one run. The target is 1.3 times at the median. Needs root and containerd.
 * Run: node bench/pod-start.ts
 */
import { join } from 'node:path'
import { resources } from '../src/api/index.ts'
import { silentLogger, systemClock } from '../src/base/index.ts'
import { type ContainerConfig, connectCri, type Runtime, type SandboxConfig } from '../src/kubelet/index.ts'
import { BUSYBOX, noContainers } from '../test/support/containerd.ts'
import { podThat, startTestNode, type TestNode } from '../test/support/node.ts'

const ROUNDS = 30
const COMMAND = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done']
const namespace = 'default'

const missing = noContainers()
if (missing) console.log(`pod start: ${missing}`)
else await run()

async function run() {
  const node = await startTestNode()
  const runtime = connectCri({ endpoint: node.containerd.endpoint, clock: systemClock, log: silentLogger })
  try {
    const bare: number[] = []
    const whole: number[] = []
    // The first of each warms up and does not count.
    for (let round = 0; round <= ROUNDS; round++) {
      bare.push(await startBare(runtime, node, round))
      whole.push(await startPod(node, round))
    }
    const [limit, figure] = [median(bare.slice(1)), median(whole.slice(1))]
    console.log(`bare CRI calls, median of ${ROUNDS}        ${limit.toFixed(0)} ms`)
    console.log(
      `pod, create to Running, median of ${ROUNDS} ${figure.toFixed(0)} ms   (${(figure / limit).toFixed(2)} of bare)`,
    )
  } finally {
    runtime.close()
    await node.stop()
  }
}

async function startPod({ client, name: nodeName }: TestNode, round: number): Promise<number> {
  const name = `pod-${round}`
  const start = performance.now()
  await client.create(resources.pods, {
    metadata: { namespace, name },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: BUSYBOX, command: COMMAND }],
    },
  })
  await podThat(client, name, ({ status }) => status.phase === 'Running')
  const took = performance.now() - start
  const { resourceVersion } = (await client.list(resources.pods, { namespace })).metadata
  const gone = (async () => {
    const watch = client.watch(resources.pods, { namespace, resourceVersion: resourceVersion!, timeoutSeconds: 30 })
    for await (const { type, object } of watch) if (type === 'DELETED' && object.metadata.name === name) return
  })()
  await client.delete(resources.pods, { namespace, name })
  await gone
  return took
}

async function startBare(runtime: Runtime, { containerd }: TestNode, round: number): Promise<number> {
  const namespaces = { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } as const
  const sandbox: SandboxConfig = {
    metadata: { name: 'bare', namespace, uid: `bare-${round}`, attempt: 0 },
    hostname: 'bare',
    logDirectory: join(containerd.root, 'bare-logs'),
    dnsConfig: { servers: ['10.96.0.10'], searches: ['cluster.local'], options: ['ndots:5'] },
    portMappings: [],
    labels: {},
    annotations: {},
    cgroupParent: join(containerd.cgroupRoot, 'bare'),
    sysctls: {},
    namespaces,
    privileged: false,
    supplementalGroups: [],
    seccomp: { type: 'RuntimeDefault' },
  }
  const container: ContainerConfig = {
    metadata: { name: 'main', attempt: 0 },
    image: BUSYBOX,
    command: COMMAND,
    args: [],
    workingDir: '',
    envs: [],
    mounts: [],
    labels: {},
    annotations: {},
    logPath: `${round}.log`,
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: { cpuShares: 2, oomScoreAdj: 1000 },
    namespaces,
    privileged: false,
    capabilities: { add: [], drop: [] },
    supplementalGroups: [],
    readonlyRootfs: false,
    noNewPrivs: false,
    maskedPaths: [],
    readonlyPaths: [],
  }
  const start = performance.now()
  const id = await runtime.runSandbox(sandbox)
  await runtime.startContainer(await runtime.createContainer(id, container, sandbox))
  const took = performance.now() - start
  await runtime.stopSandbox(id)
  await runtime.removeSandbox(id)
  return took
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

if (import.meta.main) await main(measure)
