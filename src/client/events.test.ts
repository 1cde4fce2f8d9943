import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApiServer } from '../../test/support/apiserver.ts'
import { resources } from '../api/index.ts'
import { silentLogger, systemClock, systemRandom } from '../base/index.ts'
import { connect } from './connect.ts'
import { EventRecorder } from './events.ts'

test('events are written as upstream writes them, and the same one again is counted', async t => {
  const api = await startTestApiServer()
  const client = connect({ server: api.url, ca: api.ca, ...api.admin })
  t.after(async () => {
    await client.close()
    await api.stop()
  })
  const recorder = new EventRecorder({
    client,
    component: 'kubelet',
    host: 'node-1',
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  })
  const about = await client.create(resources.configMaps, { metadata: { namespace: 'default', name: 'thing' } })
  for (let time = 0; time < 3; time++) recorder.warning(about, 'Failed', 'it went wrong')
  recorder.normal({ kind: 'Node', name: 'node-1', uid: 'node-1' }, 'Starting', 'Starting kubelet.')
  await recorder.stop()

  const { items } = await client.list(resources.events, { namespace: 'default' })
  const [failed] = items.filter(({ reason }) => reason === 'Failed')
  assert.match(failed?.metadata.name ?? '', /^thing\.[0-9a-f]{16}$/)
  assert.equal(failed?.count, 3)
  assert.equal(failed?.type, 'Warning')
  assert.equal(failed?.message, 'it went wrong')
  assert.deepEqual(failed?.source, { component: 'kubelet', host: 'node-1' })
  assert.equal(failed?.reportingComponent, 'kubelet')
  assert.equal(failed?.reportingInstance, 'node-1')
  assert.equal(failed?.involvedObject.uid, about.metadata.uid)
  assert.equal(items.filter(({ reason }) => reason === 'Starting').length, 1)
})
