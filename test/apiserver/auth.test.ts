import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { connect } from 'node:http2'
import { after, before, describe, it } from 'node:test'
import {
  type Call,
  caller,
  makeServiceAccount,
  podNamed,
  startTestApiServer,
  type TestApiServer,
} from '../support/apiserver.ts'
import { type Credentials, createTestPki } from '../support/pki.ts'

const SELF = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const PODS = '/api/v1/namespaces/default/pods'
/** Of the components only this one may delete nodes. */
const DELETES = new Set(['system:kube-controller-manager'])

describe('identity and access', () => {
  let server: TestApiServer
  let call: Call
  let bob: Credentials

  before(async () => {
    server = await startTestApiServer({ bootstrapTokens: true, anonymous: path => path !== '/livez' })
    call = caller(server)
    bob = await server.identity('bob', ['dev'])
    await makeServiceAccount(call)
  })
  after(() => server.stop())

  const whoami = (options: object = {}) => call('POST', SELF, { body: {}, ...options })
  const bearer = (token: string) => ({ as: null, headers: { authorization: `Bearer ${token}` } })
  const token = async (spec: object = {}) =>
    (await call('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', { body: { spec } })).json

  it('reads a certificate', async () => {
    const { userInfo } = (await whoami({ as: bob })).json.status
    const { extra, ...rest } = userInfo
    assert.deepEqual(rest, { username: 'bob', groups: ['dev', 'system:authenticated'] })
    const [credential] = extra['authentication.kubernetes.io/credential-id']
    assert.equal(
      credential,
      `X509SHA256=${new X509Certificate(bob.cert).fingerprint256.replaceAll(':', '').toLowerCase()}`,
    )
  })

  it('does not believe another authority', async () => {
    const stranger = await (await createTestPki()).identity('kubernetes-admin', ['system:masters'])
    const { status, json } = await call('GET', PODS, { as: stranger })
    assert.equal(status, 401)
    assert.equal(json.reason, 'Unauthorized')
  })

  it('lets nobody in particular see no more than its health', async () => {
    assert.equal((await call('GET', '/livez', { as: null })).status, 401, 'as this server was told')
    for (const path of ['/healthz', '/readyz', '/version'])
      assert.equal((await call('GET', path, { as: null })).status, 200)
    const { status, json } = await call('GET', PODS, { as: null })
    assert.equal(status, 403)
    assert.equal(
      json.message,
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    )
    assert.equal((await call('GET', '/apis', { as: null })).status, 403)
  })

  it('refuses in upstream’s words', async () => {
    const cases: [string, string, string][] = [
      [
        'GET',
        '/api/v1/nodes/n1',
        'nodes "n1" is forbidden: User "bob" cannot get resource "nodes" in API group "" at the cluster scope',
      ],
      [
        'DELETE',
        '/apis/apps/v1/namespaces/a/deployments/d',
        'deployments.apps "d" is forbidden: User "bob" cannot delete resource "deployments" in API group "apps" in the namespace "a"',
      ],
      [
        'GET',
        `${PODS}/p/log`,
        'pods "p" is forbidden: User "bob" cannot get resource "pods/log" in API group "" in the namespace "default"',
      ],
      [
        'GET',
        `${PODS}?watch=1`,
        'pods is forbidden: User "bob" cannot watch resource "pods" in API group "" in the namespace "default"',
      ],
      ['GET', '/metrics', 'forbidden: User "bob" cannot get path "/metrics"'],
    ]
    for (const [method, path, message] of cases) {
      const { status, json } = await call(method, path, { as: bob })
      assert.equal(status, 403)
      assert.equal(json.message, message)
    }
    assert.equal((await call('GET', '/api', { as: bob })).status, 200)
  })

  it('lets the components in', async () => {
    const allowed: [name: string, groups: string[], path: string][] = [
      ['system:kube-scheduler', [], PODS],
      ['system:kube-controller-manager', [], PODS],
      ['system:kube-proxy', [], '/apis/discovery.k8s.io/v1/endpointslices'],
      ['system:k8ts-network', [], '/api/v1/nodes'],
      ['system:k8ts-dns', [], '/api/v1/services'],
      ['system:node:n1', ['system:nodes'], '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1'],
    ]
    for (const [name, groups, path] of allowed) {
      const as = await server.identity(name, groups)
      assert.equal((await call('GET', path, { as })).status, 200, name)
      assert.equal((await call('DELETE', '/api/v1/nodes/n2', { as })).status, DELETES.has(name) ? 404 : 403, name)
    }
  })

  it('signs tokens, believes them, and publishes their key', async () => {
    const { status } = await token({ audiences: [] })
    assert.ok(Date.parse(status.expirationTimestamp) - Date.now() > 3_500_000)
    const { userInfo } = (await whoami(bearer(status.token))).json.status
    assert.equal(userInfo.username, 'system:serviceaccount:default:default')
    assert.deepEqual(userInfo.groups, [
      'system:serviceaccounts',
      'system:serviceaccounts:default',
      'system:authenticated',
    ])
    const { keys } = (await call('GET', '/openid/v1/jwks')).json
    const header = JSON.parse(Buffer.from(status.token.split('.')[0], 'base64url').toString())
    assert.equal(header.kid, keys[0].kid)
    assert.equal(header.alg, keys[0].alg)
  })

  it('does not believe tokens that are changed, for others, or of accounts that are gone', async () => {
    const good = (await token()).status.token as string
    const [header, , signature] = good.split('.')
    const claims = JSON.parse(Buffer.from(good.split('.')[1]!, 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'system:serviceaccount:kube-system:x' })).toString(
      'base64url',
    )
    assert.equal((await whoami(bearer(`${header}.${forged}.${signature}`))).status, 401)
    assert.equal((await whoami(bearer('nonsense'))).status, 401)
    assert.equal((await whoami(bearer((await token({ audiences: ['else'] })).status.token))).status, 401)
    await call('POST', '/api/v1/namespaces/default/serviceaccounts', { body: { metadata: { name: 'brief' } } })
    const brief = (await call('POST', '/api/v1/namespaces/default/serviceaccounts/brief/token', { body: { spec: {} } }))
      .json.status.token
    assert.equal((await whoami(bearer(brief))).status, 201)
    await call('DELETE', '/api/v1/namespaces/default/serviceaccounts/brief')
    assert.equal((await whoami(bearer(brief))).status, 401)
  })

  it('believes the tokens that nodes join by', async () => {
    const stringData = {
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': 'system:bootstrappers:worker',
    }
    const path = '/api/v1/namespaces/kube-system/secrets'
    const secret = { metadata: { name: 'bootstrap-token-abcdef' }, type: 'bootstrap.kubernetes.io/token', stringData }
    await call('POST', path, { body: secret })
    const good = bearer('abcdef.0123456789abcdef')
    const { userInfo } = (await whoami(good)).json.status
    assert.deepEqual(userInfo, {
      username: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:worker', 'system:authenticated'],
    })
    assert.equal((await whoami(bearer('abcdef.0123456789abcdee'))).status, 401)
    for (const wrong of [{ expiration: '2020-01-01T00:00:00Z' }, { 'usage-bootstrap-authentication': 'false' }]) {
      await call('PATCH', `${path}/bootstrap-token-abcdef`, {
        body: { stringData: wrong },
        type: 'application/merge-patch+json',
      })
      assert.equal((await whoami(good)).status, 401)
    }
  })

  it('lets a bound token die with its pod', async () => {
    const { json: pod } = await call('POST', PODS, { body: podNamed('bound') })
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'bound', uid: pod.metadata.uid }
    const { status } = await token({ boundObjectRef })
    const { userInfo } = (await whoami(bearer(status.token))).json.status
    assert.deepEqual(userInfo.extra['authentication.kubernetes.io/pod-name'], ['bound'])
    await call('DELETE', `${PODS}/bound?gracePeriodSeconds=0`)
    assert.equal((await whoami(bearer(status.token))).status, 401)
    const late = await call('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', {
      body: { spec: { boundObjectRef } },
    })
    assert.equal(late.status, 404)
  })

  it('bounds how long a token may live', async () => {
    const { code, message } = await token({ expirationSeconds: 60 })
    assert.equal(code, 422)
    assert.match(message, /spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes/)
  })

  it('answers reviews', async () => {
    const review = (path: string, spec: object, as?: Credentials) =>
      call('POST', path, { body: { spec }, ...(as ? { as } : {}) })
    const resourceAttributes = { verb: 'list', resource: 'pods', namespace: 'default' }
    const access = '/apis/authorization.k8s.io/v1'
    assert.equal((await review(`${access}/selfsubjectaccessreviews`, { resourceAttributes })).json.status.allowed, true)
    assert.equal(
      (await review(`${access}/selfsubjectaccessreviews`, { resourceAttributes }, bob)).json.status.allowed,
      false,
    )
    assert.equal(
      (await review(`${access}/subjectaccessreviews`, { resourceAttributes, user: 'bob' })).json.status.allowed,
      false,
    )
    assert.equal((await review(`${access}/subjectaccessreviews`, { resourceAttributes })).status, 422)
    const judged = await call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { spec: { token: (await token()).status.token } },
    })
    assert.equal(judged.json.status.authenticated, true)
    assert.equal(judged.json.status.user.username, 'system:serviceaccount:default:default')
  })

  it('gives pods a service account, its token and tolerations', async () => {
    const { json } = await call('POST', PODS, { body: podNamed('furnished') })
    assert.equal(json.spec.serviceAccountName, 'default')
    const [volume] = json.spec.volumes
    assert.match(volume.name, /^kube-api-access-[a-z0-9]{5}$/)
    assert.equal(volume.projected.sources[0].serviceAccountToken.expirationSeconds, 3607)
    assert.deepEqual(json.spec.containers[0].volumeMounts, [
      { name: volume.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ])
    assert.deepEqual(
      json.spec.tolerations.map(({ tolerationSeconds }: { tolerationSeconds: number }) => tolerationSeconds),
      [300, 300],
    )
    assert.equal(json.spec.priority, 0)
    const missing = await call('POST', PODS, {
      body: { ...podNamed('x'), spec: { ...podNamed('x').spec, serviceAccountName: 'none' } },
    })
    assert.equal(missing.status, 403)
    assert.equal(
      missing.json.message,
      'pods "x" is forbidden: error looking up service account default/none: serviceaccount "none" not found',
    )
  })

  it('speaks HTTP/2', async () => {
    const session = connect(server.url, { ca: server.ca, ...server.admin })
    const stream = session.request({ ':path': '/api/v1/namespaces/default' })
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk)
    assert.equal(JSON.parse(Buffer.concat(chunks).toString()).metadata.name, 'default')
    session.close()
  })
})
