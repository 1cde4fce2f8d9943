import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  makeReady,
  names,
  podsOf,
  podTemplate,
  setPodStatus,
  startTestControlPlane,
  steadily,
} from '../../test/support/controllers.ts'
import { eventually } from '../../test/support/eventually.ts'
import { is, resources } from '../api/index.ts'
import { startReplicaSetController } from './replicaset.ts'

const labels = { app: 'web' }
const draft = (replicas: number) => ({
  metadata: { namespace: 'default', name: 'web' },
  spec: { replicas, selector: { matchLabels: labels }, template: podTemplate(labels) },
})
const REF = { namespace: 'default', name: 'web' }

test('as many pods as wanted are made, counted, replaced and removed', async t => {
  const { client, run } = await startTestControlPlane(t)
  await run(context => [startReplicaSetController(context)])
  await client.create(resources.replicaSets, draft(3))
  const pods = await eventually(async () => {
    const pods = await podsOf(client)
    assert.equal(pods.length, 3)
    return pods
  })
  for (const { metadata } of pods) {
    assert.match(metadata.name, /^web-[a-z0-9]{5}$/)
    assert.equal(metadata.ownerReferences?.[0]?.controller, true)
  }
  await makeReady(client)
  await eventually(async () => {
    const { status, metadata } = await client.get(resources.replicaSets, REF)
    assert.deepEqual(status, {
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      terminatingReplicas: 0,
      observedGeneration: metadata.generation,
    })
  })

  const [first] = pods
  await client.delete(resources.pods, first!.metadata, { gracePeriodSeconds: 0 })
  await eventually(async () => {
    const now = names(await podsOf(client))
    assert.equal(now.length, 3)
    assert(!now.includes(first!.metadata.name))
  })
  await client.patch(resources.replicaSets, REF, { type: 'merge', body: { spec: { replicas: 1 } } })
  await eventually(async () => assert.equal((await podsOf(client)).length, 1))
  await steadily(async () => assert.equal((await podsOf(client)).length, 1))
  await eventually(async () => {
    const messages = (await client.list(resources.events, { namespace: 'default' })).items.map(event => event.message)
    assert.equal(messages.filter(message => message?.startsWith('Created pod: web-')).length, 4)
    assert.equal(messages.filter(message => message?.startsWith('Deleted pod: web-')).length, 2)
  })
})

test('a pod that is not ready is given up before one that is', async t => {
  const { client, run } = await startTestControlPlane(t)
  await run(context => [startReplicaSetController(context)])
  await client.create(resources.replicaSets, draft(3))
  const pods = await eventually(async () => {
    const pods = await podsOf(client)
    assert.equal(pods.length, 3)
    return pods
  })
  const [ready, ...others] = pods
  await setPodStatus(client, ready!, {})
  for (const pod of others) await setPodStatus(client, pod, { ready: false })
  await eventually(async () => assert.equal((await client.get(resources.replicaSets, REF)).status.readyReplicas, 1))
  await client.patch(resources.replicaSets, REF, { type: 'merge', body: { spec: { replicas: 1 } } })
  await eventually(async () => assert.deepEqual(names(await podsOf(client)), [ready!.metadata.name]))
})

test('orphans that match are adopted, and a pod that matches no longer is released and replaced', async t => {
  const { client, run } = await startTestControlPlane(t)
  const orphan = { metadata: { namespace: 'default', name: 'orphan', labels }, spec: podTemplate(labels).spec }
  await client.create(resources.pods, orphan)
  await run(context => [startReplicaSetController(context)])
  const owner = await client.create(resources.replicaSets, draft(2))
  await eventually(async () => {
    const pods = await podsOf(client)
    assert.equal(pods.length, 2)
    assert(pods.every(({ metadata }) => metadata.ownerReferences?.[0]?.uid === owner.metadata.uid))
  })
  await client.patch(
    resources.pods,
    { namespace: 'default', name: 'orphan' },
    { type: 'merge', body: { metadata: { labels: { app: 'debug' } } } },
  )
  await eventually(async () => {
    const pods = await podsOf(client)
    assert.equal(pods.length, 3)
    assert.equal(pods.find(({ metadata }) => metadata.name === 'orphan')?.metadata.ownerReferences, undefined)
  })
})

test('a restart makes no pod twice', async t => {
  const { client, run } = await startTestControlPlane(t)
  const first = await run(context => [startReplicaSetController(context)])
  await client.create(resources.replicaSets, draft(40))
  await eventually(async () => assert((await podsOf(client)).length > 0))
  await first.stop()
  await run(context => [startReplicaSetController(context)])
  await eventually(async () => assert.equal((await podsOf(client)).length, 40))
  await steadily(async () => assert.equal((await podsOf(client)).length, 40))
})

test('a finished pod is replaced, and stays', async t => {
  const { client, run } = await startTestControlPlane(t)
  await run(context => [startReplicaSetController(context)])
  await client.create(resources.replicaSets, draft(1))
  const [pod] = await eventually(async () => {
    const pods = await podsOf(client)
    assert.equal(pods.length, 1)
    return pods
  })
  await setPodStatus(client, pod!, { phase: 'Failed', ready: false })
  await eventually(async () => assert.equal((await podsOf(client)).length, 2))
  await eventually(async () => assert.equal((await client.get(resources.replicaSets, REF)).status.replicas, 1))
})

test('what the API server refuses is told in a condition and an event', async t => {
  const { client, run } = await startTestControlPlane(t)
  await run(context => [startReplicaSetController(context)])
  const bad = draft(1)
  Object.assign(bad.spec.template.spec, { serviceAccountName: 'nobody' })
  await client.create(resources.replicaSets, bad)
  await eventually(async () => {
    const { status } = await client.get(resources.replicaSets, REF)
    assert.equal(status.conditions?.[0]?.type, 'ReplicaFailure')
    assert.equal(status.conditions?.[0]?.reason, 'FailedCreate')
    assert.match(status.conditions?.[0]?.message ?? '', /serviceaccount "nobody" not found/)
  })
  await eventually(async () => {
    const { items } = await client.list(resources.events, { namespace: 'default' })
    assert(
      items.some(
        ({ reason, message }) => reason === 'FailedCreate' && message?.startsWith('Error creating: pods "web-'),
      ),
    )
  })
  await assert.rejects(client.get(resources.serviceAccounts, { namespace: 'default', name: 'nobody' }), error =>
    is(error, 'NotFound'),
  )
})
