import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json as readJson } from 'node:stream/consumers'
import { test } from 'node:test'
import type { AuthorizerConfig } from '../../src/apiserver/index.ts'
import { caller, startTestApiServer } from '../support/apiserver.ts'
import { createTestPki } from '../support/pki.ts'

const PODS = '/api/v1/namespaces/default/pods'

/** Serves one API server for one test, which asks as whom it likes. */
async function serving(t: { after(run: () => Promise<void>): void }, authorizers: AuthorizerConfig[]) {
  const server = await startTestApiServer({ authorizers })
  t.after(() => server.stop())
  const call = caller(server)
  const as = async (name: string, groups: string[] = []) => {
    const identity = await server.identity(name, groups)
    return (method: string, path: string) => call(method, path, { as: identity })
  }
  return { call, as }
}

test('AlwaysAllow allows everything to whoever says who he is', async t => {
  const { call, as } = await serving(t, [{ type: 'AlwaysAllow' }])
  assert.equal((await (await as('bob'))('GET', PODS)).status, 200)
  assert.equal((await call('GET', '/version', { as: null })).status, 401)
})

test('AlwaysDeny allows nothing but to administrators', async t => {
  const { call, as } = await serving(t, [{ type: 'AlwaysDeny' }])
  const { status, json } = await (await as('bob'))('GET', PODS)
  assert.equal(status, 403)
  assert.match(json.message, /in the namespace "default": Everything is forbidden\.$/)
  assert.equal((await call('GET', PODS)).status, 200)
})

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/abac/#examples */
test('ABAC allows what a line of its file says', async t => {
  const line = (spec: object) =>
    JSON.stringify({ apiVersion: 'abac.authorization.kubernetes.io/v1beta1', kind: 'Policy', spec })
  const policy = [
    '# who may what',
    line({ user: 'alice', namespace: '*', resource: '*', apiGroup: '*' }),
    line({ user: 'bob', namespace: 'default', resource: 'pods', readonly: true }),
    line({ group: '*', readonly: true, nonResourcePath: '/api*' }),
    JSON.stringify({ user: 'old', resource: 'services' }),
  ].join('\n')
  const { as } = await serving(t, [{ type: 'ABAC', policy }])
  const cases: [name: string, method: string, path: string, status: number][] = [
    ['alice', 'DELETE', `${PODS}/x`, 404],
    ['alice', 'GET', '/metrics', 403],
    ['bob', 'GET', PODS, 200],
    ['bob', 'DELETE', `${PODS}/x`, 403],
    ['bob', 'GET', '/api/v1/namespaces/kube-system/pods', 403],
    ['bob', 'GET', '/apis', 200],
    ['bob', 'GET', '/version', 403],
    ['old', 'DELETE', '/api/v1/namespaces/default/services/x', 404],
  ]
  for (const [name, method, path, status] of cases)
    assert.equal((await (await as(name))(method, path)).status, status, `${name} ${method} ${path}`)
  assert.match((await (await as('bob'))('DELETE', `${PODS}/x`)).json.message, /No policy matched\.$/)
})

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/webhook/ */
test('Webhook asks another service, remembers what it says, and goes on to the next without it', async t => {
  const pki = await createTestPki()
  const asked: { spec: Record<string, never>; apiVersion: string }[] = []
  let answer: object | undefined = { allowed: true }
  const service = createServer(pki.serving, async (request, response) => {
    asked.push((await readJson(request)) as (typeof asked)[number])
    response.statusCode = answer ? 200 : 400
    response.end(JSON.stringify({ kind: 'SubjectAccessReview', status: answer }))
  })
  await new Promise<void>(resolve => service.listen(0, '127.0.0.1', resolve))
  t.after(async () => void service.close())
  const { port } = service.address() as AddressInfo
  const { as } = await serving(t, [
    {
      type: 'Webhook',
      webhook: {
        url: `https://127.0.0.1:${port}/authorize`,
        ca: pki.ca,
        version: 'v1',
        timeout: 5000,
        authorizedTtl: 60_000,
        unauthorizedTtl: 0,
        failurePolicy: 'NoOpinion',
        matchConditions: ['has(request.resourceAttributes)'],
      },
    },
    { type: 'RBAC' },
  ])
  const bob = await as('bob', ['dev'])
  const selected = `${PODS}?labelSelector=a%3Db&fieldSelector=spec.nodeName%3Dn1`
  for (const _ of [1, 2]) assert.equal((await bob('GET', selected)).status, 200)
  assert.deepEqual(
    asked.map(({ apiVersion, spec: { extra: _, ...spec } }) => ({ apiVersion, spec })),
    [
      {
        apiVersion: 'authorization.k8s.io/v1',
        spec: {
          user: 'bob',
          groups: ['dev', 'system:authenticated'],
          resourceAttributes: {
            namespace: 'default',
            verb: 'list',
            version: 'v1',
            resource: 'pods',
            fieldSelector: { requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['n1'] }] },
            labelSelector: { requirements: [{ key: 'a', operator: 'In', values: ['b'] }] },
          },
        },
      },
    ],
  )
  // No resource: not asked for, and allowed by a role.
  assert.equal((await bob('GET', '/api')).status, 200)
  assert.equal(asked.length, 1)
  answer = { allowed: false, denied: true, reason: 'not today' }
  assert.match((await bob('GET', `${PODS}/x`)).json.message, /in the namespace "default": not today$/)
  answer = { allowed: false, reason: 'no idea' }
  assert.match((await bob('GET', `${PODS}/y`)).json.message, /in the namespace "default": no idea$/)
  answer = undefined
  assert.equal((await bob('GET', `${PODS}/z`)).status, 500)
})
