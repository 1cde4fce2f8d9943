import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startTestApiServer } from '../../test/support/apiserver.ts'
import { eventually } from '../../test/support/eventually.ts'
import { resources } from '../api/index.ts'
import { silentLogger, systemClock, systemRandom, VirtualClock } from '../base/index.ts'
import { connect } from './connect.ts'
import { LeaderElector } from './lease.ts'

const REF = { namespace: 'kube-system', name: 'test' }

async function setUp(t: TestContext) {
  const api = await startTestApiServer()
  const client = connect({ server: api.url, ca: api.ca, ...api.admin })
  const electors: LeaderElector[] = []
  t.after(async () => {
    for (const elector of electors) await elector.stop()
    await client.close()
    await api.stop()
  })
  const stand = (identity: string, clock = new VirtualClock()) => {
    const history: string[] = []
    const elector = new LeaderElector({
      client,
      ...REF,
      identity,
      clock,
      random: systemRandom,
      log: silentLogger,
      lead: () => history.push('lead'),
      lost: () => void history.push('lost'),
    })
    electors.push(elector)
    return { elector, history, clock }
  }
  /** Lets virtual time pass until `check` holds, with pauses in which answers of the server may come. */
  const passUntil = async (clock: VirtualClock, check: () => void) =>
    eventually(async () => {
      await clock.advance(1000)
      await systemClock.sleep(5)
      check()
    })
  return { client, stand, passUntil }
}

test('one of two leads, and gives the lease back when it stops', async t => {
  const { client, stand, passUntil } = await setUp(t)
  const one = stand('one')
  await passUntil(one.clock, () => assert(one.elector.leading))
  const two = stand('two')
  await two.clock.advance(5000)
  assert(!two.elector.leading)

  await one.elector.stop()
  assert.deepEqual(one.history, ['lead', 'lost'])
  assert.equal((await client.get(resources.leases, REF)).spec.holderIdentity, '')
  await passUntil(two.clock, () => assert(two.elector.leading))
  const { spec } = await client.get(resources.leases, REF)
  assert.equal(spec.holderIdentity, 'two')
  assert.equal(spec.leaseTransitions, 1)
})

test('a holder that says nothing any more is replaced after the whole duration', async t => {
  const { client, stand, passUntil } = await setUp(t)
  await client.create(resources.leases, {
    metadata: REF,
    spec: { holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime: '2020-01-01T00:00:00.000000Z' },
  })
  const { elector, clock } = stand('alive')
  const start = clock.monotonic()
  await passUntil(clock, () => assert(elector.leading))
  assert(clock.monotonic() - start >= 15_000, 'the holder had its time')
})
