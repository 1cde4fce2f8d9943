import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { installTools } from '../../scripts/tools.ts'
import { codecFor, encodeProtobuf, parseProtobuf, parseYaml } from '../../src/encoding/index.ts'
import {
  type Answer,
  type Call,
  type CallOptions,
  caller,
  makeServiceAccount,
  podNamed,
  startTestApiServer,
  type TestApiServer,
} from '../support/apiserver.ts'
import { eventually } from '../support/eventually.ts'

const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const MAPS = '/api/v1/namespaces/default/configmaps'
const PODS = '/api/v1/namespaces/default/pods'

// biome-ignore lint/suspicious/noExplicitAny: tests look at whatever came
const read = (type: string, bytes: Uint8Array): any => codecFor(type).decode(parseProtobuf(bytes, type).value).object
const protobuf = (type: string, object: object): CallOptions => ({
  body: encodeProtobuf(type, { apiVersion: 'v1', kind: type.slice(type.indexOf('.') + 1), ...object }),
  type: PROTOBUF,
  headers: { accept: PROTOBUF },
})

describe('encodings', () => {
  let server: TestApiServer
  let call: Call
  const get = (path: string, accept: string, headers: Record<string, string> = {}): Promise<Answer> =>
    call('GET', path, { headers: { accept, ...headers } })

  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
    await makeServiceAccount(call)
    await call('POST', MAPS, { body: { metadata: { name: 'first', labels: { a: 'b' } }, data: { key: 'value' } } })
  })
  after(() => server.stop())

  describe('protobuf', () => {
    it('creates, shows, changes and deletes', async () => {
      const created = await call('POST', PODS, protobuf('core/v1.Pod', podNamed('proto')))
      assert.equal(created.status, 201, created.text)
      assert.equal(created.headers['content-type'], PROTOBUF)
      const pod = read('core/v1.Pod', created.bytes)
      assert.equal(pod.kind, 'Pod')
      assert.equal(pod.spec.containers[0].imagePullPolicy, 'Always')
      const { json } = await get(`${PODS}/proto`, 'application/json')
      assert.deepEqual(pod, json)

      const changed = { ...pod, metadata: { ...pod.metadata, labels: { x: 'y' } } }
      const updated = await call('PUT', `${PODS}/proto`, protobuf('core/v1.Pod', changed))
      assert.equal(updated.status, 200, updated.text)
      assert.deepEqual(read('core/v1.Pod', updated.bytes).metadata.labels, { x: 'y' })

      const options = protobuf('meta/v1.DeleteOptions', { gracePeriodSeconds: 0 })
      const deleted = await call('DELETE', `${PODS}/proto`, options)
      assert.equal(deleted.status, 200, deleted.text)
      assert.equal(read('core/v1.Pod', deleted.bytes).metadata.name, 'proto')
    })

    it('lists, in bytes that are those of the whole list', async () => {
      const { json } = await get(MAPS, 'application/json')
      const listed = await get(MAPS, PROTOBUF)
      assert.equal(listed.headers['content-type'], PROTOBUF)
      assert.deepEqual(listed.bytes, encodeProtobuf('core/v1.ConfigMapList', json))
    })

    it('says what is wrong in protobuf', async () => {
      const missing = await get(`${MAPS}/missing`, `${PROTOBUF},application/json`)
      assert.equal(missing.status, 404)
      assert.equal(missing.headers['content-type'], PROTOBUF)
      const status = read('meta/v1.Status', missing.bytes)
      assert.equal(status.message, 'configmaps "missing" not found')
      assert.deepEqual(status.details, { name: 'missing', kind: 'configmaps' })
    })

    it('watches', async () => {
      const { resourceVersion } = (await get(MAPS, 'application/json')).json.metadata
      const watch = await frames(
        server,
        `${MAPS}?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`,
      )
      assert.equal(watch.type, `${PROTOBUF};stream=watch`)
      const first = await watch.next()
      assert.equal(first.type, 'ADDED')
      assert.equal(read('core/v1.ConfigMap', first.object).metadata.name, 'first')
      const bookmark = await watch.next()
      assert.equal(bookmark.type, 'BOOKMARK')
      assert.deepEqual(read('core/v1.ConfigMap', bookmark.object).metadata, {
        annotations: { 'k8s.io/initial-events-end': 'true' },
        resourceVersion,
      })
      await call('POST', MAPS, { body: { metadata: { name: 'second' } } })
      const second = await watch.next()
      assert.deepEqual(read('core/v1.ConfigMap', second.object), (await get(`${MAPS}/second`, '*/*')).json)
      await call('DELETE', `${MAPS}/second`)
      const third = await watch.next()
      assert.equal(third.type, 'DELETED')
      const gone = read('core/v1.ConfigMap', third.object)
      assert.ok(Number(gone.metadata.resourceVersion) > Number(resourceVersion) + 1)
      watch.close()
      await server.store.compact(await server.store.revision())
      const late = await frames(server, `${MAPS}?watch=true&resourceVersion=1`)
      const error = await late.next()
      assert.equal(error.type, 'ERROR')
      assert.equal(read('meta/v1.Status', error.object).code, 410)
    })

    it('answers questions and subresources', async () => {
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
      const of = { apiVersion: 'authentication.k8s.io/v1' }
      const review = await call('POST', path, protobuf('authentication/v1.SelfSubjectReview', of))
      assert.equal(review.status, 201, review.text)
      const { status } = read('authentication/v1.SelfSubjectReview', review.bytes)
      assert.equal(status.userInfo.username, 'kubernetes-admin')
    })

    it('reads what kubectl itself sends, and would have written the same', async () => {
      const sent = Promise.withResolvers<Buffer>()
      const server = createServer(async (incoming, response) => {
        const body = await buffer(incoming)
        assert.equal(incoming.headers['content-type'], PROTOBUF)
        response.writeHead(201, { 'Content-Type': PROTOBUF }).end(body)
        sent.resolve(body)
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      try {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        const kubectl = join(await installTools(), 'kubectl')
        const args = ['create', 'deployment', 'web', '--image=web:1', '--replicas=3', '--port=80', `--server=${url}`]
        const { stdout } = await promisify(execFile)(kubectl, [...args, '--kubeconfig=/dev/null'])
        assert.equal(stdout, 'deployment.apps/web created\n')
        const body = await sent.promise
        const deployment = read('apps/v1.Deployment', body)
        assert.equal(deployment.spec.template.spec.containers[0].ports[0].containerPort, 80)
        assert.deepEqual(encodeProtobuf('apps/v1.Deployment', deployment), body)
      } finally {
        server.close()
      }
    })

    it('shows only the metadata of anything', async () => {
      const as = (kind: string) => `${PROTOBUF};as=${kind};g=meta.k8s.io;v=v1,application/json`
      const one = await get(`${MAPS}/first`, as('PartialObjectMetadata'))
      const metadata = read('meta/v1.PartialObjectMetadata', one.bytes)
      assert.deepEqual(
        [metadata.apiVersion, metadata.kind, metadata.metadata.labels],
        ['meta.k8s.io/v1', 'PartialObjectMetadata', { a: 'b' }],
      )
      const list = await get(MAPS, as('PartialObjectMetadataList'))
      assert.equal(read('meta/v1.PartialObjectMetadataList', list.bytes).items[0].metadata.name, 'first')
    })

    it('tells what there is', async () => {
      const list = read('meta/v1.APIResourceList', (await get('/api/v1', PROTOBUF)).bytes)
      assert.deepEqual(
        { ...list, apiVersion: undefined },
        { ...(await get('/api/v1', '*/*')).json, apiVersion: undefined },
      )
      assert.equal(
        read('meta/v1.APIGroupList', (await get('/apis', PROTOBUF)).bytes).groups[0].name,
        'apiregistration.k8s.io',
      )
    })

    it('has no custom resources, but their metadata', async () => {
      const group = 'example.com'
      const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }
      const names = { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' }
      const definition = {
        metadata: { name: `widgets.${group}` },
        spec: { group, scope: 'Namespaced', names, versions: [version] },
      }
      await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body: definition })
      const path = `/apis/${group}/v1/namespaces/default/widgets`
      const widget = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'one' } }
      await eventually(async () => assert.equal((await call('POST', path, { body: widget })).status, 201))
      assert.equal((await get(path, PROTOBUF)).status, 406)
      assert.equal((await get(path, `${PROTOBUF},application/json`)).headers['content-type'], 'application/json')
      const refused = await call('POST', path, { body: encodeProtobuf('core/v1.Pod', widget), type: PROTOBUF })
      assert.equal(refused.status, 415)
      assert.match(refused.json.message, /accepted media types include: application\/json, application\/yaml$/)
      const list = await get(path, `${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`)
      assert.equal(read('meta/v1.PartialObjectMetadataList', list.bytes).items[0].metadata.name, 'one')
    })

    it('refuses a body with a fault', async () => {
      const send = async (body: Buffer) => {
        const { status, json } = await call('POST', MAPS, { body, type: PROTOBUF })
        assert.equal(status, 400)
        return json.message
      }
      assert.equal(
        await send(Buffer.from('k8s')),
        'the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (6b3873)',
      )
      const whole = encodeProtobuf('core/v1.ConfigMap', { apiVersion: 'v1', kind: 'ConfigMap' })
      const raw = whole.indexOf(0x12, 19)
      whole[raw + 3] = 0x7f
      assert.equal(await send(whole), 'ConfigMap in version "v1" cannot be handled as a ConfigMap: unexpected EOF')
      assert.match(
        await send(encodeProtobuf('core/v1.Secret', { apiVersion: 'v1', kind: 'Secret' })),
        /^Secret in version "v1" cannot be handled as a ConfigMap/,
      )
      const { status } = await call('PATCH', `${MAPS}/first`, { body: Buffer.alloc(3), type: PROTOBUF })
      assert.equal(status, 415)
    })
  })

  describe('negotiation', () => {
    const typeFor = async (accept: string, path = `${MAPS}/first`) => (await get(path, accept)).headers['content-type']

    it('follows weights, and takes what is named before what is not', async () => {
      assert.equal(await typeFor(`application/json;q=0.5, ${PROTOBUF};q=0.9`), PROTOBUF)
      assert.equal(await typeFor(`*/*, ${PROTOBUF}`), PROTOBUF)
      assert.equal(await typeFor('application/*'), 'application/json')
      assert.equal(await typeFor('text/html, */*;q=0.8'), 'application/json')
    })

    it('refuses what there is not, and says what there is', async () => {
      const { status, json } = await get(`${MAPS}/first`, 'text/html')
      assert.equal(status, 406)
      assert.equal(
        json.message,
        `406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, ${PROTOBUF}`,
      )
      assert.equal((await get(MAPS, `${PROTOBUF};as=Table;g=meta.k8s.io;v=v1`)).status, 406)
      const watch = await get(`${MAPS}?watch=true`, 'application/yaml')
      assert.equal(watch.status, 406)
      assert.match(
        watch.text,
        /accepted: application\/json;stream=watch, application\/vnd.kubernetes.protobuf;stream=watch/,
      )
      const body = await call('POST', MAPS, { body: '<a/>', type: 'text/xml' })
      assert.equal(
        body.json.message,
        `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, ${PROTOBUF}`,
      )
    })

    it('shows what can only be created by its metadata, and never as a Table', async () => {
      const as = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`
      const access = { spec: { nonResourceAttributes: { path: '/', verb: 'get' } } }
      const token = '/api/v1/namespaces/default/serviceaccounts/default/token'
      for (const [path, body, kind] of [
        ['/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, 'PartialObjectMetadata'],
        ['/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', access, 'PartialObjectMetadata'],
        [token, {}, 'PartialObjectMetadata'],
        // What answers with a Status does so in every form.
        [`${PODS}/absent/eviction`, {}, 'Status'],
        [`${PODS}/absent/binding`, { target: { name: 'n' } }, 'Status'],
      ] as const) {
        const create = (accept: string) => call('POST', path, { body, headers: { accept } })
        const table = await create(as('Table'))
        assert.equal(table.status, 406, path)
        assert.equal(
          table.json.message,
          `only the following media types are accepted: application/json, application/yaml, ${PROTOBUF}`,
        )
        assert.equal((await create(as('PartialObjectMetadata'))).json.kind, kind, path)
        assert.notEqual((await create(`${as('Table')},application/json`)).status, 406, path)
      }
    })

    it('knows the older version of Table and of metadata', async () => {
      const as = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1beta1`
      assert.equal((await get(MAPS, as('Table'))).json.apiVersion, 'meta.k8s.io/v1beta1')
      assert.equal((await get(MAPS, as('PartialObjectMetadataList'))).json.apiVersion, 'meta.k8s.io/v1beta1')
      assert.equal(
        (await get(MAPS, `${as('Table').replace('v1beta1', 'v9')},application/json`)).json.kind,
        'ConfigMapList',
      )
    })
  })

  it('answers in YAML', async () => {
    const { text, headers } = await get(`${MAPS}/first`, 'application/yaml')
    assert.equal(headers['content-type'], 'application/yaml')
    assert.match(text, /^apiVersion: v1\ndata:\n {2}key: value\nkind: ConfigMap\nmetadata:\n/)
    const { json } = await get(`${MAPS}/first`, '*/*')
    assert.deepEqual((await parseYaml(Buffer.from(text))).value, json)
    const list = (await parseYaml((await get(MAPS, 'application/yaml')).bytes)).value
    assert.deepEqual(list, (await get(MAPS, '*/*')).json)
    const missing = await get(`${MAPS}/missing`, 'application/yaml')
    assert.match(missing.text, /^reason: NotFound$/m)
  })

  it('indents for people', async () => {
    const plain = await get(`${MAPS}/first`, 'application/json')
    const pretty = await get(`${MAPS}/first?pretty=true`, 'application/json')
    assert.equal(pretty.text, JSON.stringify(plain.json, null, 2))
    assert.equal((await get(`${MAPS}/first`, '*/*', { 'user-agent': 'curl/8' })).text, pretty.text)
    assert.equal((await get(`${MAPS}/first?pretty=0`, '*/*', { 'user-agent': 'curl/8' })).text, plain.text)
    assert.match((await get(`${MAPS}/missing?pretty=1`, '*/*')).text, /^\{\n {2}"kind": "Status"/)
  })

  it('compresses what is large, for those who take it', async () => {
    const data = { key: 'x'.repeat(200_000) }
    await call('POST', MAPS, { body: { metadata: { name: 'large' }, data } })
    for (const accept of ['application/json', PROTOBUF, 'application/yaml']) {
      const plain = await get(`${MAPS}/large`, accept)
      assert.equal(plain.headers['content-encoding'], undefined)
      const zipped = await get(`${MAPS}/large`, accept, { 'accept-encoding': 'br, gzip' })
      assert.equal(zipped.headers['content-encoding'], 'gzip')
      assert.ok(zipped.bytes.length < 10_000)
      assert.deepEqual(gunzipSync(zipped.bytes), plain.bytes)
    }
    const small = await get(`${MAPS}/first`, 'application/json', { 'accept-encoding': 'gzip' })
    assert.equal(small.headers['content-encoding'], undefined)
    await call('DELETE', `${MAPS}/large`)
  })

  it('streams and compresses lists of many chunks', async () => {
    const path = '/api/v1/namespaces/kube-public/configmaps'
    let next = 0
    const worker = async () => {
      while (next < 2100) {
        const { status, text } = await call('POST', path, { body: { metadata: { name: `map-${next++}` } } })
        assert.equal(status, 201, text)
      }
    }
    await Promise.all(Array.from({ length: 32 }, worker))
    const { json } = await get(path, 'application/json')
    assert.equal(json.items.length, 2100)
    assert.deepEqual((await get(path, PROTOBUF)).bytes, encodeProtobuf('core/v1.ConfigMapList', json))
    const zipped = await get(path, 'application/json', { 'accept-encoding': 'gzip' })
    assert.deepEqual(JSON.parse(gunzipSync(zipped.bytes).toString()), json)
  })
})

interface Frames {
  type: string
  /** The next event, with the whole body of its object. */
  next(): Promise<{ type: string; object: Buffer }>
  close(): void
}

/** A watch in protobuf, frame by frame. */
function frames({ port, ca, admin }: TestApiServer, path: string): Promise<Frames> {
  const headers = { accept: `${PROTOBUF};stream=watch` }
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, ca, ...admin, path, headers, agent: false }, response => {
      let pending = Buffer.alloc(0)
      const chunks = response[Symbol.asyncIterator]()
      const take = async (size: number): Promise<Buffer> => {
        while (pending.length < size) {
          const { value, done } = await chunks.next()
          if (done) throw new Error('the watch has ended')
          pending = Buffer.concat([pending, value])
        }
        const taken = pending.subarray(0, size)
        pending = pending.subarray(size)
        return taken
      }
      resolve({
        type: response.headers['content-type']!,
        async next() {
          const frame = await take((await take(4)).readUInt32BE(0))
          // {1 type, 2 {1 the body}}
          const size = frame[1]!
          const object = frame.subarray(frame.indexOf('k8s\0'))
          return { type: frame.toString('latin1', 2, 2 + size), object }
        },
        close: () => sent.destroy(),
      })
    })
    sent.on('error', error => (sent.destroyed ? undefined : reject(error)))
    sent.end()
  })
}
