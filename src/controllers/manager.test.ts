import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepReady, podsOf, podTemplate, startTestControlPlane, steadily } from '../../test/support/controllers.ts'
import { eventually } from '../../test/support/eventually.ts'
import { resources } from '../api/index.ts'
import { silentLogger, systemClock, systemRandom } from '../base/index.ts'
import { connect } from '../client/index.ts'
import { startControllerManager } from './index.ts'

const parts = { clock: systemClock, random: systemRandom, log: silentLogger }
const labels = { app: 'web' }
const REF = { namespace: 'default', name: 'web' }
const draft = (replicas: number, image = 'demo:1') => ({
  metadata: REF,
  spec: { replicas, selector: { matchLabels: labels }, template: podTemplate(labels, image) },
})

test('with leader election one of two managers acts, and the other when the first has stopped', async t => {
  const { client, run } = await startTestControlPlane(t)
  const start = () => startControllerManager({ client, leaderElect: true, ...parts })
  const first = await start()
  await run(() => [first])
  const holder = async () =>
    (await client.get(resources.leases, { namespace: 'kube-system', name: 'kube-controller-manager' })).spec
      .holderIdentity
  const leader = await eventually(async () => {
    const leader = await holder()
    assert(leader)
    return leader
  })
  const second = await start()
  await run(() => [second])
  await client.create(resources.deployments, draft(2))
  await eventually(async () => assert.equal((await podsOf(client)).length, 2))
  await first.stop()
  await eventually(async () => {
    const now = await holder()
    assert(now && now !== leader)
  })
  await client.patch(resources.deployments, REF, { type: 'merge', body: { spec: { replicas: 3 } } })
  await eventually(async () => assert.equal((await podsOf(client)).length, 3))
})

test('a rollout goes on when the API server is back', async t => {
  const { api, client: control, run } = await startTestControlPlane(t)
  let server = await api.another()
  const client = connect({ server: server.url, ca: api.ca, ...api.admin })
  const manager = await startControllerManager({ client, ...parts })
  await run(() => [
    {
      async stop() {
        await manager.stop()
        await client.close()
        await server.stop()
      },
    },
    keepReady(control),
  ])
  await control.create(resources.deployments, draft(10))
  await eventually(async () =>
    assert.equal((await control.get(resources.deployments, REF)).status.availableReplicas, 10),
  )
  await control.patch(resources.deployments, REF, { type: 'merge', body: { spec: draft(10, 'demo:2').spec } })
  await eventually(async () => assert.equal((await control.list(resources.replicaSets)).items.length, 2))
  const { port } = server
  await server.stop()
  server = await api.another({ port })
  await eventually(async () => {
    const { status, metadata } = await control.get(resources.deployments, REF)
    assert.equal(status.observedGeneration, metadata.generation)
    assert.deepEqual([status.replicas, status.updatedReplicas, status.availableReplicas], [10, 10, 10])
  })
  await steadily(async () => {
    const pods = await podsOf(control)
    assert.equal(pods.length, 10)
    assert(pods.every(({ spec }) => spec.containers[0]?.image === 'demo:2'))
  })
})

test('nothing is left after a Deployment is deleted', async t => {
  const { client, run } = await startTestControlPlane(t)
  const manager = await startControllerManager({ client, ...parts })
  await run(() => [manager])
  await client.create(resources.deployments, draft(3))
  await eventually(async () => assert.equal((await podsOf(client)).length, 3))
  await client.delete(resources.deployments, REF)
  await eventually(async () => {
    assert.equal((await podsOf(client)).length, 0)
    assert.equal((await client.list(resources.replicaSets)).items.length, 0)
  })
})

test('a ReplicationController keeps its pods', async t => {
  const { client, run } = await startTestControlPlane(t)
  const manager = await startControllerManager({ client, ...parts })
  await run(() => [manager])
  await client.create(resources.replicationControllers, {
    metadata: REF,
    spec: { replicas: 2, selector: labels, template: podTemplate(labels) },
  })
  await eventually(async () => {
    assert.equal((await podsOf(client)).length, 2)
    assert.equal((await client.get(resources.replicationControllers, REF)).status.replicas, 2)
  })
})
