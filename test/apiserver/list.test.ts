import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Call, caller, startTestApiServer, type TestApiServer } from '../support/apiserver.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const COUNT = 2203

describe('list', () => {
  let server: TestApiServer
  let call: Call
  const names = Array.from({ length: COUNT }, (_, index) => `map-${String(index).padStart(5, '0')}`)

  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
    for (let start = 0; start < COUNT; start += 50)
      await Promise.all(
        names
          .slice(start, start + 50)
          .map((name, index) =>
            call('POST', MAPS, { body: { metadata: { name, labels: { even: String((start + index) % 2 === 0) } } } }),
          ),
      )
  })
  after(() => server.stop())

  const namesOf = (list: { items: { metadata: { name: string } }[] }) => list.items.map(({ metadata }) => metadata.name)

  it('shows everything in the order of names, as a stream', async () => {
    const { json, headers } = await call('GET', MAPS)
    assert.equal(json.kind, 'ConfigMapList')
    assert.equal(json.items[0].kind, undefined)
    assert.match(json.items[0].metadata.resourceVersion, /^\d+$/)
    assert.deepEqual(namesOf(json), names)
    assert.equal(headers['content-length'], undefined)
  })

  it('shows everything at once to who takes any revision, whatever the limit', async () => {
    const { json } = await call('GET', `${MAPS}?limit=5&resourceVersion=0`)
    assert.deepEqual(namesOf(json), names)
    assert.equal(json.metadata.continue, undefined)
  })

  it('pages through one revision, whatever happens meanwhile', async () => {
    const seen: string[] = []
    let token = ''
    let revision: string | undefined
    do {
      const { json } = await call('GET', `${MAPS}?limit=500&continue=${token}`)
      seen.push(...namesOf(json))
      revision ??= json.metadata.resourceVersion
      assert.equal(json.metadata.resourceVersion, revision)
      assert.equal(json.metadata.remainingItemCount ?? 0, COUNT - seen.length)
      token = json.metadata.continue ?? ''
      if (seen.length === 500) {
        await call('POST', MAPS, { body: { metadata: { name: 'map-00700-later' } } })
        await call('DELETE', `${MAPS}/map-00800`)
      }
    } while (token)
    assert.deepEqual(seen, names)
    await call('DELETE', `${MAPS}/map-00700-later`)
    await call('POST', MAPS, { body: { metadata: { name: 'map-00800', labels: { even: 'true' } } } })
  })

  it('pages through what a selector leaves, without counting it', async () => {
    const { json } = await call('GET', `${MAPS}?limit=100&labelSelector=even%3Dtrue`)
    assert.equal(json.items.length, 100)
    assert.equal(json.metadata.remainingItemCount, undefined)
    assert.ok(json.metadata.continue)
    assert.deepEqual(namesOf(json), names.filter((_, index) => index % 2 === 0).slice(0, 100))
  })

  it('offers an inconsistent rest when the revision of a page is gone', async () => {
    const { json } = await call('GET', `${MAPS}?limit=2000`)
    await call('POST', MAPS, { body: { metadata: { name: 'zzz' } } })
    await server.store.compact(Number((await call('GET', `${MAPS}?limit=1`)).json.metadata.resourceVersion))
    const expired = await call('GET', `${MAPS}?limit=2000&continue=${json.metadata.continue}`)
    assert.equal(expired.status, 410)
    assert.equal(expired.json.reason, 'Expired')
    assert.match(expired.json.message, /^The provided continue parameter is too old/)
    const rest = await call('GET', `${MAPS}?limit=2000&continue=${expired.json.metadata.continue}`)
    assert.deepEqual(namesOf(rest.json), [...names.slice(2000), 'zzz'])
    await call('DELETE', `${MAPS}/zzz`)
  })

  it('shows the past exactly, and nothing that has not happened', async () => {
    const before_ = (await call('GET', `${MAPS}?limit=1`)).json.metadata.resourceVersion
    await call('POST', MAPS, { body: { metadata: { name: 'a-new-one' } } })
    const past = await call('GET', `${MAPS}?resourceVersion=${before_}&resourceVersionMatch=Exact`)
    assert.deepEqual(namesOf(past.json), names)
    const future = await call('GET', `${MAPS}?resourceVersion=999999999&resourceVersionMatch=NotOlderThan`)
    assert.equal(future.status, 504)
    assert.equal(future.json.details.causes[0].reason, 'ResourceVersionTooLarge')
    await call('DELETE', `${MAPS}/a-new-one`)
  })

  it('finds one object by a field selector of its name', async () => {
    const { json } = await call('GET', `${MAPS}?fieldSelector=metadata.name%3Dmap-00007`)
    assert.deepEqual(namesOf(json), ['map-00007'])
    const none = await call('GET', `${MAPS}?fieldSelector=metadata.name%3Dnone`)
    assert.deepEqual(none.json.items, [])
  })

  it('answers with metadata alone, and with a Table', async () => {
    const partial = await call('GET', `${MAPS}?limit=1`, {
      headers: { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' },
    })
    assert.equal(partial.json.kind, 'PartialObjectMetadataList')
    assert.deepEqual(Object.keys(partial.json.items[0]), ['kind', 'apiVersion', 'metadata'])
    const table = await call('GET', `${MAPS}?limit=2`, {
      headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' },
    })
    assert.equal(table.json.kind, 'Table')
    assert.equal(table.json.rows[1].cells[0], 'map-00001')
    assert.ok(table.json.metadata.continue)
  })

  it('deletes a collection by selector', async () => {
    const answer = await call('DELETE', `${MAPS}?labelSelector=even%3Dfalse`)
    assert.equal(answer.status, 200)
    assert.equal(answer.json.items.length, names.filter((_, index) => index % 2 === 1).length)
    const { json } = await call('GET', MAPS)
    assert.deepEqual(
      namesOf(json),
      names.filter((_, index) => index % 2 === 0),
    )
  })
})
