import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { silentLogger, systemClock } from '../../src/base/index.ts'
import { openLmdb } from '../../src/store/index.ts'
import { type Call, caller, startTestApiServer, type TestApiServer } from '../support/apiserver.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'

describe('the server', () => {
  let server: TestApiServer
  let call: Call

  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
  })
  after(() => server.stop())

  it('has what every cluster has', async () => {
    const { json } = await call('GET', '/api/v1/namespaces')
    const names = json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)
    assert.deepEqual(names, ['default', 'kube-node-lease', 'kube-public', 'kube-system'])
    assert.equal((await call('GET', '/api/v1/namespaces/default/services/kubernetes')).json.spec.clusterIP, '10.96.0.1')
    const { subsets } = (await call('GET', '/api/v1/namespaces/default/endpoints/kubernetes')).json
    assert.deepEqual(subsets, [
      { addresses: [{ ip: '127.0.0.1' }], ports: [{ name: 'https', port: server.port, protocol: 'TCP' }] },
    ])
    const slice = await call('GET', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes')
    assert.deepEqual(slice.json.endpoints[0].addresses, ['127.0.0.1'])
    const critical = await call('GET', '/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical')
    assert.equal(critical.json.value, 2_000_001_000)
  })

  it('says how it is', async () => {
    assert.equal((await call('GET', '/readyz')).text, 'ok')
    const verbose = await call('GET', '/readyz?verbose')
    assert.match(verbose.text, /^\[\+\]ping ok\n.*\[\+\]etcd ok\n.*readyz check passed\n$/s)
    assert.equal((await call('GET', '/livez/ping')).text, 'ok')
    assert.equal((await call('GET', '/livez/none')).status, 404)
    assert.match((await call('GET', '/livez?verbose&exclude=etcd')).text, /\[\+\]etcd excluded: ok/)
    const version = (await call('GET', '/version')).json
    assert.deepEqual([version.major, version.minor], ['1', '36'])
    const { text } = await call('GET', '/metrics')
    assert.match(text, /^apiserver_request_total\{code="200",.*verb="GET".*\} \d+$/m)
    assert.match(text, /^apiserver_request_duration_seconds_bucket\{.*le="\+Inf"\} \d+$/m)
    assert.match(text, /^process_resident_memory_bytes \d+$/m)
  })

  it('takes an address with a host for the path in it', async () => {
    assert.equal((await call('GET', 'https://kubernetes/version')).json.major, '1')
  })

  it('lets all who insist on no version have their turn at one object', async () => {
    await call('POST', MAPS, { body: { metadata: { name: 'busy' } } })
    const puts = Array.from({ length: 64 }, (_, count) =>
      call('PUT', `${MAPS}/busy`, { body: { metadata: { name: 'busy' }, data: { count: `${count}` } } }),
    )
    for (const { status, text } of await Promise.all(puts)) assert.equal(status, 200, text)
  })

  it('answers HEAD without a body, where it is answered at all', async () => {
    const { status, text, headers } = await call('HEAD', '/apis')
    assert.equal(status, 200)
    assert.equal(text, '')
    assert.ok(Number(headers['content-length']) > 0)
    assert.equal((await call('HEAD', '/api/v1/namespaces/default')).status, 405)
  })

  it('names every request in the answer', async () => {
    const [one, two] = [await call('GET', '/version'), await call('GET', '/version')]
    assert.match(String(one.headers['audit-id']), /^[0-9a-f-]{36}$/)
    assert.notEqual(one.headers['audit-id'], two.headers['audit-id'])
  })

  it('knows a client again on a resumed TLS session', async () => {
    const { port, ca, admin } = server
    const ask = async (socket: TLSSocket) => {
      socket.write('GET /api/v1/namespaces/default HTTP/1.1\r\nHost: localhost\r\n\r\n')
      const [data] = (await once(socket, 'data')) as [Buffer]
      return data.toString().split('\r\n')[0]
    }
    const options = { host: '127.0.0.1', port, ca, ...admin, ALPNProtocols: ['http/1.1'] }
    const first = connect(options)
    const session = once(first, 'session')
    assert.equal(await ask(first), 'HTTP/1.1 200 OK')
    const second = connect({ ...options, session: (await session)[0] as Buffer })
    assert.equal(await ask(second), 'HTTP/1.1 200 OK')
    assert.equal(second.isSessionReused(), true)
    first.destroy()
    second.destroy()
  })

  it('drops a watcher that does not read', async () => {
    const { port, ca, admin } = server
    const body = { metadata: { name: 'large' }, data: { filler: 'x'.repeat(900_000) } }
    await call('POST', MAPS, { body })
    const sent = request({
      host: '127.0.0.1',
      port,
      ca,
      ...admin,
      path: `${MAPS}?watch=true&resourceVersion=0`,
      agent: false,
    })
    sent.end()
    const [response] = await once(sent, 'response')
    response.pause()
    const errors: Error[] = []
    response.on('error', (error: Error) => errors.push(error))
    const closed = new Promise(resolve => response.on('close', resolve))
    // The kernel holds some megabytes for a slow reader and the server 16; what is beyond ends the connection.
    for (let round = 0; round < 60 && !response.destroyed; round++)
      await call('PATCH', `${MAPS}/large`, {
        type: 'application/merge-patch+json',
        body: { data: { round: String(round) } },
      })
    response.resume()
    await closed
    assert.equal(errors[0]?.message, 'aborted')
    await call('DELETE', `${MAPS}/large`)
  })

  it('waits for a client that takes its time over much that is there', async () => {
    const { port, ca, admin } = server
    const secrets = '/api/v1/namespaces/default/secrets'
    const count = 24
    const filler = Buffer.alloc(1_000_000).toString('base64')
    for (let index = 0; index < count; index++)
      await call('POST', secrets, { body: { metadata: { name: `large-${index}` }, data: { filler } } })
    for (const query of ['', '?watch=true']) {
      const sent = request({ host: '127.0.0.1', port, ca, ...admin, path: secrets + query, agent: false })
      sent.end()
      const [response] = await once(sent, 'response')
      // Nothing is read until the server has had time to write far more than it would let a watcher fall behind.
      for (let round = 0; round < 20; round++) await call('GET', '/livez')
      let bytes = 0
      for await (const chunk of response) {
        bytes += chunk.length
        if (bytes > count * filler.length) break
      }
      assert.ok(bytes > count * filler.length)
      sent.destroy()
    }
    await call('DELETE', secrets)
  })

  it('finds everything again after a restart', async () => {
    const path = await mkdtemp(join(tmpdir(), 'k8ts-restart-'))
    const open = () => openLmdb({ path, clock: systemClock, log: silentLogger })
    try {
      let store = await open()
      const first = await startTestApiServer({ store })
      const service = { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } }
      const made = (await caller(first)('POST', '/api/v1/namespaces/default/services', { body: service })).json
      await first.stop()
      await store.close()

      store = await open()
      const second = await startTestApiServer({ store })
      const again = caller(second)
      assert.deepEqual((await again('GET', '/api/v1/namespaces/default/services/web')).json, made)
      const taken = { metadata: { name: 'other' }, spec: { clusterIP: made.spec.clusterIP, ports: [{ port: 80 }] } }
      const refused = await again('POST', '/api/v1/namespaces/default/services', { body: taken })
      assert.equal(refused.status, 422)
      assert.match(refused.json.message, /provided IP is already allocated/)
      const { subsets } = (await again('GET', '/api/v1/namespaces/default/endpoints/kubernetes')).json
      assert.equal(subsets[0].ports[0].port, second.port)
      await second.stop()
      await store.close()
    } finally {
      await rm(path, { recursive: true })
    }
  })
})
