import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startTestApiServer } from '../../test/support/apiserver.ts'
import { eventually } from '../../test/support/eventually.ts'
import { type core, resources } from '../api/index.ts'
import { silentLogger, systemClock, systemRandom } from '../base/index.ts'
import type { Client } from './client.ts'
import { connect } from './connect.ts'
import { Informers } from './informer.ts'

const parts = { clock: systemClock, random: systemRandom, log: silentLogger }

const configMap = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) => ({
  metadata: { namespace: 'default', name, labels },
  data,
})

async function setUp(t: TestContext) {
  const api = await startTestApiServer()
  const client = connect({ server: api.url, ca: api.ca, ...api.admin })
  const informers = new Informers(client, parts)
  t.after(async () => {
    await informers.stop()
    await client.close()
    await api.stop()
  })
  return { api, client, informers }
}

/** The test's ConfigMaps as the informer tells of them, as `+name`, `~name` and `-name`. */
function record(informers: Informers, labelSelector = 'test'): { told: string[]; informer: ReturnType<typeof get> } {
  const get = () => informers.get(resources.configMaps, { namespace: 'default', labelSelector })
  const informer = get()
  const told: string[] = []
  informer.addHandlers({
    add: ({ metadata }) => told.push(`+${metadata.name}`),
    update: (_old, { metadata }) => told.push(`~${metadata.name}`),
    delete: ({ metadata }) => told.push(`-${metadata.name}`),
  })
  return { told, informer }
}

const make = (client: Client, name: string, data?: Record<string, string>) =>
  client.create<core.ConfigMap>(resources.configMaps, configMap(name, data, { test: '' }))

test('an informer lists, follows, and finds by index', async t => {
  const { client, informers } = await setUp(t)
  await make(client, 'a', { color: 'red' })
  const { told, informer } = record(informers)
  informer.addIndex('color', ({ data }) => (data?.color ? [data.color] : []))
  await informer.synced
  assert.deepEqual(told, ['+a'])

  const b = await make(client, 'b', { color: 'blue' })
  await client.update(resources.configMaps, { ...b, data: { color: 'red' } })
  await client.create(resources.configMaps, configMap('unseen'))
  await client.delete(resources.configMaps, { namespace: 'default', name: 'a' })
  await eventually(() => assert.deepEqual(told, ['+a', '+b', '~b', '-a']))

  assert.deepEqual(
    informer.lister.byIndex('color', 'red').map(({ metadata }) => metadata.name),
    ['b'],
  )
  assert.deepEqual(informer.lister.byIndex('color', 'blue'), [])
  assert.equal(informer.lister.get({ namespace: 'default', name: 'b' })?.kind, 'ConfigMap')
  assert.equal(informer.lister.list('kube-system').length, 0)
  assert.equal(informer.lister.get({ namespace: 'default', name: 'unseen' }), undefined)
})

test('who asks for the same objects shares an informer, and a late handler hears of all that is there', async t => {
  const { client, informers } = await setUp(t)
  await make(client, 'a')
  const first = record(informers)
  await first.informer.synced
  const second = record(informers)
  assert.equal(second.informer, first.informer)
  assert.deepEqual(second.told, ['+a'])
})

test('only metadata is kept where only metadata is wanted', async t => {
  const { client, informers } = await setUp(t)
  await make(client, 'a', { large: 'x'.repeat(1000) })
  const informer = informers.get(resources.configMaps, { labelSelector: 'test', metadataOnly: true })
  await informer.synced
  const [kept] = informer.lister.list()
  assert.equal(kept?.metadata.name, 'a')
  assert.equal(kept?.data, undefined)
  assert.equal(kept?.apiVersion, 'v1')
})

test('a restart of the server is survived: nothing is missed and nothing told twice', async t => {
  const { api, client: control } = await setUp(t)
  let server = await api.another()
  const client = connect({ server: server.url, ca: api.ca, ...api.admin })
  const informers = new Informers(client, parts)
  t.after(async () => {
    await informers.stop()
    await client.close()
    await server.stop()
  })
  await make(control, 'kept')
  await make(control, 'doomed')
  const { told, informer } = record(informers)
  await informer.synced
  const { port } = server
  await server.stop()
  await control.delete(resources.configMaps, { namespace: 'default', name: 'doomed' })
  await make(control, 'new')
  server = await api.another({ port })
  await eventually(() => assert.deepEqual(told, ['+doomed', '+kept', '-doomed', '+new']))
})

test('a server that has forgotten the revision is listed anew, and the differences are told', async t => {
  const { api, client: control } = await setUp(t)
  let server = await api.another()
  const client = connect({ server: server.url, ca: api.ca, ...api.admin })
  const informers = new Informers(client, parts)
  t.after(async () => {
    await informers.stop()
    await client.close()
    await server.stop()
  })
  const same = await make(control, 'same')
  await make(control, 'doomed')
  const reborn = await make(control, 'reborn')
  const { told, informer } = record(informers)
  await informer.synced
  told.length = 0
  const { port } = server
  await server.stop()
  await control.delete(resources.configMaps, { namespace: 'default', name: 'doomed' })
  await control.delete(resources.configMaps, { namespace: 'default', name: 'reborn' })
  await make(control, 'reborn')
  await make(control, 'new')
  await api.store.compact(await api.store.revision())
  server = await api.another({ port })
  await eventually(() => assert.deepEqual(told.toSorted(), ['+new', '+reborn', '-doomed', '-reborn']))
  const { lister } = informer
  assert.equal(lister.get(same.metadata)?.metadata.uid, same.metadata.uid)
  assert.notEqual(lister.get(reborn.metadata)?.metadata.uid, reborn.metadata.uid)
})

test('a server that comes back with a state of its own is followed', async t => {
  const [one, other] = [await startTestApiServer(), await startTestApiServer()]
  let server = await one.another()
  const client = connect({ server: server.url, ca: one.ca, ...one.admin })
  const seed = connect({ server: other.url, ca: other.ca, ...other.admin })
  const informers = new Informers(client, parts)
  t.after(async () => {
    await informers.stop()
    await client.close()
    await seed.close()
    await server.stop()
    await one.stop()
    await other.stop()
  })
  for (let count = 0; count < 30; count++) await make(client, `old-${count}`)
  await make(seed, 'elsewhere')
  const { informer } = record(informers)
  await informer.synced
  assert.equal(informer.lister.size, 30)
  const { port } = server
  await server.stop()
  server = await one.another({ port, store: other.store })
  await eventually(() =>
    assert.deepEqual(
      informer.lister.list().map(({ metadata }) => metadata.name),
      ['elsewhere'],
    ),
  )
})
