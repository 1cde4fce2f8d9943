import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApiServer } from '../../test/support/apiserver.ts'
import { is, resources } from '../api/index.ts'
import { connect } from './connect.ts'
import { TransportError } from './errors.ts'

test('a client of a real API server', async t => {
  const api = await startTestApiServer()
  const client = connect({ server: api.url, ca: api.ca, ...api.admin })
  t.after(async () => {
    await client.close()
    await api.stop()
  })
  const ref = { namespace: 'default', name: 'settings' }

  await t.test('creates, reads, updates, patches and deletes', async () => {
    const created = await client.create(resources.configMaps, { metadata: ref, data: { a: '1' } })
    assert.equal(created.kind, 'ConfigMap')
    await client.update(resources.configMaps, { ...created, data: { a: '2' } })
    const patched = await client.patch(resources.configMaps, ref, { type: 'merge', body: { data: { b: '3' } } })
    assert.deepEqual(patched.data, { a: '2', b: '3' })
    const body = [{ op: 'remove', path: '/data/a' }]
    await client.patch(resources.configMaps, ref, { type: 'json', body })
    assert.deepEqual((await client.get(resources.configMaps, ref)).data, { b: '3' })
    await client.delete(resources.configMaps, ref)
    await assert.rejects(client.get(resources.configMaps, ref), error => is(error, 'NotFound'))
  })

  await t.test('a dry run changes nothing', async () => {
    await client.create(resources.configMaps, { metadata: ref }, { dryRun: true })
    await assert.rejects(client.get(resources.configMaps, ref), error => is(error, 'NotFound'))
  })

  await t.test('a stale update is a conflict', async () => {
    const stale = await client.create(resources.configMaps, { metadata: ref })
    await client.update(resources.configMaps, { ...stale, data: { a: '1' } })
    await assert.rejects(client.update(resources.configMaps, stale), error => is(error, 'Conflict'))
  })

  await t.test('the items of a list say what they are, and the list where it stands', async () => {
    const { items, metadata } = await client.list(resources.configMaps, { namespace: 'default' })
    const settings = items.find(item => item.metadata.name === 'settings')
    assert.deepEqual([settings?.apiVersion, settings?.kind], ['v1', 'ConfigMap'])
    assert(Number(metadata.resourceVersion) > 0)
  })

  await t.test('a collection is deleted by label', async () => {
    for (const name of ['x', 'y']) {
      await client.create(resources.configMaps, { metadata: { namespace: 'default', name, labels: { group: name } } })
    }
    await client.deleteCollection(resources.configMaps, { namespace: 'default', labelSelector: 'group=x' })
    await assert.rejects(client.get(resources.configMaps, { namespace: 'default', name: 'x' }))
    await client.get(resources.configMaps, { namespace: 'default', name: 'y' })
  })

  await t.test('a watch tells what happens after a revision and ends with its signal', async () => {
    const { metadata } = await client.list(resources.configMaps, { namespace: 'default' })
    const stop = new AbortController()
    const seen: string[] = []
    const { resourceVersion = '' } = metadata
    const options = { namespace: 'default', resourceVersion, signal: stop.signal }
    const watching = (async () => {
      for await (const { type, object } of client.watch(resources.configMaps, options)) {
        seen.push(`${type} ${object.metadata.name}`)
        if (type === 'DELETED') stop.abort()
      }
    })()
    await client.create(resources.configMaps, { metadata: { namespace: 'default', name: 'seen' } })
    await client.delete(resources.configMaps, { namespace: 'default', name: 'seen' })
    await watching
    assert.deepEqual(seen, ['ADDED seen', 'DELETED seen'])
  })

  await t.test('any path', async () => {
    const { gitVersion } = await client.request<{ gitVersion: string }>('GET', '/version')
    assert.match(gitVersion, /^v1\.36/)
  })

  await t.test('a server that is not there is a TransportError that says so', async () => {
    const nowhere = connect({ server: 'https://127.0.0.1:1', ca: api.ca })
    await assert.rejects(nowhere.get(resources.configMaps, ref), (error: Error) => {
      assert(error instanceof TransportError)
      assert.match(error.message, /ECONNREFUSED/)
      return true
    })
    await nowhere.close()
  })

  await t.test('after close nothing is sent', async () => {
    const other = connect({ server: api.url, ca: api.ca, ...api.admin })
    await other.get(resources.namespaces, { name: 'default' })
    await other.close()
    await assert.rejects(other.get(resources.namespaces, { name: 'default' }), TransportError)
  })
})
