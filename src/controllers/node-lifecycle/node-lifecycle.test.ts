import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { podTemplate, setPodStatus, startTestControlPlane } from '../../../test/support/controllers.ts'
import { eventually } from '../../../test/support/eventually.ts'
import { type core, formatMicroTime, formatTime, is, resources } from '../../api/index.ts'
import { systemClock, VirtualClock } from '../../base/index.ts'
import type { Client } from '../../client/index.ts'
import { startTaintEvictionController } from '../taint-eviction.ts'
import { startNodeLifecycleController } from './index.ts'

async function setUp(t: TestContext, nodes: string[]) {
  const plane = await startTestControlPlane(t)
  const { client } = plane
  const clock = new VirtualClock(systemClock.now())
  for (const name of nodes) {
    await client.create(resources.nodes, { metadata: { name } })
    await client.create(resources.leases, { metadata: { namespace: 'kube-node-lease', name }, spec: {} })
    await report(client, name, 'True', clock)
  }
  const beat = async (name: string) => {
    const body = { spec: { renewTime: formatMicroTime(clock.now()) } }
    await client.patch(resources.leases, { namespace: 'kube-node-lease', name }, { type: 'merge', body })
  }
  /** Time passes while the nodes of `alive` go on to renew their Leases. */
  const pass = async (seconds: number, alive: string[]) => {
    for (let step = 0; step < seconds; step += 10) {
      for (const name of alive) await beat(name)
      await systemClock.sleep(50)
      await clock.advance(10_000)
    }
  }
  await plane.run(context => [startNodeLifecycleController(context), startTaintEvictionController(context)], clock)
  return { ...plane, clock, pass }
}

async function report(client: Client, name: string, status: string, clock: VirtualClock) {
  const time = formatTime(clock.now())
  const condition = { type: 'Ready', status, reason: 'Kubelet', lastHeartbeatTime: time, lastTransitionTime: time }
  const body = { status: { conditions: [condition] } }
  await client.patch(resources.nodes, { name }, { type: 'strategic', body }, { subresource: 'status' })
}

const get = (client: Client, name: string) => client.get(resources.nodes, { name })
const taintsOf = ({ spec }: core.Node) => (spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort()
const readyOf = ({ status }: core.Node) => status.conditions?.find(({ type }) => type === 'Ready')

async function bind(client: Client, name: string, nodeName: string, tolerationSeconds?: number): Promise<core.Pod> {
  const tolerations = ['not-ready', 'unreachable'].map(kind => ({
    key: `node.kubernetes.io/${kind}`,
    operator: 'Exists' as const,
    effect: 'NoExecute' as const,
    tolerationSeconds,
  }))
  const spec = { ...podTemplate({}).spec, nodeName, tolerations }
  const pod = await client.create<core.Pod>(resources.pods, { metadata: { namespace: 'default', name }, spec })
  await setPodStatus(client, pod, {})
  return pod
}

const exists = (client: Client, name: string) => client.get(resources.pods, { namespace: 'default', name })

test('a silent node becomes unknown and tainted, its pods not ready and, in their time, evicted', async t => {
  const { client, pass } = await setUp(t, ['silent', 'alive'])
  await bind(client, 'patient', 'silent', 300)
  await bind(client, 'faithful', 'silent')
  await pass(40, ['alive'])
  assert.equal(readyOf(await get(client, 'silent'))?.status, 'True')

  await pass(20, ['alive'])
  await eventually(async () => {
    const node = await get(client, 'silent')
    const { status, reason, message } = readyOf(node)!
    assert.deepEqual(
      [status, reason, message],
      ['Unknown', 'NodeStatusUnknown', 'Kubelet stopped posting node status.'],
    )
    assert.deepEqual(taintsOf(node), [
      'node.kubernetes.io/unreachable:NoExecute',
      'node.kubernetes.io/unreachable:NoSchedule',
    ])
    const { status: podStatus } = await exists(client, 'faithful')
    assert.equal(podStatus.conditions?.find(({ type }) => type === 'Ready')?.status, 'False')
  })
  assert.deepEqual(taintsOf(await get(client, 'alive')), [])
  await exists(client, 'patient')

  await pass(310, ['alive'])
  await eventually(async () => assert((await exists(client, 'patient')).metadata.deletionTimestamp))
  assert.equal((await exists(client, 'faithful')).metadata.deletionTimestamp, undefined)
})

test('a node that speaks again loses its taints', async t => {
  const { client, clock, pass } = await setUp(t, ['silent', 'alive'])
  await pass(60, ['alive'])
  await eventually(async () => assert.equal(taintsOf(await get(client, 'silent')).length, 2))
  await report(client, 'silent', 'True', clock)
  await eventually(async () => assert.deepEqual(taintsOf(await get(client, 'silent')), []))
})

test('when all nodes are silent nothing is evicted', async t => {
  const { client, pass } = await setUp(t, ['only'])
  await bind(client, 'pod', 'only', 0)
  await pass(60, [])
  await eventually(async () =>
    assert.deepEqual(taintsOf(await get(client, 'only')), ['node.kubernetes.io/unreachable:NoSchedule']),
  )
  await pass(60, [])
  assert.equal((await exists(client, 'pod')).metadata.deletionTimestamp, undefined)
})

test('conditions and cordons are taints; those of others stay', async t => {
  const { client } = await setUp(t, ['node'])
  const own = { key: 'example.com/own', effect: 'NoSchedule' as const }
  await client.patch(
    resources.nodes,
    { name: 'node' },
    {
      type: 'merge',
      body: { spec: { unschedulable: true, taints: [own] } },
    },
  )
  const body = { status: { conditions: [{ type: 'DiskPressure', status: 'True' }] } }
  await client.patch(resources.nodes, { name: 'node' }, { type: 'strategic', body }, { subresource: 'status' })
  await eventually(async () =>
    assert.deepEqual(taintsOf(await get(client, 'node')), [
      'example.com/own:NoSchedule',
      'node.kubernetes.io/disk-pressure:NoSchedule',
      'node.kubernetes.io/unschedulable:NoSchedule',
    ]),
  )
  await client.patch(resources.nodes, { name: 'node' }, { type: 'merge', body: { spec: { unschedulable: false } } })
  await eventually(async () =>
    assert(!taintsOf(await get(client, 'node')).includes('node.kubernetes.io/unschedulable:NoSchedule')),
  )
})

test('a NoExecute taint of an operator drives pods away at once', async t => {
  const { client } = await setUp(t, ['node'])
  await bind(client, 'pod', 'node')
  const taints = [{ key: 'example.com/leave', effect: 'NoExecute' }]
  await client.patch(resources.nodes, { name: 'node' }, { type: 'merge', body: { spec: { taints } } })
  await eventually(async () => {
    const pod = await exists(client, 'pod').catch(error => {
      if (is(error, 'NotFound')) return undefined
      throw error
    })
    assert(!pod || pod.metadata.deletionTimestamp)
    const disrupted = pod?.status.conditions?.find(({ type }) => type === 'DisruptionTarget')
    if (pod) assert.equal(disrupted?.reason, 'DeletionByTaintManager')
  })
})
