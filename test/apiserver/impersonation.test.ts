import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Call, caller, startTestApiServer, type TestApiServer } from '../support/apiserver.ts'

const WHO_AM_I = '/apis/authentication.k8s.io/v1/selfsubjectreviews'

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
describe('impersonation', () => {
  let server: TestApiServer
  let call: Call
  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
  })
  after(() => server.stop())

  const whoIs = async (headers: Record<string, string | string[]>) =>
    (await call('POST', WHO_AM_I, { body: {}, headers: headers as Record<string, string> })).json.status.userInfo

  it('acts as the user, with the groups, the uid and the extra that are asked for', async () => {
    const user = await whoIs({
      'Impersonate-User': 'jane',
      'Impersonate-Group': ['dev, ops', 'two'],
      'Impersonate-Uid': '12',
      'Impersonate-Extra-acme.com%2Fproject': ['one', 'other'],
    })
    assert.deepEqual(user, {
      username: 'jane',
      uid: '12',
      groups: ['dev, ops', 'two', 'system:authenticated'],
      extra: { 'acme.com/project': ['one', 'other'] },
    })
  })

  it('puts a service account into its groups, and nobody into theirs', async () => {
    const account = await whoIs({ 'Impersonate-User': 'system:serviceaccount:default:robot' })
    assert.deepEqual(account.groups, [
      'system:serviceaccounts',
      'system:serviceaccounts:default',
      'system:authenticated',
    ])
    const nobody = await call('GET', '/api/v1/namespaces', { headers: { 'Impersonate-User': 'system:anonymous' } })
    assert.equal(nobody.status, 403)
    assert.match(nobody.json.message, /User "system:anonymous" cannot list resource "namespaces"/)
  })

  it('may be done only by who is allowed to', async () => {
    const jane = await server.identity('jane', ['dev'])
    for (const [user, message] of [
      ['admin', 'forbidden: User "jane" cannot impersonate-on:user-info:get path "/api"'],
      [
        'system:serviceaccount:default:robot',
        'forbidden: User "jane" cannot impersonate-on:serviceaccount:get path "/api"',
      ],
    ] as const) {
      const { status, json } = await call('GET', '/api', { as: jane, headers: { 'Impersonate-User': user } })
      assert.equal(status, 403)
      assert.equal(json.message, message)
    }
  })

  it('needs a user', async () => {
    const { status, json } = await call('GET', '/api', { headers: { 'Impersonate-Group': 'dev' } })
    assert.equal(status, 400)
    assert.equal(
      json.message,
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"dev"}, Extra:map[string][]string(nil)} without impersonating a user name',
    )
  })
})
