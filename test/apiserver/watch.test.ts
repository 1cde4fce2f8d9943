import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Call, caller, startTestApiServer, type TestApiServer, watcher } from '../support/apiserver.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'

describe('watch', () => {
  let server: TestApiServer
  let call: Call
  let watch: ReturnType<typeof watcher>

  const make = (name: string, labels: Record<string, string> = {}) =>
    call('POST', MAPS, { body: { metadata: { name, labels } } })
  const label = (name: string, labels: Record<string, string | null>) =>
    call('PATCH', `${MAPS}/${name}`, { type: 'application/merge-patch+json', body: { metadata: { labels } } })
  const newest = async () => (await call('GET', MAPS)).json.metadata.resourceVersion as string

  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
    watch = watcher(server)
  })
  after(() => server.stop())

  it('tells what happens after a revision, each once and in order', async () => {
    const from = await newest()
    const events = await watch(`${MAPS}?watch=true&resourceVersion=${from}`)
    await make('ordered')
    await label('ordered', { a: 'b' })
    await call('DELETE', `${MAPS}/ordered`)
    const seen = [await events.next(), await events.next(), await events.next()]
    assert.deepEqual(
      seen.map(({ type }) => type),
      ['ADDED', 'MODIFIED', 'DELETED'],
    )
    const revisions = seen.map(({ object }) => Number(object.metadata.resourceVersion))
    assert.ok(revisions[0]! > Number(from) && revisions[1]! > revisions[0]! && revisions[2]! > revisions[1]!)
    assert.ok(seen.every(({ object }) => object.kind === 'ConfigMap'))
    events.close()
    // The same again from the past, now that it is over.
    const again = await watch(`${MAPS}?watch=true&resourceVersion=${from}`)
    assert.deepEqual([await again.next(), await again.next(), await again.next()], seen)
    again.close()
  })

  it('begins with the present state without a revision, and with 0', async () => {
    await make('present')
    for (const query of ['', '&resourceVersion=0']) {
      const events = await watch(`${MAPS}?watch=true&fieldSelector=metadata.name%3Dpresent${query}`)
      const { type, object } = await events.next()
      assert.equal(type, 'ADDED')
      assert.equal(object.metadata.name, 'present')
      events.close()
    }
  })

  it('shows objects that enter and leave a selection as added and deleted', async () => {
    const from = await newest()
    const events = await watch(
      `${MAPS}?watch=true&resourceVersion=${from}&labelSelector=${encodeURIComponent('tier=a')}`,
    )
    await make('moving', { tier: 'b' })
    await label('moving', { tier: 'a' })
    await label('moving', { other: 'x' })
    const left = (await label('moving', { tier: null })).json.metadata.resourceVersion
    const [entered, changed, gone] = [await events.next(), await events.next(), await events.next()]
    assert.deepEqual([entered.type, changed.type, gone.type], ['ADDED', 'MODIFIED', 'DELETED'])
    assert.equal(gone.object.metadata.resourceVersion, left)
    assert.deepEqual((gone.object.metadata as { labels?: object }).labels, { other: 'x', tier: 'a' })
    events.close()
  })

  it('ends at timeoutSeconds with a bookmark for who asked for them', async () => {
    const events = await watch(
      `${MAPS}?watch=true&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion=${await newest()}`,
    )
    const { type, object } = await events.next()
    assert.equal(type, 'BOOKMARK')
    assert.equal(object.kind, 'ConfigMap')
    assert.equal(object.metadata.resourceVersion, await newest())
    await events.ended
  })

  it('sends the initial events and says when they are complete', async () => {
    await make('initial')
    const events = await watch(
      `${MAPS}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`,
    )
    for (;;) {
      const { type, object } = await events.next()
      if (type === 'ADDED') continue
      assert.equal(type, 'BOOKMARK')
      assert.deepEqual((object.metadata as { annotations?: object }).annotations, {
        'k8s.io/initial-events-end': 'true',
      })
      break
    }
    events.close()
  })

  it('requires what goes with sendInitialEvents', async () => {
    const answer = await call('GET', `${MAPS}?watch=true&sendInitialEvents=true`)
    assert.equal(answer.status, 422)
    assert.match(answer.json.message, /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/)
  })

  it('tells who asks for a compacted revision that it is gone', async () => {
    await make('old')
    await label('old', { a: '1' })
    const now = Number(await newest())
    await server.store.compact(now)
    const events = await watch(`${MAPS}?watch=true&resourceVersion=${now - 2}`)
    const { type, object } = await events.next()
    assert.equal(type, 'ERROR')
    assert.equal(object.code, 410)
    assert.equal(object.reason, 'Expired')
    assert.match(object.message as string, new RegExp(`^too old resource version: ${now - 2} \\(\\d+\\)$`))
    await events.ended
  })

  it('answers the legacy path', async () => {
    const events = await watch(`/api/v1/watch/namespaces/default/configmaps?resourceVersion=0`)
    assert.equal((await events.next()).type, 'ADDED')
    events.close()
  })

  it('shows rows to who wants a Table', async () => {
    const events = await watch(`${MAPS}?watch=true`, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
    const { object } = await events.next()
    assert.equal(object.kind, 'Table')
    assert.equal((object.rows as object[]).length, 1)
    events.close()
  })

  it('ends every watch when the server stops', async () => {
    const other = await startTestApiServer()
    const events = await watcher(other)(`/api/v1/namespaces?watch=true&resourceVersion=0`)
    await events.next()
    await other.stop()
    await events.ended
  })
})
