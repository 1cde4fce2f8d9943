/** The kubelet with a real API server, a real containerd and real containers. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { type core, type Draft, is, resources } from '../../src/api/index.ts'
import { BUSYBOX, noContainers } from '../support/containerd.ts'
import { podThat, startTestNode, type TestNode } from '../support/node.ts'

const namespace = 'default'

const shell = (script: string, more: Draft<core.Container> = {}): Draft<core.Container> => ({
  name: 'main',
  image: BUSYBOX,
  command: ['sh', '-c', script],
  ...more,
})

const FOREVER = 'trap "exit 0" TERM; while :; do sleep 0.1; done'

describe('kubelet', { skip: noContainers(), timeout: 120_000 }, () => {
  let node: TestNode
  before(async () => {
    node = await startTestNode({ containerLogMonitorInterval: '1s' })
  })
  after(() => node?.stop())

  const create = (name: string, spec: Draft<core.PodSpec>, metadata: Draft<core.Pod['metadata']> = {}) =>
    node.client.create(resources.pods, {
      metadata: { namespace, name, ...metadata },
      spec: { nodeName: node.name, terminationGracePeriodSeconds: 2, ...spec },
    })

  const main = ({ status }: core.Pod) => status.containerStatuses?.find(({ name }) => name === 'main')
  const isReady = ({ status }: core.Pod) =>
    status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false

  async function log(name: string, query = ''): Promise<string> {
    const { status } = await node.client.get(resources.nodes, { name: node.name })
    const port = status.daemonEndpoints.kubeletEndpoint.Port
    const { ca, admin } = node.api
    return await new Promise((resolve, reject) => {
      const path = `/containerLogs/${namespace}/${name}/main?${query}`
      request({ host: '127.0.0.1', port, path, ca, ...admin }, response => {
        let text = ''
        response.on('data', part => {
          text += part
        })
        response.on('end', () => resolve(text))
      })
        .on('error', reject)
        .end()
    })
  }

  test('the node is Ready with what it has', async () => {
    const lease = () => node.client.get(resources.leases, { namespace: 'kube-node-lease', name: node.name })
    await eventually(() => lease().then(() => true))
    const { status, metadata } = await node.client.get(resources.nodes, { name: node.name })
    const ready = status.conditions?.find(({ type }) => type === 'Ready')
    assert.equal(ready?.message, 'kubelet is posting ready status')
    assert.equal(status.nodeInfo.kubeletVersion, 'v1.36.3')
    assert.match(status.nodeInfo.containerRuntimeVersion, /^containerd:\/\//)
    assert.equal(metadata.labels?.['kubernetes.io/hostname'], node.name)
    const {
      spec,
      metadata: { ownerReferences },
    } = await lease()
    assert.equal(spec.holderIdentity, node.name)
    assert.equal(ownerReferences?.[0]?.kind, 'Node')
  })

  test('a pod runs, sees its configuration, and goes away without a trace', async () => {
    await node.client.create(resources.configMaps, {
      metadata: { namespace, name: 'settings' },
      data: { colour: 'red' },
    })
    const script = `echo "$COLOUR $POD_IP"; echo $(cat /settings/colour) $(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace); ${FOREVER}`
    const { metadata } = await create('full', {
      containers: [
        shell(script, {
          env: [
            { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } },
            { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          ],
          volumeMounts: [{ name: 'settings', mountPath: '/settings' }],
        }),
      ],
      volumes: [{ name: 'settings', configMap: { name: 'settings' } }],
    })
    const { status } = await podThat(node.client, 'full', isReady)
    await eventually(async () => (await log('full')) === `red ${status.podIP}\nred default\n`)

    await node.client.patch(
      resources.configMaps,
      { namespace, name: 'settings' },
      { type: 'merge', body: { data: { colour: 'blue' } } },
    )
    const volume = join(
      node.containerd.root,
      'kubelet/pods',
      metadata.uid,
      'volumes/kubernetes.io~configmap/settings/colour',
    )
    await eventually(async () => (await readFile(volume, 'utf8')) === 'blue')

    await node.client.delete(resources.pods, { namespace, name: 'full' })
    await eventually(() =>
      node.client.get(resources.pods, { namespace, name: 'full' }).then(
        () => false,
        error => is(error, 'NotFound'),
      ),
    )
    await eventually(async () => !(await readdir(join(node.containerd.root, 'kubelet/pods'))).includes(metadata.uid))
    await eventually(
      async () => !(await readdir(join(node.containerd.root, 'logs'))).some(name => name.includes('full')),
    )
  })

  test('containers that end: exit codes, messages, restarts and delays', async () => {
    await create('done', { restartPolicy: 'Never', containers: [shell('echo bye > /dev/termination-log; exit 0')] })
    await create('crash', { containers: [shell('echo attempt; exit 7')] })
    const done = await podThat(node.client, 'done', ({ status }) => status.phase === 'Succeeded')
    assert.equal(main(done)?.state.terminated?.message, 'bye\n')
    const crash = await podThat(node.client, 'crash', pod => main(pod)?.state.waiting?.reason === 'CrashLoopBackOff')
    assert.equal(main(crash)?.lastState.terminated?.exitCode, 7)
    assert.match(
      main(crash)?.state.waiting?.message ?? '',
      /^back-off 10s restarting failed container=main pod=crash_default\(/,
    )
    assert.equal(await log('crash', 'previous=true'), 'attempt\n')
  })

  test('init containers, sidecars and probes decide when a pod is ready', async () => {
    const probe = { exec: { command: ['cat', '/shared/ready'] }, periodSeconds: 1 }
    await create('ordered', {
      initContainers: [
        {
          ...shell('echo first > /shared/init', { name: 'init' }),
          volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
        },
        { ...shell(FOREVER, { name: 'side' }), restartPolicy: 'Always' },
      ],
      containers: [
        shell(`cat /shared/init; sleep 1; touch /shared/ready; ${FOREVER}`, {
          readinessProbe: probe,
          volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
        }),
      ],
      volumes: [{ name: 'shared', emptyDir: {} }],
    })
    const running = await podThat(node.client, 'ordered', ({ status }) => status.phase === 'Running')
    assert.equal(isReady(running), false)
    await podThat(node.client, 'ordered', isReady)
    assert.equal(await log('ordered'), 'first\n')
  })

  test('exec over a WebSocket: streams, the end of standard input, and the exit code', async () => {
    await create('exec', { containers: [shell(FOREVER)] })
    await podThat(node.client, 'exec', isReady)
    const { status } = await node.client.get(resources.nodes, { name: node.name })
    const query = new URLSearchParams([
      ['input', '1'],
      ['output', '1'],
      ['error', '1'],
    ])
    for (const word of ['sh', '-c', 'cat; echo oops >&2; exit 5']) query.append('command', word)
    const port = status.daemonEndpoints.kubeletEndpoint.Port
    const { ca, admin } = node.api
    const url = `wss://127.0.0.1:${port}/exec/${namespace}/exec/main?${query}`
    const socket = new WebSocket(url, 'v5.channel.k8s.io', { ca, ...admin })
    const channels = ['', '', '', '']
    socket.on('message', (message: Buffer) => {
      channels[message[0]!] = `${channels[message[0]!]}${message.subarray(1)}`
    })
    socket.on('open', () => {
      socket.send(Buffer.from('\0hello'))
      socket.send(Buffer.from([255, 0]))
    })
    await once(socket, 'close')
    const [, stdout, stderr, result] = channels
    assert.deepEqual([stdout, stderr], ['hello', 'oops\n'])
    assert.deepEqual(JSON.parse(result!).details.causes, [{ reason: 'ExitCode', message: '5' }])
  })

  test('what cannot start says why, and starts when it can', async () => {
    await create('later', { containers: [shell(FOREVER, { envFrom: [{ secretRef: { name: 'keys' } }] })] })
    const waiting = await podThat(
      node.client,
      'later',
      pod => main(pod)?.state.waiting?.reason === 'CreateContainerConfigError',
    )
    assert.equal(main(waiting)?.state.waiting?.message, 'secret "keys" not found')
    await node.client.create(resources.secrets, { metadata: { namespace, name: 'keys' }, data: { A: 'Yg==' } })
    await podThat(node.client, 'later', isReady)
    await create('nowhere', { containers: [shell('true', { image: 'k8ts.local/nowhere:1' })] })
    await podThat(node.client, 'nowhere', pod => main(pod)?.state.waiting?.reason === 'ErrImagePull')
  })

  test('a kubelet that comes back adopts what runs, and ends what was deleted meanwhile', async () => {
    await create('kept', { containers: [shell(FOREVER)] })
    await create('dropped', { containers: [shell(FOREVER)] })
    const before = await podThat(node.client, 'kept', isReady)
    await podThat(node.client, 'dropped', isReady)
    await node.stopKubelet()
    await node.client.delete(resources.pods, { namespace, name: 'dropped' }, { gracePeriodSeconds: 0 })
    await node.startKubelet()
    await eventually(
      async () => !(await readdir(join(node.containerd.root, 'logs'))).some(name => name.includes('dropped')),
    )
    const { status, metadata } = await node.client.get(resources.pods, { namespace, name: 'kept' })
    assert.deepEqual(status.containerStatuses, before.status.containerStatuses)
    assert.equal(metadata.resourceVersion, before.metadata.resourceVersion, 'nothing had to be written')
  })
})

/** Asks until the answer is yes. */
async function eventually(check: () => Promise<boolean>, timeout = 20_000): Promise<void> {
  const end = performance.now() + timeout
  while (!(await check().catch(() => false))) {
    if (performance.now() > end) throw new Error(`not so after ${timeout} ms: ${check}`)
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}
