import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type PodState, setPodStatus, startTestControlPlane, steadily } from '../../../test/support/controllers.ts'
import { eventually } from '../../../test/support/eventually.ts'
import { type core, type discovery, resources } from '../../api/index.ts'
import type { Client } from '../../client/index.ts'
import { startEndpointsController } from '../endpoints.ts'
import { distribute } from './distribute.ts'
import { startEndpointSliceController } from './index.ts'

async function setUp(t: TestContext) {
  const plane = await startTestControlPlane(t)
  const start = () => plane.run(context => [startEndpointSliceController(context), startEndpointsController(context)])
  const running = await start()
  return { ...plane, start, running }
}

async function makePod(
  client: Client,
  name: string,
  state: PodState,
  ports: core.ContainerPort[] = [],
  extra: object = {},
) {
  const spec = { containers: [{ name: 'main', image: 'demo', ports }], ...extra }
  const metadata = { namespace: 'default', name, labels: { app: 'web' } }
  const pod = await client.create<core.Pod>(resources.pods, { metadata, spec })
  await setPodStatus(client, pod, state)
  return pod
}

const makeService = (client: Client, spec: object = {}) =>
  client.create<core.Service>(resources.services, {
    metadata: { namespace: 'default', name: 'web', labels: { team: 'a' } },
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
  })

const slicesOf = async (client: Client) =>
  (
    await client.list(resources.endpointSlices, {
      namespace: 'default',
      labelSelector: 'kubernetes.io/service-name=web',
    })
  ).items
const endpointsOf = (client: Client) => client.get(resources.endpoints, { namespace: 'default', name: 'web' })

test('a Service leads to its pods, ready or not', async t => {
  const { client } = await setUp(t)
  await client.create(resources.nodes, {
    metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'zone-a' } },
  })
  const service = await makeService(client)
  const ready = await makePod(client, 'ready', { podIP: '10.0.0.1' }, [], { nodeName: 'node-1' })
  await makePod(client, 'starting', { podIP: '10.0.0.2', ready: false })
  await makePod(client, 'finished', { podIP: '10.0.0.3', phase: 'Succeeded', ready: false })
  const slice = await eventually(async () => {
    const slices = await slicesOf(client)
    assert.equal(slices.length, 1)
    assert.equal(slices[0]?.endpoints?.length, 2)
    return slices[0]!
  })
  const sorted = slice.endpoints?.toSorted((a, b) => (a.addresses[0]! < b.addresses[0]! ? -1 : 1))
  assert.deepEqual(sorted?.[0], {
    addresses: ['10.0.0.1'],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: 'Pod', namespace: 'default', name: 'ready', uid: ready.metadata.uid },
    nodeName: 'node-1',
    zone: 'zone-a',
  })
  assert.deepEqual(sorted?.[1]?.conditions, { ready: false, serving: false, terminating: false })
  assert.deepEqual(slice.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }])
  assert.deepEqual(slice.metadata.labels, {
    team: 'a',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  })
  assert.equal(slice.metadata.ownerReferences?.[0]?.uid, service.metadata.uid)
  await eventually(async () => {
    const [subset] = (await endpointsOf(client)).subsets ?? []
    assert.deepEqual(
      subset?.addresses?.map(({ ip }) => ip),
      ['10.0.0.1'],
    )
    assert.deepEqual(
      subset?.notReadyAddresses?.map(({ ip }) => ip),
      ['10.0.0.2'],
    )
    assert.deepEqual(subset?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }])
  })
})

test('a named port is looked up at each pod', async t => {
  const { client } = await setUp(t)
  await makeService(client, { ports: [{ port: 80, targetPort: 'http' }] })
  await makePod(client, 'old', { podIP: '10.0.0.1' }, [{ name: 'http', containerPort: 8080 }])
  await makePod(client, 'new', { podIP: '10.0.0.2' }, [{ name: 'http', containerPort: 9090 }])
  await makePod(client, 'other', { podIP: '10.0.0.3' }, [{ name: 'grpc', containerPort: 7070 }])
  await eventually(async () => {
    const found = (await slicesOf(client)).flatMap(({ endpoints, ports }) =>
      (endpoints ?? []).map(({ addresses }) => `${addresses[0]}:${(ports ?? []).map(({ port }) => port).join()}`),
    )
    assert.deepEqual(found.sort(), ['10.0.0.1:8080', '10.0.0.2:9090', '10.0.0.3:'])
    const { subsets } = await endpointsOf(client)
    assert.deepEqual(subsets?.map(({ ports }) => ports?.[0]?.port).sort(), [8080, 9090])
  })
})

test('a headless Service may lead to pods that are not ready', async t => {
  const { client } = await setUp(t)
  await makeService(client, { clusterIP: 'None', publishNotReadyAddresses: true })
  await makePod(client, 'db-0', { podIP: '10.0.0.1', ready: false }, [], { hostname: 'db-0', subdomain: 'web' })
  await eventually(async () => {
    const [slice] = await slicesOf(client)
    assert.equal(slice?.metadata.labels?.['service.kubernetes.io/headless'], '')
    assert.equal(slice?.endpoints?.[0]?.hostname, 'db-0')
    assert.equal(slice?.endpoints?.[0]?.conditions.ready, true)
  })
})

test('a Service without endpoints has one empty slice, and one without a selector none', async t => {
  const { client } = await setUp(t)
  await makeService(client)
  await client.create(resources.services, {
    metadata: { namespace: 'default', name: 'manual' },
    spec: { ports: [{ port: 1 }] },
  })
  await eventually(async () => {
    const slices = await slicesOf(client)
    assert.equal(slices.length, 1)
    assert.deepEqual(slices[0]?.endpoints ?? [], [])
    assert.deepEqual((await endpointsOf(client)).subsets ?? [], [])
  })
  const pod = await makePod(client, 'pod', { podIP: '10.0.0.1' })
  await eventually(async () => assert.equal((await slicesOf(client))[0]?.endpoints?.length, 1))
  await client.delete(resources.pods, pod.metadata, { gracePeriodSeconds: 0 })
  await eventually(async () =>
    assert.deepEqual(
      (await slicesOf(client)).map(({ endpoints }) => endpoints?.length ?? 0),
      [0],
    ),
  )
  const all = (await client.list(resources.endpointSlices, { namespace: 'default' })).items
  assert(!all.some(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'manual'))
})

test('a restart writes nothing that is already so', async t => {
  const { client, running, start } = await setUp(t)
  await makeService(client)
  await makePod(client, 'pod', { podIP: '10.0.0.1' })
  const versions = async () =>
    [...(await slicesOf(client)), await endpointsOf(client)].map(({ metadata }) => metadata.resourceVersion)
  await eventually(async () => {
    assert.equal((await slicesOf(client))[0]?.endpoints?.length, 1)
    assert.equal((await endpointsOf(client)).subsets?.length, 1)
  })
  await running.stop()
  const before = await versions()
  await start()
  await steadily(async () => assert.deepEqual(await versions(), before))
})

test('the older list goes with its Service', async t => {
  const { client, running, start } = await setUp(t)
  await makeService(client)
  await eventually(() => endpointsOf(client))
  await running.stop()
  await client.delete(resources.services, { namespace: 'default', name: 'web' })
  await start()
  await eventually(() => assert.rejects(endpointsOf(client)))
})

test('endpoints stay in their slices, and new ones fill what changes anyway', () => {
  const endpoint = (index: number): discovery.Endpoint => ({
    addresses: [`10.0.0.${index}`],
    conditions: { ready: true },
  })
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => endpoint(from + index))
  const slice = (name: string, endpoints: discovery.Endpoint[]) =>
    ({ metadata: { name }, addressType: 'IPv4', ports: [], endpoints }) as unknown as discovery.EndpointSlice
  const group = (endpoints: discovery.Endpoint[]) => [{ addressType: 'IPv4', ports: [], endpoints }]
  const sizes = ({ plans }: ReturnType<typeof distribute>) =>
    plans.map(plan => `${plan.slice?.metadata.name ?? 'new'}:${plan.endpoints.length}${plan.changed ? '*' : ''}`).sort()

  assert.deepEqual(sizes(distribute(group(range(0, 25)), [], 10)), ['new:10*', 'new:10*', 'new:5*'])
  const present = [slice('a', range(0, 10)), slice('b', range(10, 18))]
  assert.deepEqual(sizes(distribute(group(range(0, 18)), present, 10)), ['a:10', 'b:8'])
  assert.deepEqual(sizes(distribute(group(range(0, 19)), present, 10)), ['a:10', 'b:9*'])
  assert.deepEqual(sizes(distribute(group(range(1, 19)), present, 10)), ['a:10*', 'b:8'], 'one write is enough')
  const shrunk = distribute(group(range(0, 10)), present, 10)
  assert.deepEqual(sizes(shrunk), ['a:10'])
  assert.deepEqual(
    shrunk.surplus.map(({ metadata }) => metadata.name),
    ['b'],
  )
  assert.deepEqual(sizes(distribute(group([]), [], 10)), ['new:0*'])
})
