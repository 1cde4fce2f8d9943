import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { type Call, caller, startTestApiServer, type TestApiServer, watcher } from '../support/apiserver.ts'
import { eventually } from '../support/eventually.ts'
import { adminKubeconfig, tryKubectl } from '../support/kubectl.ts'
import { type Credentials, createTestPki } from '../support/pki.ts'
import { makeService } from '../support/webhook.ts'

const SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices'
const GROUP = '/apis/wardle.test.dev/v1'

const resources = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: 'wardle.test.dev/v1',
  resources: [
    {
      name: 'flunders',
      singularName: 'flunder',
      namespaced: true,
      kind: 'Flunder',
      verbs: ['get', 'list', 'watch'],
      shortNames: ['fl'],
    },
    { name: 'flunders/status', singularName: '', namespaced: true, kind: 'Flunder', verbs: ['get'] },
  ],
}
const flunder = {
  kind: 'Flunder',
  apiVersion: 'wardle.test.dev/v1',
  metadata: { name: 'one', namespace: 'default', resourceVersion: '1', uid: 'u' },
}
const flunders = {
  kind: 'FlunderList',
  apiVersion: 'wardle.test.dev/v1',
  metadata: { resourceVersion: '1' },
  items: [flunder],
}

describe('aggregation', () => {
  let server: TestApiServer
  let call: Call
  let other: Server
  let seen: { request: IncomingMessage; body: string; certified: boolean }[]
  let front: Credentials
  let kubeconfig: string
  let removeKubeconfig: () => Promise<void>
  let answer: (request: IncomingMessage, response: ServerResponse) => void

  before(async () => {
    const pki = await createTestPki()
    front = await pki.identity('front-proxy-client')
    const requestHeader = {
      ca: pki.ca,
      allowedNames: ['front-proxy-client'],
      usernameHeaders: ['X-Remote-User'],
      groupHeaders: ['X-Remote-Group'],
      extraHeaderPrefixes: ['X-Remote-Extra-'],
    }
    server = await startTestApiServer({ proxyClient: front, requestHeader }, pki)
    call = caller(server)
    ;({ kubeconfig, remove: removeKubeconfig } = await adminKubeconfig(server))
    const serving = await pki.server('wardle.default.svc')
    other = createServer(
      { ...serving, ca: pki.ca, requestCert: true, rejectUnauthorized: false },
      async (request, response) => {
        const certified = (request.socket as TLSSocket).authorized
        if (request.url!.startsWith(`${GROUP}/`)) seen.push({ request, body: await text(request), certified })
        answer(request, response)
      },
    )
    await new Promise<void>(resolve => other.listen(0, resolve))
    await makeService(call, 'wardle', (other.address() as AddressInfo).port)
  })
  beforeEach(async () => {
    seen = []
    answer = ({ url = '' }, response) => {
      response.setHeader('Content-Type', 'application/json')
      const path = url.split('?')[0]
      if (path === GROUP) return void response.end(JSON.stringify(resources))
      if (url.includes('watch=')) {
        response.write(`${JSON.stringify({ type: 'ADDED', object: flunder })}\n`)
        return
      }
      response.end(JSON.stringify(path!.endsWith('/one') ? flunder : flunders))
    }
  })
  after(async () => {
    other.closeAllConnections()
    other.close()
    await removeKubeconfig()
    await server.stop()
  })

  const conditionOf = async (name: string) =>
    (await call('GET', `${SERVICES}/${name}`)).json.status.conditions?.find(
      ({ type }: { type: string }) => type === 'Available',
    )

  const register = (service: object, rest: object = {}) =>
    call('POST', SERVICES, {
      body: {
        metadata: { name: 'v1.wardle.test.dev' },
        spec: {
          group: 'wardle.test.dev',
          version: 'v1',
          groupPriorityMinimum: 100,
          versionPriority: 10,
          caBundle: Buffer.from(server.ca).toString('base64'),
          service: { namespace: 'default', name: 'wardle', ...service },
          ...rest,
        },
      },
    })
  const unregister = () => call('DELETE', `${SERVICES}/v1.wardle.test.dev`)
  const available = () =>
    eventually(async () => assert.equal((await conditionOf('v1.wardle.test.dev'))?.status, 'True'))

  it('registers what the server serves itself', async () => {
    const names = await eventually(async () => {
      const { json } = await call('GET', SERVICES)
      const found = json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)
      assert.ok(found.length > 15, `${found}`)
      return found
    })
    assert.ok(names.includes('v1.') && names.includes('v1.apps') && names.includes('v2.autoscaling'), `${names}`)
    const { message, reason, status } = await conditionOf('v1.apps')
    assert.deepEqual([status, reason, message], ['True', 'Local', 'Local APIServices are always available'])
    const { stdout } = await tryKubectl({ kubeconfig }, ['get', 'apiservices'])
    assert.match(stdout, /^v1\. +Local +True +\d+s$/m)
    assert.match(stdout, /^v1\.apps +Local +True +\d+s$/m)
  })

  it('publishes whom other servers may believe', async () => {
    const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'
    const { data } = (await call('GET', path)).json
    assert.equal(data['client-ca-file'], server.ca)
    assert.equal(data['requestheader-client-ca-file'], server.ca)
    assert.equal(data['requestheader-allowed-names'], '["front-proxy-client"]')
    assert.equal(data['requestheader-username-headers'], '["X-Remote-User"]')
  })

  const reasons: [string, object, string, string][] = [
    ['there is no such Service', { name: 'none' }, 'ServiceNotFound', 'service/none in "default" is not present'],
    [
      'it has no such port',
      { port: 4444 },
      'ServicePortError',
      'service/wardle in "default" is not listening on port 4444',
    ],
    [
      'it has no endpoints',
      { name: 'empty' },
      'EndpointsNotFound',
      'cannot find endpointslices for service/empty in "default"',
    ],
  ]
  for (const [why, service, reason, message] of reasons)
    it(`is not available when ${why}`, async () => {
      const body = { metadata: { name: 'empty' }, spec: { ports: [{ port: 443 }] } }
      await call('POST', '/api/v1/namespaces/default/services', { body })
      await register(service)
      await eventually(async () => {
        const condition = await conditionOf('v1.wardle.test.dev')
        assert.deepEqual([condition?.status, condition?.reason, condition?.message], ['False', reason, message])
      })
      const refused = await call('GET', `${GROUP}/namespaces/default/flunders`)
      assert.equal(refused.status, 503)
      assert.equal(refused.text, 'service unavailable\n')
      await unregister()
    })

  it('is not available when it answers badly, and is once it answers well', async () => {
    const well = answer
    answer = (_request, response) => void response.writeHead(500).end()
    await register({})
    await eventually(async () => {
      const condition = await conditionOf('v1.wardle.test.dev')
      assert.equal(condition?.reason, 'FailedDiscoveryCheck')
      assert.match(
        condition.message,
        /^failing or missing response from https:\/\/[\d.]+:\d+\/apis\/wardle\.test\.dev\/v1: bad status from .*: 500$/,
      )
    })
    answer = well
    await available()
    const { reason, message } = await conditionOf('v1.wardle.test.dev')
    assert.deepEqual([reason, message], ['Passed', 'all checks passed'])
    await unregister()
  })

  it('passes requests on with who asks', async () => {
    await register({})
    await available()
    const somebody = await server.identity('somebody', ['system:masters', 'group b'])
    const { status, json } = await call('GET', `${GROUP}/namespaces/default/flunders/one?x=1`, {
      as: somebody,
      headers: { 'X-Remote-User': 'forged', 'X-Remote-Extra-Scopes': 'forged', 'X-Own': 'kept' },
    })
    assert.equal(status, 200)
    assert.deepEqual(json, flunder)
    const [{ request, certified } = assert.fail()] = seen
    assert.equal(request.url, `${GROUP}/namespaces/default/flunders/one?x=1`)
    assert.equal(certified, true)
    assert.equal(request.headers['x-remote-user'], 'somebody')
    assert.equal(request.headers['x-remote-group'], 'system:masters, group b, system:authenticated')
    assert.equal(request.headers['x-remote-extra-scopes'], undefined)
    assert.equal(request.headers['x-own'], 'kept')
    await call('POST', `${GROUP}/namespaces/default/flunders`, { body: { a: 1 } })
    assert.equal(seen[1]!.body, '{"a":1}')
    await unregister()
  })

  it('streams watches', async () => {
    await register({})
    await available()
    const watch = await watcher(server)(`${GROUP}/flunders?watch=true`)
    const { type, object } = await watch.next()
    assert.equal(type, 'ADDED')
    assert.equal(object.metadata.name, 'one')
    watch.close()
    await unregister()
  })

  it('believes only the authority that it is told of', async () => {
    const stranger = await startTestApiServer()
    await register({}, { caBundle: Buffer.from(stranger.ca).toString('base64') })
    await stranger.stop()
    await available()
    const refused = await call('GET', `${GROUP}/flunders`)
    assert.equal(refused.status, 503)
    assert.equal(seen.length, 0)
    await unregister()
    await register({}, { caBundle: undefined, insecureSkipTLSVerify: true })
    await available()
    assert.equal((await call('GET', `${GROUP}/flunders`)).status, 200)
    await unregister()
  })

  it('shows in discovery what the other server has', async () => {
    await register({})
    await available()
    const groups = (await call('GET', '/apis')).json.groups.map(({ name }: { name: string }) => name)
    assert.ok(groups.includes('wardle.test.dev'))
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const { items } = (await call('GET', '/apis', { headers: { accept } })).json
    const { versions } = items.find(
      ({ metadata }: { metadata: { name: string } }) => metadata.name === 'wardle.test.dev',
    )
    assert.equal(versions[0].freshness, 'Current')
    assert.equal(versions[0].resources[0].resource, 'flunders')
    assert.equal(versions[0].resources[0].subresources[0].subresource, 'status')
    const { stdout, stderr } = await tryKubectl({ kubeconfig }, ['get', 'fl', 'one', '-o', 'name'])
    assert.equal(stdout, 'flunder.wardle.test.dev/one\n', stderr)
    await unregister()
    await eventually(async () => assert.ok(!(await call('GET', '/apis')).text.includes('wardle')))
    assert.equal((await call('GET', GROUP)).status, 404)
  })

  it('merges what the other server says of its types', async () => {
    const documents: Record<string, object> = {
      '/openapi/v3': {
        paths: { 'apis/wardle.test.dev/v1': { serverRelativeURL: '/openapi/v3/apis/wardle.test.dev/v1?hash=1' } },
      },
      '/openapi/v3/apis/wardle.test.dev/v1': { openapi: '3.0.0' },
      '/openapi/v2': {
        paths: {
          [`${GROUP}/flunders`]: { get: { schema: { $ref: '#/definitions/io.k8s.api.apps.v1.Deployment' } } },
          '/else': {},
        },
        definitions: { 'dev.test.Flunder': { type: 'object' }, 'io.k8s.api.apps.v1.Deployment': { type: 'string' } },
      },
      [GROUP]: resources,
    }
    answer = ({ url = '' }, response) => void response.end(JSON.stringify(documents[url.split('?')[0]!] ?? {}))
    await register({})
    await available()
    const { paths } = (await call('GET', '/openapi/v3')).json
    assert.equal(paths['apis/wardle.test.dev/v1'].serverRelativeURL, '/openapi/v3/apis/wardle.test.dev/v1?hash=1')
    assert.deepEqual((await call('GET', '/openapi/v3/apis/wardle.test.dev/v1?hash=1')).json, { openapi: '3.0.0' })
    const { json } = await call('GET', '/openapi/v2')
    assert.deepEqual(json.definitions['dev.test.Flunder'], { type: 'object' })
    assert.equal(json.definitions['io.k8s.api.apps.v1.Deployment'].type, 'object', 'what was there stays')
    const { $ref } = json.paths[`${GROUP}/flunders`].get.schema
    assert.deepEqual(json.definitions[$ref.slice('#/definitions/'.length)], { type: 'string' })
    assert.equal(json.paths['/else'], undefined)
    assert.ok(json.paths['/apis/apps/v1/namespaces/{namespace}/deployments'])
    await unregister()
  })

  it('lets another server take over what this one serves', async () => {
    const change = (service: object | null) =>
      call('PATCH', `${SERVICES}/v1.node.k8s.io`, {
        body: { spec: { service, insecureSkipTLSVerify: service ? true : null } },
        type: 'application/merge-patch+json',
      })
    const path = '/apis/node.k8s.io/v1/runtimeclasses'
    assert.equal((await call('GET', path)).json.kind, 'RuntimeClassList')
    await change({ namespace: 'default', name: 'wardle' })
    await eventually(async () => assert.equal((await call('GET', path)).json.kind, 'FlunderList'))
    const found = (await call('GET', '/apis')).json.groups.filter(
      ({ name }: { name: string }) => name === 'node.k8s.io',
    )
    assert.deepEqual(
      found.map(({ versions }: { versions: object[] }) => versions.length),
      [1],
    )
    await change(null)
    await eventually(async () => assert.equal((await call('GET', path)).json.kind, 'RuntimeClassList'))
  })

  it('believes what a proxy says of who asks, if it is the one', async () => {
    const whoAmI = async (headers: Record<string, string>, as: Credentials) =>
      call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { body: {}, headers, as })
    const said = { 'X-Remote-User': 'joe', 'X-Remote-Group': 'dev', 'X-Remote-Extra-Acme.com%2fProject': 'one' }
    const { userInfo } = (await whoAmI(said, front)).json.status
    assert.deepEqual(userInfo, {
      username: 'joe',
      groups: ['dev', 'system:authenticated'],
      extra: { 'acme.com/project': ['one'] },
    })
    const other = await server.identity('somebody')
    assert.equal((await whoAmI(said, other)).json.status.userInfo.username, 'somebody')
    assert.equal((await whoAmI({}, front)).json.status.userInfo.username, 'front-proxy-client')
  })

  it('says so when the other server has gone', async () => {
    await register({})
    await available()
    const slice = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/wardle'
    const { json: before } = await call('GET', slice)
    await call('PATCH', slice, {
      body: { endpoints: [{ addresses: before.endpoints[0].addresses, conditions: { ready: false } }] },
      type: 'application/merge-patch+json',
    })
    await eventually(async () => assert.equal((await conditionOf('v1.wardle.test.dev'))?.reason, 'MissingEndpoints'))
    assert.equal((await call('GET', `${GROUP}/flunders`)).status, 503)
    const { stderr } = await tryKubectl({ kubeconfig }, ['get', 'flunders.v1.wardle.test.dev'])
    assert.match(stderr, /the server is currently unable to handle the request|doesn't have a resource type/)
    await call('PATCH', slice, { body: { endpoints: before.endpoints }, type: 'application/merge-patch+json' })
    await available()
    await unregister()
  })
})
