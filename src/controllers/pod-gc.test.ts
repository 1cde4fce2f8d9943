import assert from 'node:assert/strict'
import { test } from 'node:test'
import { names, podsOf, podTemplate, startTestControlPlane } from '../../test/support/controllers.ts'
import { eventually } from '../../test/support/eventually.ts'
import { resources } from '../api/index.ts'
import { systemClock, VirtualClock } from '../base/index.ts'
import { startPodGarbageCollector } from './pod-gc.ts'

test('pods of a node that is gone are removed after a while, others are not', async t => {
  const { client, run } = await startTestControlPlane(t)
  const clock = new VirtualClock(systemClock.now())
  for (const name of ['gone', 'here']) {
    await client.create(resources.nodes, { metadata: { name } })
    const spec = { ...podTemplate({}).spec, nodeName: name }
    await client.create(resources.pods, { metadata: { namespace: 'default', name: `on-${name}` }, spec })
  }
  await client.create(resources.pods, {
    metadata: { namespace: 'default', name: 'waiting' },
    spec: podTemplate({}).spec,
  })
  await run(context => [startPodGarbageCollector(context)], clock)
  await client.delete(resources.nodes, { name: 'gone' })
  await eventually(async () => {
    await clock.advance(20_000)
    assert.deepEqual(names(await podsOf(client)), ['on-here', 'waiting'])
  })
  assert(clock.monotonic() >= 40_000, 'the node had time to come back')
})
