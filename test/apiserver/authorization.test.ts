import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Answer, type Call, caller, startTestApiServer, type TestApiServer } from '../support/apiserver.ts'

const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const ACCESS = '/apis/authorization.k8s.io/v1'
const GROUP = 'rbac.authorization.k8s.io'
const N = '/api/v1/namespaces/default'

type Rule = {
  verbs: string[]
  apiGroups?: string[]
  resources?: string[]
  resourceNames?: string[]
  nonResourceURLs?: string[]
}

/** What upstream's API server 1.36 answers to the same requests. */
describe('authorization by roles', () => {
  let server: TestApiServer
  let call: Call
  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
  })
  after(() => server.stop())

  const made = async (answer: Promise<Answer>) => assert.equal((await answer).status, 201, (await answer).text)
  const rule = (verbs: string, groups: string, resources: string, names?: string): Rule => ({
    verbs: verbs.split(' '),
    apiGroups: groups.split(' ').map(group => (group === 'core' ? '' : group)),
    resources: resources.split(' '),
    ...(names ? { resourceNames: names.split(' ') } : {}),
  })
  const user = (name: string) => ({ kind: 'User', name })
  const role = (name: string, rules: Rule[], as?: string) =>
    write('POST', `${RBAC}/namespaces/default/roles`, { metadata: { name }, rules }, as)
  const clusterRole = (name: string, rules: Rule[], as?: string) =>
    write('POST', `${RBAC}/clusterroles`, { metadata: { name }, rules }, as)
  const binding = (kind: string, name: string) => ({ roleRef: { apiGroup: GROUP, kind, name } })
  const bind = (name: string, ref: object, subjects: object[], as?: string) =>
    write('POST', `${RBAC}/namespaces/default/rolebindings`, { metadata: { name }, ...ref, subjects }, as)
  const bindCluster = (name: string, of: string, subjects: object[], as?: string) =>
    write('POST', `${RBAC}/clusterrolebindings`, { metadata: { name }, ...binding('ClusterRole', of), subjects }, as)
  const headersOf = (name?: string): Record<string, string> => (name ? { 'Impersonate-User': name } : {})
  const write = (method: string, path: string, body: object, as?: string, type?: string) =>
    call(method, path, { body, headers: headersOf(as), ...(type ? { type } : {}) })
  const refused = async (answer: Promise<Answer>, message: string, code = 403) => {
    const { status, json } = await answer
    assert.deepEqual([status, json.message], [code, message])
  }

  it('lets those in who are bound, from the moment that they are', async () => {
    const get = (path: string, as: string) => call('GET', path, { headers: headersOf(as) })
    await made(role('reader', [rule('get list', 'core', 'pods pods/log'), rule('get', 'core', 'secrets', 'one')]))
    await refused(
      get(`${N}/pods`, 'ann'),
      'pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "default"',
    )
    await made(
      bind('ann', binding('Role', 'reader'), [
        user('ann'),
        { kind: 'ServiceAccount', name: 'robot', namespace: 'default' },
      ]),
    )
    for (const [path, status] of [
      [`${N}/pods`, 200],
      [`${N}/pods/none`, 404],
      [`${N}/secrets/one`, 404],
      [`${N}/secrets?fieldSelector=metadata.name%3Done`, 403],
      [`${N}/secrets/two`, 403],
      [`${N}/pods/none/status`, 403],
      ['/api/v1/pods', 403],
      ['/api/v1/namespaces/kube-system/pods', 403],
    ] as const)
      assert.equal((await get(path, 'ann')).status, status, path)
    assert.equal((await get(`${N}/pods`, 'system:serviceaccount:default:robot')).status, 200)
    await call('DELETE', `${RBAC}/namespaces/default/rolebindings/ann`)
    assert.equal((await get(`${N}/pods`, 'ann')).status, 403)
  })

  it('says which roles it could not find', async () => {
    const list = (as: string) => call('GET', `${N}/pods`, { headers: headersOf(as) })
    const who = (name: string) =>
      `pods is forbidden: User "${name}" cannot list resource "pods" in API group "" in the namespace "default"`
    await made(bind('ghost', binding('Role', 'none'), [user('ghost')]))
    await refused(list('ghost'), `${who('ghost')}: RBAC: role.rbac.authorization.k8s.io "none" not found`)
    await made(bindCluster('ghost', 'nothing', [user('ghost')]))
    await refused(
      list('ghost'),
      `${who('ghost')}: RBAC: [clusterrole.rbac.authorization.k8s.io "nothing" not found, role.rbac.authorization.k8s.io "none" not found]`,
    )
  })

  it('reviews access, and says by which binding it is given', async () => {
    await made(clusterRole('urls', [{ verbs: ['get'], nonResourceURLs: ['/foo/*'] }]))
    await made(bindCluster('urls', 'urls', [{ kind: 'Group', name: 'dev' }]))
    await made(bind('robots', binding('Role', 'reader'), [{ kind: 'ServiceAccount', name: 'r2' }]))
    const pods = { verb: 'list', resource: 'pods', namespace: 'default' }
    const cases: [spec: object, status: object][] = [
      [
        { user: 'system:serviceaccount:default:r2', resourceAttributes: pods },
        {
          allowed: true,
          reason: 'RBAC: allowed by RoleBinding "robots/default" of Role "reader" to ServiceAccount "r2/default"',
        },
      ],
      [
        { user: 'x', groups: ['dev'], nonResourceAttributes: { path: '/foo/bar', verb: 'get' } },
        { allowed: true, reason: 'RBAC: allowed by ClusterRoleBinding "urls" of ClusterRole "urls" to Group "dev"' },
      ],
      [{ user: 'x', groups: ['dev'], nonResourceAttributes: { path: '/foo', verb: 'get' } }, { allowed: false }],
      [{ user: 'x', groups: ['system:masters'], resourceAttributes: pods }, { allowed: true }],
      [{ user: 'x', resourceAttributes: pods }, { allowed: false }],
      [
        { user: 'x', resourceAttributes: { ...pods, labelSelector: { rawSelector: 'a in (' } } },
        { allowed: false, evaluationError: 'spec.resourceAttributes.labelSelector ignored due to parse error' },
      ],
    ]
    for (const [spec, status] of cases)
      assert.deepEqual((await call('POST', `${ACCESS}/subjectaccessreviews`, { body: { spec } })).json.status, status)
    await refused(
      call('POST', `${ACCESS}/namespaces/default/localsubjectaccessreviews`, {
        body: { spec: { user: 'x', resourceAttributes: { ...pods, namespace: 'other' } } },
      }),
      '.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace',
      422,
    )
    const { status } = (
      await call('POST', `${ACCESS}/selfsubjectrulesreviews`, {
        body: { spec: { namespace: 'default' } },
        headers: headersOf('system:serviceaccount:default:r2'),
      })
    ).json
    assert.deepEqual(
      status.resourceRules.filter(({ verbs }: Rule) => verbs[0] !== 'create'),
      [rule('get list', 'core', 'pods pods/log'), rule('get', 'core', 'secrets', 'one')],
    )
    assert.equal(status.incomplete, false)
  })

  it('lets nobody give what he does not have', async () => {
    const writes = 'create update patch'
    await made(
      clusterRole('writer', [
        rule(writes, GROUP, 'roles rolebindings clusterroles clusterrolebindings'),
        rule('get', 'core', 'pods'),
      ]),
    )
    await made(bindCluster('writer', 'writer', [user('joe')]))
    const attempts =
      'user "joe" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:'
    await made(role('has', [rule('get', 'core', 'pods')], 'joe'))
    await refused(
      role('more', [rule('get delete', 'core', 'pods'), rule('get', 'core', 'secrets')], 'joe'),
      `roles.rbac.authorization.k8s.io "more" is forbidden: ${attempts}\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`,
    )
    await refused(
      write(
        'PATCH',
        `${RBAC}/namespaces/default/roles/has`,
        { rules: [rule('delete', 'core', 'pods')] },
        'joe',
        'application/merge-patch+json',
      ),
      `roles.rbac.authorization.k8s.io "has" is forbidden: ${attempts}\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}`,
    )
    await refused(
      write(
        'POST',
        `${RBAC}/clusterroles`,
        { metadata: { name: 'all' }, aggregationRule: { clusterRoleSelectors: [{}] } },
        'joe',
      ),
      'clusterroles.rbac.authorization.k8s.io "all" is forbidden: must have cluster-admin privileges to use the aggregationRule',
    )
    await refused(
      bindCluster('up', 'cluster-admin', [user('joe')], 'joe'),
      `clusterrolebindings.rbac.authorization.k8s.io "up" is forbidden: ${attempts}\n{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}`,
    )
    await refused(
      bind('x', binding('Role', 'nothere'), [], 'joe'),
      'rolebindings.rbac.authorization.k8s.io "nothere" not found',
      404,
    )
    await made(bind('mine', binding('Role', 'has'), [user('ann')], 'joe'))
    await refused(
      write('PUT', `${RBAC}/namespaces/default/rolebindings/mine`, {
        metadata: { name: 'mine' },
        ...binding('ClusterRole', 'view'),
      }),
      'RoleBinding.rbac.authorization.k8s.io "mine" is invalid: roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"view"}: cannot change roleRef',
      422,
    )
    // Unless he may do just that.
    await made(
      clusterRole('binder', [rule('bind', GROUP, 'clusterroles', 'cluster-admin'), rule('escalate', GROUP, 'roles')]),
    )
    await made(bindCluster('binder', 'binder', [user('joe')]))
    await made(bindCluster('up', 'cluster-admin', [user('zoe')], 'joe'))
    await made(role('more', [rule('*', '*', '*')], 'joe'))
  })

  it('lets nobody create what he may only change', async () => {
    await made(role('patcher', [rule('get patch update', 'core coordination.k8s.io', 'configmaps leases')]))
    await made(bind('pat', binding('Role', 'patcher'), [user('pat')]))
    const apply = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }
    await refused(
      write('PATCH', `${N}/configmaps/x?fieldManager=f`, apply, 'pat', 'application/apply-patch+yaml'),
      'configmaps "x" is forbidden: User "pat" cannot create resource "configmaps" in API group "" in the namespace "default"',
    )
    await refused(
      write(
        'PUT',
        '/apis/coordination.k8s.io/v1/namespaces/default/leases/x',
        { metadata: { name: 'x' }, spec: {} },
        'pat',
      ),
      'leases.coordination.k8s.io "x" is forbidden: User "pat" cannot create resource "leases" in API group "coordination.k8s.io" in the namespace "default"',
    )
    await made(write('PATCH', `${N}/configmaps/x?fieldManager=f`, apply, undefined, 'application/apply-patch+yaml'))
    assert.equal(
      (await write('PATCH', `${N}/configmaps/x?fieldManager=f`, apply, 'pat', 'application/apply-patch+yaml')).status,
      200,
    )
  })

  it('lets nobody into a container who may only look', async () => {
    await made(role('looker', [rule('get', 'core', 'pods/exec')]))
    await made(bind('lou', binding('Role', 'looker'), [user('lou')]))
    await refused(call('GET', `${N}/pods/p/exec?command=ls`, { headers: headersOf('lou') }), 'pods "p" is forbidden: ')
  })

  it('puts back what is missing of the usual roles, and leaves alone what is not to be kept', async () => {
    const path = (name: string) => `${RBAC}/clusterroles/${encodeURIComponent(name)}`
    const patch = (name: string, body: object) =>
      write('PATCH', path(name), body, undefined, 'application/merge-patch+json')
    const extra = rule('get', 'example.com', 'things')
    await patch('system:kube-dns', { rules: [extra], metadata: { labels: { 'kubernetes.io/bootstrapping': null } } })
    await patch('system:heapster', {
      rules: [],
      metadata: { annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } },
    })
    await call('DELETE', path('system:discovery'))
    await (await server.another()).stop()
    const read = async (name: string) => (await call('GET', path(name))).json
    const dns = await read('system:kube-dns')
    assert.deepEqual(dns.rules.slice(0, 1), [extra])
    assert.equal(dns.rules.length, 5)
    assert.equal(dns.metadata.labels['kubernetes.io/bootstrapping'], 'rbac-defaults')
    assert.deepEqual((await read('system:heapster')).rules ?? [], [])
    assert.equal((await read('system:discovery')).rules.length, 1)
  })
})
