import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { names, startTestControlPlane, steadily } from '../../../test/support/controllers.ts'
import { eventually } from '../../../test/support/eventually.ts'
import { type core, is, resources } from '../../api/index.ts'
import type { Client } from '../../client/index.ts'
import { startGarbageCollector } from './index.ts'

async function setUp(t: TestContext) {
  const plane = await startTestControlPlane(t)
  const start = () => plane.run(context => [startGarbageCollector(context)])
  return { ...plane, start }
}

interface Owned {
  owners?: core.ConfigMap[]
  block?: boolean
  finalizers?: string[]
  namespace?: string
}

function make(client: Client, name: string, options: Owned = {}): Promise<core.ConfigMap> {
  const { owners = [], block = true, finalizers, namespace = 'default' } = options
  const ownerReferences = owners.map(({ apiVersion, kind, metadata }) => ({
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid,
    blockOwnerDeletion: block,
  }))
  return client.create<core.ConfigMap>(resources.configMaps, {
    metadata: { namespace, name, ownerReferences, finalizers },
  })
}

const ref = (name: string, namespace = 'default') => ({ namespace, name })
const present = async (client: Client, namespace = 'default') =>
  names((await client.list(resources.configMaps, { namespace })).items)
const get = (client: Client, name: string) => client.get(resources.configMaps, ref(name))

test('in the background, dependents go after their owner, through all generations', async t => {
  const { client, start } = await setUp(t)
  await start()
  const owner = await make(client, 'owner')
  const child = await make(client, 'child', { owners: [owner] })
  await make(client, 'grandchild', { owners: [child] })
  await make(client, 'unrelated')
  await client.delete(resources.configMaps, ref('owner'), { propagationPolicy: 'Background' })
  await eventually(async () => assert.deepEqual(await present(client), ['unrelated']))
})

test('one of two owners is enough to stay, and the other reference goes', async t => {
  const { client, start } = await setUp(t)
  await start()
  const [one, two] = [await make(client, 'one'), await make(client, 'two')]
  await make(client, 'child', { owners: [one, two] })
  await client.delete(resources.configMaps, ref('one'), { propagationPolicy: 'Background' })
  await eventually(async () => {
    const { metadata } = await get(client, 'child')
    assert.deepEqual(
      metadata.ownerReferences?.map(({ name }) => name),
      ['two'],
    )
  })
})

test('in the foreground, the owner waits for dependents that block it, and for no others', async t => {
  const { client, start } = await setUp(t)
  await start()
  const owner = await make(client, 'owner')
  await make(client, 'held', { owners: [owner], finalizers: ['example.com/hold'] })
  await make(client, 'loose', { owners: [owner], block: false, finalizers: ['example.com/hold'] })
  await client.delete(resources.configMaps, ref('owner'), { propagationPolicy: 'Foreground' })
  await eventually(async () => assert((await get(client, 'held')).metadata.deletionTimestamp))
  await steadily(async () => assert((await get(client, 'owner')).metadata.deletionTimestamp))
  const body = { metadata: { finalizers: null } }
  await client.patch(resources.configMaps, ref('held'), { type: 'merge', body })
  await eventually(() => assert.rejects(get(client, 'owner'), error => is(error, 'NotFound')))
  await eventually(async () => assert((await get(client, 'loose')).metadata.deletionTimestamp))
})

test('orphans lose their reference and stay', async t => {
  const { client, start } = await setUp(t)
  await start()
  const owner = await make(client, 'owner')
  await make(client, 'child', { owners: [owner] })
  await client.delete(resources.configMaps, ref('owner'), { propagationPolicy: 'Orphan' })
  await eventually(() => assert.rejects(get(client, 'owner'), error => is(error, 'NotFound')))
  assert.equal((await get(client, 'child')).metadata.ownerReferences?.length ?? 0, 0)
})

test('what was owned by somebody who went while nobody looked is found at the start', async t => {
  const { client, start } = await setUp(t)
  const owner = await make(client, 'owner')
  await make(client, 'child', { owners: [owner] })
  await client.delete(resources.configMaps, ref('owner'), { propagationPolicy: 'Background' })
  await make(client, 'owner')
  await start()
  await eventually(async () => assert.deepEqual(await present(client), ['owner']))
})

test('an owner in another namespace is no owner', async t => {
  const { client, start } = await setUp(t)
  await start()
  const foreign = await make(client, 'foreign', { namespace: 'kube-system' })
  await make(client, 'child', { owners: [foreign] })
  await eventually(async () => assert.deepEqual(await present(client), []))
  await eventually(async () => {
    const { items } = await client.list(resources.events, { namespace: 'default' })
    const event = items.find(({ reason }) => reason === 'OwnerRefInvalidNamespace')
    assert.match(event?.message ?? '', /does not exist in namespace "default"$/)
  })
  assert((await present(client, 'kube-system')).includes('foreign'))
})

test('objects that own each other go together', async t => {
  const { client, start } = await setUp(t)
  await start()
  const one = await make(client, 'one')
  const two = await make(client, 'two', { owners: [one] })
  const ownerReferences = [
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'two', uid: two.metadata.uid, blockOwnerDeletion: true },
  ]
  await client.patch(resources.configMaps, ref('one'), { type: 'merge', body: { metadata: { ownerReferences } } })
  await client.delete(resources.configMaps, ref('one'), { propagationPolicy: 'Foreground' })
  await eventually(async () => assert.deepEqual(await present(client), []))
})
