import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  type Call,
  caller,
  makeServiceAccount,
  podNamed,
  startTestApiServer,
  type TestApiServer,
} from '../support/apiserver.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const PODS = '/api/v1/namespaces/default/pods'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const MERGE = 'application/merge-patch+json'

const deployment = (name: string) => ({
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'k8ts.local/demo:latest' }] },
    },
  },
})

describe('writes', () => {
  let server: TestApiServer
  let call: Call

  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
    await makeServiceAccount(call)
  })
  after(() => server.stop())

  const patch = (path: string, body: object, type = MERGE) => call('PATCH', path, { type, body })

  it('fills in what the server decides on a create', async () => {
    const { status, json } = await call('POST', MAPS, {
      body: {
        metadata: {
          generateName: 'made-',
          uid: 'mine',
          creationTimestamp: '2000-01-01T00:00:00Z',
          deletionTimestamp: '2000-01-01T00:00:00Z',
        },
      },
    })
    assert.equal(status, 201)
    assert.match(json.metadata.name, /^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    assert.match(json.metadata.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-4/)
    assert.notEqual(json.metadata.creationTimestamp, '2000-01-01T00:00:00Z')
    assert.equal(json.metadata.deletionTimestamp, undefined)
    assert.equal(json.metadata.namespace, 'default')
    assert.deepEqual((await call('GET', `${MAPS}/${json.metadata.name}`)).json, json)
  })

  it('does not create twice', async () => {
    await call('POST', MAPS, { body: { metadata: { name: 'once' } } })
    const { status, json } = await call('POST', MAPS, { body: { metadata: { name: 'once' } } })
    assert.equal(status, 409)
    assert.equal(json.reason, 'AlreadyExists')
    assert.equal(json.message, 'configmaps "once" already exists')
  })

  it('writes nothing in a dry run', async () => {
    const created = await call('POST', `${MAPS}?dryRun=All`, { body: { metadata: { name: 'dry' } } })
    assert.equal(created.status, 201)
    assert.equal((await call('GET', `${MAPS}/dry`)).status, 404)
    await call('POST', MAPS, { body: { metadata: { name: 'dry' } } })
    assert.equal((await patch(`${MAPS}/dry?dryRun=All`, { data: { a: 'b' } })).json.data.a, 'b')
    assert.equal((await call('GET', `${MAPS}/dry`)).json.data, undefined)
    assert.equal((await call('DELETE', `${MAPS}/dry?dryRun=All`)).status, 200)
    assert.equal((await call('GET', `${MAPS}/dry`)).status, 200)
  })

  it('counts generations of the wanted state alone', async () => {
    await call('POST', DEPLOYMENTS, { body: deployment('counted') })
    const path = `${DEPLOYMENTS}/counted`
    assert.equal((await patch(path, { metadata: { labels: { a: 'b' } } })).json.metadata.generation, 1)
    assert.equal((await patch(path, { spec: { replicas: 3 } })).json.metadata.generation, 2)
    assert.equal((await patch(`${path}/status`, { status: { replicas: 3 } })).json.metadata.generation, 2)
  })

  it('keeps status and the rest apart', async () => {
    await call('POST', DEPLOYMENTS, { body: { ...deployment('apart'), status: { replicas: 9 } } })
    const path = `${DEPLOYMENTS}/apart`
    assert.equal((await call('GET', path)).json.status.replicas, undefined)
    const status = await patch(`${path}/status`, { spec: { replicas: 7 }, status: { replicas: 2 } })
    assert.equal(status.json.spec.replicas, 2)
    assert.equal(status.json.status.replicas, 2)
    const spec = await patch(path, { spec: { replicas: 5 }, status: { replicas: 8 } })
    assert.equal(spec.json.spec.replicas, 5)
    assert.equal(spec.json.status.replicas, 2)
  })

  it('writes nothing when nothing changes', async () => {
    const { json } = await call('POST', MAPS, { body: { metadata: { name: 'same' }, data: { a: 'b' } } })
    const again = await call('PUT', `${MAPS}/same`, { body: json })
    assert.equal(again.json.metadata.resourceVersion, json.metadata.resourceVersion)
    const patched = await patch(`${MAPS}/same`, { data: { a: 'b' } })
    assert.equal(patched.json.metadata.resourceVersion, json.metadata.resourceVersion)
  })

  it('does not let what identifies an object change', async () => {
    const { json } = await call('POST', MAPS, { body: { metadata: { name: 'fixed' } } })
    const { creationTimestamp } = json.metadata
    json.metadata.creationTimestamp = '2000-01-01T00:00:00Z'
    const answer = await call('PUT', `${MAPS}/fixed`, { body: json })
    assert.equal(answer.json.metadata.creationTimestamp, creationTimestamp)
    const deletion = await patch(`${MAPS}/fixed`, { metadata: { deletionTimestamp: '2000-01-01T00:00:00Z' } })
    assert.equal(deletion.status, 422)
    assert.match(deletion.json.message, /metadata.deletionTimestamp: Invalid value: .*: field is immutable/)
  })

  it('patches in every way', async () => {
    await call('POST', DEPLOYMENTS, { body: deployment('patched') })
    const path = `${DEPLOYMENTS}/patched`
    const byJson = await patch(
      path,
      [{ op: 'replace', path: '/spec/replicas', value: 4 }],
      'application/json-patch+json',
    )
    assert.equal(byJson.json.spec.replicas, 4)
    const strategic = await patch(
      path,
      { spec: { template: { spec: { containers: [{ name: 'side', image: 'b' }] } } } },
      'application/strategic-merge-patch+json',
    )
    assert.deepEqual(strategic.json.spec.template.spec.containers.map(({ name }: { name: string }) => name).sort(), [
      'main',
      'side',
    ])
    const stale = await patch(path, { metadata: { resourceVersion: '1' } })
    assert.equal(stale.status, 409)
  })

  it('loses no patch of many at once', async () => {
    await call('POST', MAPS, { body: { metadata: { name: 'busy' } } })
    const answers = await Promise.all(
      Array.from({ length: 15 }, (_, index) => patch(`${MAPS}/busy`, { data: { [`key-${index}`]: 'x' } })),
    )
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    assert.equal(Object.keys((await call('GET', `${MAPS}/busy`)).json.data).length, 15)
  })

  it('creates by update where that is upstream’s way', async () => {
    const lease = { metadata: { name: 'made-by-put' }, spec: { holderIdentity: 'me', leaseDurationSeconds: 10 } }
    const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases/made-by-put'
    assert.equal((await call('PUT', path, { body: lease })).status, 201)
    assert.equal((await call('GET', path)).json.spec.holderIdentity, 'me')
  })

  describe('deletion', () => {
    it('answers with a Status, and is final', async () => {
      const { json } = await call('POST', DEPLOYMENTS, { body: deployment('gone') })
      const answer = await call('DELETE', `${DEPLOYMENTS}/gone`)
      assert.equal(answer.status, 200)
      assert.deepEqual(answer.json.details, {
        name: 'gone',
        group: 'apps',
        kind: 'deployments',
        uid: json.metadata.uid,
      })
      assert.equal((await call('GET', `${DEPLOYMENTS}/gone`)).status, 404)
      assert.equal((await call('DELETE', `${DEPLOYMENTS}/gone`)).status, 404)
    })

    it('waits for finalizers', async () => {
      await call('POST', MAPS, { body: { metadata: { name: 'held', finalizers: ['example.com/hold'] } } })
      const marked = await call('DELETE', `${MAPS}/held`)
      assert.ok(marked.json.metadata.deletionTimestamp)
      const more = await patch(`${MAPS}/held`, { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } })
      assert.equal(more.status, 422)
      assert.match(
        more.json.message,
        /no new finalizers can be added if the object is being deleted, found new finalizers \[\]string\{"example.com\/more"\}/,
      )
      assert.equal((await patch(`${MAPS}/held`, { metadata: { finalizers: null } })).status, 200)
      assert.equal((await call('GET', `${MAPS}/held`)).status, 404)
    })

    it('asks the garbage collector by finalizers', async () => {
      for (const [policy, finalizer] of [
        ['Foreground', 'foregroundDeletion'],
        ['Orphan', 'orphan'],
      ] as const) {
        const name = policy.toLowerCase()
        await call('POST', DEPLOYMENTS, { body: deployment(name) })
        const answer = await call('DELETE', `${DEPLOYMENTS}/${name}`, { body: { propagationPolicy: policy } })
        assert.equal(answer.status, 200)
        assert.deepEqual(answer.json.metadata.finalizers, [finalizer])
        assert.ok(answer.json.metadata.deletionTimestamp)
      }
    })

    it('gives a running pod its grace, which later deletes can only shorten', async () => {
      await call('POST', PODS, { body: podNamed('graceful') })
      const bound = await call('POST', `${PODS}/graceful/binding`, {
        body: { metadata: { name: 'graceful' }, target: { kind: 'Node', name: 'n1' } },
      })
      assert.equal(bound.status, 201)
      const first = await call('DELETE', `${PODS}/graceful`)
      assert.equal(first.json.metadata.deletionGracePeriodSeconds, 30)
      assert.equal(
        (await call('DELETE', `${PODS}/graceful?gracePeriodSeconds=60`)).json.metadata.deletionGracePeriodSeconds,
        30,
      )
      const shorter = await call('DELETE', `${PODS}/graceful?gracePeriodSeconds=5`)
      assert.equal(shorter.json.metadata.deletionGracePeriodSeconds, 5)
      assert.equal(
        Date.parse(first.json.metadata.deletionTimestamp) - Date.parse(shorter.json.metadata.deletionTimestamp),
        25_000,
      )
      assert.equal((await call('DELETE', `${PODS}/graceful?gracePeriodSeconds=0`)).status, 200)
      assert.equal((await call('GET', `${PODS}/graceful`)).status, 404)
    })

    it('ends a pod that runs nowhere at once', async () => {
      await call('POST', PODS, { body: podNamed('nowhere') })
      await call('DELETE', `${PODS}/nowhere`)
      assert.equal((await call('GET', `${PODS}/nowhere`)).status, 404)
    })

    it('empties namespaces first', async () => {
      await call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'doomed' } } })
      const { json } = await call('DELETE', '/api/v1/namespaces/doomed')
      assert.equal(json.status.phase, 'Terminating')
      assert.deepEqual(json.spec.finalizers, ['kubernetes'])
      const late = await call('POST', '/api/v1/namespaces/doomed/configmaps', { body: { metadata: { name: 'late' } } })
      assert.equal(late.status, 403)
      assert.equal(
        late.json.message,
        'configmaps "late" is forbidden: unable to create new content in namespace doomed because it is being terminated',
      )
      const finalized = await call('PUT', '/api/v1/namespaces/doomed/finalize', { body: { ...json, spec: {} } })
      assert.equal(finalized.status, 200, finalized.text)
      assert.equal((await call('GET', '/api/v1/namespaces/doomed')).status, 404)
    })

    it('spares the namespaces that the cluster needs', async () => {
      const { status, json } = await call('DELETE', '/api/v1/namespaces/kube-system')
      assert.equal(status, 403)
      assert.equal(json.message, 'namespaces "kube-system" is forbidden: this namespace may not be deleted')
    })
  })

  describe('subresources', () => {
    it('binds a pod once', async () => {
      await call('POST', PODS, { body: podNamed('bound') })
      const body = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'bound', annotations: { by: 'me' } },
        target: { kind: 'Node', name: 'n1' },
      }
      assert.equal((await call('POST', '/api/v1/namespaces/default/bindings', { body })).status, 201)
      const { json } = await call('GET', `${PODS}/bound`)
      assert.equal(json.spec.nodeName, 'n1')
      assert.equal(json.metadata.annotations.by, 'me')
      assert.equal(json.metadata.generation, 1)
      assert.equal(json.status.conditions.find(({ type }: { type: string }) => type === 'PodScheduled').status, 'True')
      const again = await call('POST', `${PODS}/bound/binding`, { body })
      assert.equal(again.status, 409)
      assert.equal(
        again.json.message,
        'Operation cannot be fulfilled on pods/binding "bound": pod bound is already assigned to node "n1"',
      )
    })

    it('scales', async () => {
      await call('POST', DEPLOYMENTS, { body: deployment('scaled') })
      const path = `${DEPLOYMENTS}/scaled/scale`
      const { json } = await call('GET', path)
      assert.equal(json.kind, 'Scale')
      assert.equal(json.status.selector, 'app=scaled')
      assert.equal((await call('PUT', path, { body: { ...json, spec: { replicas: 6 } } })).json.spec.replicas, 6)
      assert.equal((await call('PUT', path, { body: { ...json, spec: { replicas: 7 } } })).status, 409)
      assert.equal((await patch(path, { spec: { replicas: -1 } })).status, 422)
      assert.equal((await call('GET', `${DEPLOYMENTS}/scaled`)).json.spec.replicas, 6)
    })

    it('evicts a pod that its budget can spare', async () => {
      await call('POST', PODS, { body: podNamed('evicted', { labels: { app: 'guarded' } }) })
      const conditions = [{ type: 'Ready', status: 'True' }]
      await patch(`${PODS}/evicted/status`, { status: { phase: 'Running', conditions } })
      const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
      await call('POST', budgets, {
        body: { metadata: { name: 'guard' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } } },
      })
      const status = (allowed: number) => ({
        status: {
          observedGeneration: 1,
          disruptionsAllowed: allowed,
          currentHealthy: 1,
          desiredHealthy: 1,
          expectedPods: 1,
        },
      })
      await patch(`${budgets}/guard/status`, status(0))
      const evict = (deleteOptions?: object) =>
        call('POST', `${PODS}/evicted/eviction`, {
          body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'evicted' }, deleteOptions },
        })
      const refused = await evict()
      assert.equal(refused.status, 429)
      assert.equal(refused.json.message, "Cannot evict pod as it would violate the pod's disruption budget.")
      await patch(`${budgets}/guard/status`, status(1))
      assert.equal((await evict({ dryRun: ['All'] })).status, 201)
      assert.equal((await call('GET', `${PODS}/evicted`)).status, 200)
      assert.equal((await evict()).status, 201)
      assert.equal((await call('GET', `${PODS}/evicted`)).status, 404)
      assert.equal((await call('GET', `${budgets}/guard`)).json.status.disruptionsAllowed, 0)
    })
  })

  it('shows events and autoscalers in both of their versions', async () => {
    const event = {
      metadata: { name: 'e' },
      regarding: { kind: 'Pod', namespace: 'default', name: 'p' },
      note: 'hello',
      type: 'Normal',
      reason: 'R',
    }
    const made = await call('POST', '/apis/events.k8s.io/v1/namespaces/default/events', {
      body: {
        ...event,
        action: 'A',
        eventTime: '2026-01-01T00:00:00.000000Z',
        reportingController: 'example.com/c',
        reportingInstance: 'i',
      },
    })
    assert.equal(made.status, 201, made.text)
    const core = await call('GET', '/api/v1/namespaces/default/events/e')
    assert.equal(core.json.message, 'hello')
    assert.equal(core.json.involvedObject.name, 'p')
    const { json } = await call('GET', '/apis/events.k8s.io/v1/events')
    assert.equal(json.items[0].note, 'hello')
  })
})
