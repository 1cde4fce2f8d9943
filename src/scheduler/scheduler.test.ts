import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { eventually, MemoryApi } from '../../test/support/memory-api.ts'
import { type core, errors, resources } from '../api/index.ts'
import { type Component, seededRandom, silentLogger, systemClock, VirtualClock } from '../base/index.ts'
import { startScheduler } from './index.ts'
import { testContainer, testNode, testPod } from './testing.ts'

const tools = { clock: systemClock, random: seededRandom(1), log: silentLogger }
const running: Component[] = []
afterEach(async () => {
  for (const component of running.splice(0)) await component.stop()
})

/** An API whose bindings take effect, as the server's do. */
function api(): MemoryApi {
  const client = new MemoryApi()
  client.onSubresource = (subresource, ref, body) => {
    if (subresource !== 'binding') return
    const { target } = body as core.Binding
    void client.patch(resources.pods, ref, { type: 'merge', body: { spec: { nodeName: target.name } } })
  }
  return client
}

async function start(client: MemoryApi, more = tools): Promise<Component> {
  const scheduler = await startScheduler({ client, ...more })
  running.push(scheduler)
  return scheduler
}

const bindings = (client: MemoryApi) =>
  client.subresourceCalls
    .filter(({ subresource }) => subresource === 'binding')
    .map(({ ref, body }) => `${ref.name} to ${(body as core.Binding).target.name}`)

const nodeOf = async (client: MemoryApi, name: string) =>
  (await client.get(resources.pods, { namespace: 'default', name })).spec.nodeName

const condition = async (client: MemoryApi, name: string) =>
  (await client.get(resources.pods, { namespace: 'default', name })).status.conditions?.[0]

const events = async (client: MemoryApi) =>
  (await client.list(resources.events)).items.map(({ reason, message }) => `${reason}: ${message}`)

test('a pod is bound, with the event that people know', async () => {
  const client = api()
  await client.create(resources.nodes, testNode('a'))
  await client.create(resources.pods, testPod('web'))
  await start(client)
  await eventually(async () => (await nodeOf(client, 'web')) === 'a')
  await eventually(async () => (await events(client)).includes('Scheduled: Successfully assigned default/web to a'))
})

test('pods with a node, and those of another scheduler, are left alone', async () => {
  const client = api()
  await client.create(resources.nodes, testNode('a'))
  await client.create(resources.pods, testPod('bound', { nodeName: 'a' }))
  await client.create(resources.pods, testPod('foreign', { schedulerName: 'another' }))
  await start(client)
  await client.create(resources.pods, testPod('ours'))
  await eventually(async () => (await nodeOf(client, 'ours')) === 'a')
  assert.deepEqual(bindings(client), ['ours to a'])
})

test('room that was assumed is gone before the binding is confirmed', async () => {
  const client = new MemoryApi()
  await client.create(resources.nodes, testNode('a'))
  const big = { containers: [testContainer({ cpu: '3' })] }
  await client.create(resources.pods, testPod('first', big))
  await client.create(resources.pods, testPod('second', big))
  await start(client)
  await eventually(async () => (await condition(client, 'second'))?.reason === 'Unschedulable')
  assert.deepEqual(bindings(client), ['first to a'])
})

test('what cannot be placed says why, and is placed when there is room', async () => {
  const client = api()
  const clock = new VirtualClock()
  await start(client, { ...tools, clock })
  await client.create(resources.pods, testPod('web', { containers: [testContainer({ cpu: '3' })] }))
  await eventually(async () => (await condition(client, 'web'))?.message === 'no nodes available to schedule pods')
  await client.create(resources.nodes, testNode('a', {}, { cpu: '1', memory: '1Gi', pods: '110' }))
  await eventually(async () => {
    await clock.advance(1000)
    return (
      (await condition(client, 'web'))?.message ===
      '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.'
    )
  })
  assert.equal((await condition(client, 'web'))?.status, 'False')
  assert.ok(
    (await events(client)).some(event =>
      event.startsWith('FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu.'),
    ),
  )
  await client.create(resources.nodes, testNode('b'))
  await eventually(async () => {
    await clock.advance(1000)
    return (await nodeOf(client, 'web')) === 'b'
  })
})

test('a pod whose room frees when another goes is placed', async () => {
  const client = api()
  const clock = new VirtualClock()
  const big = { containers: [testContainer({ cpu: '3' })] }
  await client.create(resources.nodes, testNode('a'))
  await client.create(resources.pods, testPod('old', { ...big, nodeName: 'a' }))
  await client.create(resources.pods, testPod('new', big))
  await start(client, { ...tools, clock })
  await eventually(async () => (await condition(client, 'new'))?.reason === 'Unschedulable')
  await client.delete(resources.pods, { namespace: 'default', name: 'old' })
  await eventually(async () => {
    await clock.advance(1000)
    return (await nodeOf(client, 'new')) === 'a'
  })
})

test('a refused binding frees what was assumed and is tried again after its backoff', async () => {
  const client = api()
  const clock = new VirtualClock()
  const act = client.onSubresource
  let refusals = 1
  client.onSubresource = (subresource, ref, body) => {
    if (subresource === 'binding' && refusals-- > 0) throw errors.internal('no')
    act(subresource, ref, body)
  }
  await client.create(resources.nodes, testNode('a'))
  await client.create(resources.pods, testPod('web', { containers: [testContainer({ cpu: '3' })] }))
  await start(client, { ...tools, clock })
  await eventually(async () => (await condition(client, 'web'))?.reason === 'SchedulerError')
  assert.equal(await nodeOf(client, 'web'), undefined)
  await clock.advance(1000)
  await eventually(async () => (await nodeOf(client, 'web')) === 'a')
})

test('a binding whose answer was lost is not made twice', async () => {
  const client = api()
  const clock = new VirtualClock()
  const act = client.onSubresource
  client.onSubresource = (subresource, ref, body) => {
    act(subresource, ref, body)
    if (subresource !== 'binding') return
    client.subresourceCalls.push({ subresource, ref, body })
    throw new Error('the connection was closed within the answer')
  }
  await client.create(resources.nodes, testNode('a'))
  await client.create(resources.pods, testPod('web'))
  await start(client, { ...tools, clock })
  await eventually(async () => (await nodeOf(client, 'web')) === 'a')
  await clock.advance(600_000)
  assert.deepEqual(bindings(client), ['web to a'])
})

test('with leader election, one of two schedules', async () => {
  const client = api()
  await client.create(resources.nodes, testNode('a'))
  const first = await startScheduler({ client, leaderElect: true, ...tools })
  const second = await startScheduler({ client, leaderElect: true, ...tools, random: seededRandom(2) })
  running.push(first, second)
  await client.create(resources.pods, testPod('web'))
  await eventually(async () => (await nodeOf(client, 'web')) === 'a')
  assert.deepEqual(bindings(client), ['web to a'])
})
