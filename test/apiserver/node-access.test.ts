import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  type Answer,
  type Call,
  caller,
  makeServiceAccount,
  startTestApiServer,
  type TestApiServer,
} from '../support/apiserver.ts'

const N = '/api/v1/namespaces/default'
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'
const MERGE = 'application/merge-patch+json'

/** What a kubelet may see and write; the answers are those of upstream's API server 1.36 to the same requests. */
describe('access of nodes', () => {
  let server: TestApiServer
  let call: Call
  before(async () => {
    server = await startTestApiServer({ enabledAdmissionPlugins: ['NodeRestriction'] })
    call = caller(server)
    await makeServiceAccount(call)
    const make = async (path: string, body: object) => assert.equal((await call('POST', path, { body })).status, 201)
    for (const name of ['n1', 'n2']) await make('/api/v1/nodes', { metadata: { name } })
    const volumes = [
      { name: 's', secret: { secretName: 'mounted' } },
      { name: 'c', persistentVolumeClaim: { claimName: 'claim' } },
      { name: 't', projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'vault' } }] } },
    ]
    const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'map', key: 'a' } } }]
    const spec = { automountServiceAccountToken: false, containers: [{ name: 'm', image: 'x', env }] }
    await make(`${N}/pods`, { metadata: { name: 'p1' }, spec: { ...spec, nodeName: 'n1', volumes } })
    await make(`${N}/pods`, { metadata: { name: 'p2' }, spec: { ...spec, nodeName: 'n2' } })
    for (const name of ['mounted', 'of-volume', 'other']) await make(`${N}/secrets`, { metadata: { name } })
    for (const name of ['map', 'other']) await make(`${N}/configmaps`, { metadata: { name } })
    const storage = { storage: '1Gi' }
    await make('/api/v1/persistentvolumes', {
      metadata: { name: 'volume' },
      spec: {
        capacity: storage,
        accessModes: ['ReadWriteOnce'],
        claimRef: { namespace: 'default', name: 'claim' },
        csi: { driver: 'd', volumeHandle: 'h', nodePublishSecretRef: { name: 'of-volume', namespace: 'default' } },
      },
    })
  })
  after(() => server.stop())

  const as = (name: string) => ({
    'Impersonate-User': `system:node:${name}`,
    'Impersonate-Group': 'system:nodes',
  })
  const get = (path: string, name = 'n1') => call('GET', path, { headers: as(name) })
  const write = (method: string, path: string, body: object, type?: string) =>
    call(method, path, { body, headers: as('n1'), ...(type ? { type } : {}) })
  const patch = (path: string, body: object) => write('PATCH', path, body, MERGE)
  const refused = async (answer: Promise<Answer>, end: string) => {
    const { status, json } = await answer
    assert.equal(status, 403, JSON.stringify(json))
    assert.ok(json.message.endsWith(end), `${json.message}\nshould end with ${end}`)
  }

  it('a node sees what its own pods refer to', async () => {
    const unrelated = `: no relationship found between node 'n1' and this object`
    for (const path of [
      `${N}/secrets/mounted`,
      `${N}/secrets/of-volume`,
      `${N}/secrets?fieldSelector=metadata.name%3Dmounted`,
      `${N}/configmaps/map`,
      `${N}/pods/p1`,
      '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1',
      '/api/v1/persistentvolumes/volume',
      '/api/v1/nodes/n1',
      '/api/v1/services',
    ])
      assert.equal((await get(path)).status, 200, path)
    for (const [path, end] of [
      [`${N}/secrets/other`, unrelated],
      [`${N}/configmaps/other`, unrelated],
      [`${N}/pods/p2`, unrelated],
      [`${N}/secrets`, ': No Object name found'],
      ['/api/v1/secrets', ': can only read namespaced object of this type'],
      [`${N}/persistentvolumeclaims`, ': can only get individual resources of this type'],
      ['/api/v1/pods', ': can only list/watch pods with spec.nodeName field selector'],
      ['/api/v1/pods?fieldSelector=spec.nodeName%3Dn2', ': can only list/watch pods with spec.nodeName field selector'],
      ['/api/v1/nodes', `: node 'n1' cannot read all nodes, only its own Node object`],
      ['/api/v1/nodes/n2', `: node 'n1' cannot read 'n2', only its own Node object`],
      ['/apis/apps/v1/deployments', 'at the cluster scope'],
    ] as const)
      await refused(get(path), end)
  })

  it('a node hears of a new pod at once, and forgets with it what it refers to', async () => {
    const path = `${N}/configmaps/other`
    const spec = {
      nodeName: 'n2',
      containers: [{ name: 'm', image: 'x', envFrom: [{ configMapRef: { name: 'other' } }] }],
    }
    assert.equal((await get(path, 'n2')).status, 403)
    await call('POST', `${N}/pods`, { body: { metadata: { name: 'late' }, spec } })
    assert.equal((await get(path, 'n2')).status, 200)
    await call('DELETE', `${N}/pods/late?gracePeriodSeconds=0`)
    assert.equal((await get(path, 'n2')).status, 403)
  })

  it('a node writes its own Node, and of that not everything', async () => {
    assert.equal(
      (await patch('/api/v1/nodes/n1', { metadata: { labels: { 'acme.com/x': 'y', 'kubernetes.io/os': 'linux' } } }))
        .status,
      200,
    )
    assert.equal((await patch('/api/v1/nodes/n1/status', { status: { capacity: { cpu: '1' } } })).status, 200)
    const labels = { 'node-role.kubernetes.io/x': '', 'node-restriction.kubernetes.io/y': '' }
    await refused(
      patch('/api/v1/nodes/n1', { metadata: { labels } }),
      'is not allowed to modify labels: node-restriction.kubernetes.io/y, node-role.kubernetes.io/x',
    )
    await refused(
      patch('/api/v1/nodes/n1', { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }),
      'node "n1" is not allowed to modify taints',
    )
    await refused(patch('/api/v1/nodes/n2/status', {}), 'node "n1" is not allowed to modify node "n2"')
    await refused(
      write('POST', '/api/v1/nodes', { metadata: { name: 'n3' } }),
      'node "n1" is not allowed to modify node "n3"',
    )
    assert.equal((await write('POST', LEASES, { metadata: { name: 'n1' }, spec: {} })).status, 201)
    await refused(
      write('POST', LEASES, { metadata: { name: 'n2' }, spec: {} }),
      'can only access node lease with the same name as the requesting node',
    )
  })

  it('a node writes the status of its own pods, and creates none but mirrors', async () => {
    assert.equal((await patch(`${N}/pods/p1/status`, { status: { phase: 'Running' } })).status, 200)
    await refused(
      patch(`${N}/pods/p1/status`, { metadata: { labels: { a: 'b' } } }),
      'node "n1" cannot update labels through pod status',
    )
    await refused(
      patch(`${N}/pods/p2/status`, { status: { phase: 'Running' } }),
      'node "n1" can only update pod status for pods with spec.nodeName set to itself',
    )
    await refused(
      call('DELETE', `${N}/pods/p2`, { headers: as('n1') }),
      'node "n1" can only delete pods with spec.nodeName set to itself',
    )
    const spec = { nodeName: 'n1', containers: [{ name: 'm', image: 'x' }] }
    await refused(
      write('POST', `${N}/pods`, { metadata: { name: 'x' }, spec }),
      'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
    )
    const annotations = { 'kubernetes.io/config.mirror': 'x' }
    const { uid } = (await call('GET', '/api/v1/nodes/n1')).json.metadata
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid, controller: true }
    const mirror = (of: object, more: object = {}) =>
      write('POST', `${N}/pods`, {
        metadata: { name: 'x', annotations, ownerReferences: [of] },
        spec: { ...spec, ...more },
      })
    await refused(mirror({ ...owner, uid: 'old' }), `node n1 UID mismatch: expected old got ${uid}`)
    await refused(
      mirror(owner, { volumes: [{ name: 'v', secret: { secretName: 's' } }] }),
      'a mirror pod may not reference secrets',
    )
    assert.equal((await mirror(owner)).status, 201)
  })

  it('a node gets tokens for its own pods, for those whom they are to be shown to', async () => {
    const { uid } = (await call('GET', `${N}/pods/p1`)).json.metadata
    const bound = { kind: 'Pod', apiVersion: 'v1', name: 'p1', uid }
    const token = (spec: object) => write('POST', `${N}/serviceaccounts/default/token`, { spec })
    assert.equal((await token({ boundObjectRef: bound, audiences: ['vault'] })).status, 201)
    await refused(token({}), 'node requested token not bound to a pod')
    await refused(token({ boundObjectRef: bound, audiences: ['vault', 'x'] }), 'node may only request 0 or 1 audiences')
    await refused(
      token({ boundObjectRef: { ...bound, uid: 'old' }, audiences: ['vault'] }),
      'the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated',
    )
    await refused(
      token({ boundObjectRef: bound, audiences: ['x'] }),
      'error validating audience "x": persistentvolumeclaim "claim" not found',
    )
  })

  it('somebody who only calls himself so is no node', async () => {
    const headers = { 'Impersonate-User': 'system:node:n1', 'Impersonate-Group': 'system:authenticated' }
    await refused(call('GET', `${N}/secrets/mounted`, { headers }), 'in the namespace "default"')
    await refused(get(`${N}/secrets/mounted`, ''), ': unknown node for user "system:node:"')
  })
})
