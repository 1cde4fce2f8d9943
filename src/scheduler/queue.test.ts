import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../base/index.ts'
import { nodePorts } from './plugins/node-ports.ts'
import { nodeUnschedulable } from './plugins/node-unschedulable.ts'
import { prioritySort } from './plugins/priority-sort.ts'
import { schedulingGates } from './plugins/scheduling-gates.ts'
import { SchedulingQueue } from './queue.ts'
import { testPod } from './testing.ts'

function setUp() {
  const clock = new VirtualClock()
  let calls = 0
  const queue = new SchedulingQueue({
    clock,
    plugins: [schedulingGates, prioritySort, nodeUnschedulable, nodePorts],
    ready: () => calls++,
  })
  return { clock, queue, readyCalls: () => calls }
}

test('higher priority first, then who came first', async () => {
  const { clock, queue } = setUp()
  queue.add(testPod('low', { priority: 0 }))
  await clock.advance(1)
  queue.add(testPod('later', { priority: 0 }))
  queue.add(testPod('high', { priority: 100 }))
  assert.deepEqual(
    [queue.pop(), queue.pop(), queue.pop(), queue.pop()].map(queued => queued?.pod.metadata.name),
    ['high', 'low', 'later', undefined],
  )
})

test('a failed pod waits 1 s, 2 s, 4 s, 8 s, then always 10 s', async () => {
  const { clock, queue } = setUp()
  queue.add(testPod('pod'))
  for (const wait of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
    const queued = queue.pop()
    assert.ok(queued)
    queue.fail(queued)
    await clock.advance(wait - 1)
    assert.equal(queue.size.active, 0)
    await clock.advance(1)
    assert.equal(queue.size.active, 1)
  }
})

test('a rejected pod comes back only for an event that helps its rejectors', async () => {
  const { clock, queue } = setUp()
  queue.add(testPod('pod'))
  queue.reject(queue.pop()!, ['NodeUnschedulable'])
  await clock.advance(60_000)
  queue.moveOn('AssignedPodDelete')
  assert.equal(queue.size.unschedulable, 1)
  queue.moveOn('NodeTaint')
  assert.equal(queue.pop()?.pod.metadata.name, 'pod')
})

test('an event that helps within the backoff makes a pod wait for its end, unless nothing else is to be done', async () => {
  const { clock, queue, readyCalls } = setUp()
  queue.add(testPod('pod'))
  queue.reject(queue.pop()!, ['NodePorts'])
  const before = readyCalls()
  queue.moveOn('AssignedPodDelete')
  assert.ok(readyCalls() > before)
  assert.deepEqual(queue.size, { active: 0, backoff: 1, unschedulable: 0, gated: 0 })
  queue.add(testPod('other'))
  assert.equal(queue.pop()?.pod.metadata.name, 'other')
  assert.equal(queue.pop()?.pod.metadata.name, 'pod')
  await clock.advance(60_000)
  assert.equal(queue.pop(), undefined)
})

test('without any event a rejected pod is tried again after five minutes', async () => {
  const { clock, queue } = setUp()
  queue.add(testPod('pod'))
  queue.reject(queue.pop()!, ['NodePorts'])
  await clock.advance(299_999)
  assert.equal(queue.size.active, 0)
  await clock.advance(1)
  assert.equal(queue.size.active, 1)
})

test('a gated pod stays away until the gate is gone', () => {
  const { queue } = setUp()
  queue.add(testPod('pod', { schedulingGates: [{ name: 'wait' }] }))
  queue.moveOn('NodeAdd')
  assert.deepEqual(queue.size, { active: 0, backoff: 0, unschedulable: 0, gated: 1 })
  queue.update(testPod('pod'))
  assert.equal(queue.size.active, 1)
})

test('a status change does not bring a rejected pod back, a change of its spec does', async () => {
  const { clock, queue } = setUp()
  queue.add(testPod('pod'))
  queue.reject(queue.pop()!, ['NodePorts'])
  await clock.advance(1000)
  const reported = testPod('pod')
  reported.status.message = 'no node'
  queue.update(reported)
  assert.equal(queue.size.unschedulable, 1)
  queue.update(testPod('pod', { tolerations: [{ operator: 'Exists' }] }))
  assert.equal(queue.size.active, 1)
})

test('a deleted pod is nowhere', () => {
  const { queue } = setUp()
  queue.add(testPod('a'))
  queue.add(testPod('b'))
  queue.reject(queue.pop()!, [])
  queue.delete('uid-a')
  queue.delete('uid-b')
  assert.deepEqual(queue.size, { active: 0, backoff: 0, unschedulable: 0, gated: 0 })
})
