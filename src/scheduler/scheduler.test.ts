import assert from 'node:assert/strict'
import { afterEach, type TestContext, test } from 'node:test'
import { startTestControlPlane } from '../../test/support/controllers.ts'
import { eventually } from '../../test/support/eventually.ts'
import { type core, errors, type Resource, resources } from '../api/index.ts'
import { type Component, seededRandom, silentLogger, systemClock, VirtualClock } from '../base/index.ts'
import type { Client, Ref } from '../client/index.ts'
import { type SchedulerOptions, startScheduler } from './index.ts'
import { testContainer, testNode, testPod } from './testing.ts'

const tools = { clock: systemClock, random: seededRandom(1), log: silentLogger }
const big = { containers: [testContainer({ cpu: '3' })] }

const running: Component[] = []
afterEach(async () => {
  for (const component of running.splice(0)) await component.stop()
})

/** A client to an API server of the test's own. */
/** Nobody is there to see that a node has become ready, so none begins as one that is not. */
const api = async (t: TestContext): Promise<Client> =>
  (await startTestControlPlane(t, { disabledAdmissionPlugins: ['TaintNodesByCondition'] })).client

async function start(client: Client, more: Partial<SchedulerOptions> = {}): Promise<void> {
  running.push(await startScheduler({ client, ...tools, ...more }))
}

/**
 * Notes each Binding that is asked for through the client from now on, as `POD to NODE`. `through` may refuse one, hold
 * it back, or lose its answer.
 */
function noteBindings(client: Client, through = (send: () => Promise<unknown>) => send()): string[] {
  const noted: string[] = []
  const create = client.createSubresource.bind(client)
  client.createSubresource = async <Out>(type: Resource, ref: Ref, subresource: string, body: object) => {
    if (subresource !== 'binding') return create<Out>(type, ref, subresource, body)
    noted.push(`${ref.name} to ${(body as core.Binding).target.name}`)
    return (await through(() => create(type, ref, subresource, body))) as Out
  }
  return noted
}

const nodeOf = async (client: Client, name: string) =>
  (await client.get(resources.pods, { namespace: 'default', name })).spec.nodeName

const condition = async (client: Client, name: string) =>
  (await client.get(resources.pods, { namespace: 'default', name })).status.conditions?.[0]

const events = async (client: Client) =>
  (await client.list(resources.events)).items.map(({ reason, message }) => `${reason}: ${message}`)

test('a pod is bound, with the event that people know', async t => {
  const client = await api(t)
  await client.create(resources.nodes, testNode('a'))
  await client.create(resources.pods, testPod('web'))
  await start(client)
  await eventually(async () => (await nodeOf(client, 'web')) === 'a')
  await eventually(async () => (await events(client)).includes('Scheduled: Successfully assigned default/web to a'))
})

test('pods with a node, and those of another scheduler, are left alone', async t => {
  const client = await api(t)
  await client.create(resources.nodes, testNode('a'))
  await client.create(resources.pods, testPod('bound', { nodeName: 'a' }))
  await client.create(resources.pods, testPod('foreign', { schedulerName: 'another' }))
  const bindings = noteBindings(client)
  await start(client)
  await client.create(resources.pods, testPod('ours'))
  await eventually(async () => (await nodeOf(client, 'ours')) === 'a')
  assert.deepEqual(bindings, ['ours to a'])
})

test('room that was assumed is gone before the binding is confirmed', async t => {
  const client = await api(t)
  const answer = Promise.withResolvers<void>()
  const bindings = noteBindings(client, send => answer.promise.then(send))
  await client.create(resources.nodes, testNode('a'))
  await client.create(resources.pods, testPod('first', big))
  await client.create(resources.pods, testPod('second', big))
  await start(client)
  await eventually(async () => (await condition(client, 'second'))?.reason === 'Unschedulable')
  assert.equal(await nodeOf(client, 'first'), undefined)
  answer.resolve()
  await eventually(async () => (await nodeOf(client, 'first')) === 'a')
  assert.deepEqual(bindings, ['first to a'])
})

test('what cannot be placed says why, and is placed when there is room', async t => {
  const client = await api(t)
  const clock = new VirtualClock()
  await start(client, { clock })
  await client.create(resources.pods, testPod('web', big))
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

test('a pod whose room frees when another goes is placed', async t => {
  const client = await api(t)
  const clock = new VirtualClock()
  await client.create(resources.nodes, testNode('a'))
  await client.create(resources.pods, testPod('old', { ...big, nodeName: 'a' }))
  await client.create(resources.pods, testPod('new', big))
  await start(client, { clock })
  await eventually(async () => (await condition(client, 'new'))?.reason === 'Unschedulable')
  await client.delete(resources.pods, { namespace: 'default', name: 'old' }, { gracePeriodSeconds: 0 })
  await eventually(async () => {
    await clock.advance(1000)
    return (await nodeOf(client, 'new')) === 'a'
  })
})

test('a refused binding frees what was assumed and is tried again after its backoff', async t => {
  const client = await api(t)
  const clock = new VirtualClock()
  let refusals = 1
  noteBindings(client, async send => {
    if (refusals-- > 0) throw errors.internal('no')
    await send()
  })
  await client.create(resources.nodes, testNode('a'))
  await client.create(resources.pods, testPod('web', big))
  await start(client, { clock })
  await eventually(async () => (await condition(client, 'web'))?.reason === 'SchedulerError')
  assert.equal(await nodeOf(client, 'web'), undefined)
  await clock.advance(1000)
  await eventually(async () => (await nodeOf(client, 'web')) === 'a')
})

test('a binding whose answer was lost is not made twice', async t => {
  const client = await api(t)
  const clock = new VirtualClock()
  const bindings = noteBindings(client, async send => {
    await send()
    throw new Error('the connection was closed within the answer')
  })
  await client.create(resources.nodes, testNode('a'))
  await client.create(resources.pods, testPod('web'))
  await start(client, { clock })
  await eventually(async () => (await nodeOf(client, 'web')) === 'a')
  await clock.advance(600_000)
  assert.deepEqual(bindings, ['web to a'])
})

test('with leader election, one of two schedules', async t => {
  const client = await api(t)
  await client.create(resources.nodes, testNode('a'))
  const bindings = noteBindings(client)
  await start(client, { leaderElect: true })
  await start(client, { leaderElect: true, random: seededRandom(2) })
  await client.create(resources.pods, testPod('web'))
  await eventually(async () => (await nodeOf(client, 'web')) === 'a')
  assert.deepEqual(bindings, ['web to a'])
})
