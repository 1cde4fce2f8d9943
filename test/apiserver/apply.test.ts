import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Clock, systemClock } from '../../src/base/index.ts'
import {
  type Answer,
  type Call,
  caller,
  makeServiceAccount,
  podNamed,
  startTestApiServer,
  type TestApiServer,
} from '../support/apiserver.ts'
import { eventually } from '../support/eventually.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const PODS = '/api/v1/namespaces/default/pods'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const AUTOSCALERS = '/namespaces/default/horizontalpodautoscalers'

type Loose = Record<string, unknown>
interface Entry {
  manager: string
  operation: string
  apiVersion: string
  time?: string
  subresource?: string
  fieldsV1: Loose
}

const map = (name: string, data: Loose = {}, metadata: Loose = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
})

const deployment = (name: string, spec: Loose = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels: { app: name } },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'k8ts.local/demo:latest' }] },
    },
    ...spec,
  },
})

const owners = ({ json }: Answer): string[] =>
  (json.metadata.managedFields ?? []).map(({ manager, operation, subresource }: Entry) =>
    [manager, operation, subresource].filter(Boolean).join(' '),
  )

describe('server-side apply', () => {
  let server: TestApiServer
  let call: Call
  /** Milliseconds by which the server's clock has been put forward, so that a new time would show. */
  let late = 0

  before(async () => {
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + late }
    server = await startTestApiServer({ clock })
    call = caller(server)
    await makeServiceAccount(call)
  })
  after(() => server.stop())

  const apply = (path: string, body: object | string, manager = 'one', rest = '') =>
    call('PATCH', `${path}?fieldManager=${manager}${rest}`, { type: 'application/apply-patch+yaml', body })
  const entryOf = ({ json }: Answer, manager: string): Entry =>
    json.metadata.managedFields.find((entry: Entry) => entry.manager === manager)

  it('creates, changes and leaves alone', async () => {
    const path = `${MAPS}/made`
    const made = await apply(path, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: made\ndata:\n  a: b\n')
    assert.equal(made.status, 201, made.text)
    assert.deepEqual(entryOf(made, 'one').fieldsV1, { 'f:data': { 'f:a': {} } })
    late += 5000
    const again = await apply(path, map('made', { a: 'b' }))
    assert.equal(again.status, 200)
    assert.deepEqual(again.json, made.json)
    const changed = await apply(path, map('made', { c: 'd' }))
    assert.deepEqual(changed.json.data, { c: 'd' })
  })

  it('leaves alone what differs in writing only', async () => {
    const limits = { cpu: '1000m', memory: '0.5Gi' }
    const body = deployment('quantities')
    const container = { name: 'main', image: 'k8ts.local/demo:latest', resources: { limits } }
    Object.assign(body.spec.template.spec, { containers: [container] })
    const made = await apply(`${DEPLOYMENTS}/quantities`, body)
    assert.equal(made.status, 201, made.text)
    late += 5000
    const again = await apply(`${DEPLOYMENTS}/quantities`, body)
    assert.deepEqual(again.json, made.json)
  })

  it('writes nothing in a dry run', async () => {
    assert.equal((await apply(`${MAPS}/dry`, map('dry', { a: 'b' }), 'one', '&dryRun=All')).status, 201)
    assert.equal((await call('GET', `${MAPS}/dry`)).status, 404)
    await apply(`${MAPS}/dry`, map('dry', { a: 'b' }))
    const { json } = await apply(`${MAPS}/dry`, map('dry', { a: 'c' }), 'one', '&dryRun=All')
    assert.equal(json.data.a, 'c')
    assert.equal((await call('GET', `${MAPS}/dry`)).json.data.a, 'b')
  })

  it('owns defaults through updates alone', async () => {
    const created = await call('POST', `${DEPLOYMENTS}?fieldManager=creator`, { body: deployment('defaulted') })
    assert.equal(created.status, 201, created.text)
    assert.deepEqual(entryOf(created, 'creator').fieldsV1, {
      'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
      'f:spec': {
        'f:progressDeadlineSeconds': {},
        'f:replicas': {},
        'f:revisionHistoryLimit': {},
        'f:selector': {},
        'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {}, 'f:maxUnavailable': {} }, 'f:type': {} },
        'f:template': {
          'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
          'f:spec': {
            'f:containers': {
              'k:{"name":"main"}': {
                '.': {},
                'f:image': {},
                'f:imagePullPolicy': {},
                'f:name': {},
                'f:resources': {},
                'f:terminationMessagePath': {},
                'f:terminationMessagePolicy': {},
              },
            },
            'f:dnsPolicy': {},
            'f:restartPolicy': {},
            'f:schedulerName': {},
            'f:securityContext': {},
            'f:terminationGracePeriodSeconds': {},
          },
        },
      },
    })
    const applied = await apply(`${DEPLOYMENTS}/applied`, deployment('applied'))
    assert.equal(applied.json.spec.replicas, 1)
    assert.equal(entryOf(applied, 'one').fieldsV1['f:spec']!['f:replicas' as never], undefined)
  })

  it('owns of a pod what its creator sent and defaults, not what admission adds', async () => {
    const { json } = await call('POST', PODS, {
      body: { ...podNamed('owned'), metadata: { name: 'owned', labels: { run: 'owned' } } },
      headers: { 'User-Agent': 'kubectl-run/v1.35 (linux/amd64)' },
    })
    const [entry] = json.metadata.managedFields
    assert.equal(entry.manager, 'kubectl-run')
    assert.equal(entry.operation, 'Update')
    assert.equal(entry.apiVersion, 'v1')
    assert.equal(entry.fieldsType, 'FieldsV1')
    assert.match(entry.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.deepEqual(Object.keys(entry.fieldsV1['f:spec']), [
      'f:containers',
      'f:dnsPolicy',
      'f:enableServiceLinks',
      'f:restartPolicy',
      'f:schedulerName',
      'f:securityContext',
      'f:terminationGracePeriodSeconds',
    ])
  })

  it('refuses conflicts, and overrides them with force', async () => {
    await call('POST', `${DEPLOYMENTS}?fieldManager=creator`, { body: deployment('contested') })
    const wanted = deployment('contested', { replicas: 3 })
    const refused = await apply(`${DEPLOYMENTS}/contested`, wanted)
    assert.equal(refused.status, 409)
    assert.equal(
      refused.json.message,
      'Apply failed with 1 conflict: conflict with "creator" using apps/v1: .spec.replicas',
    )
    assert.equal(refused.json.reason, 'Conflict')
    assert.equal((await apply(`${DEPLOYMENTS}/contested`, wanted, 'one', '&force=true')).json.spec.replicas, 3)
  })

  it('checks its options', async () => {
    const type = 'application/apply-patch+yaml'
    const cases: [query: string, type: string, message: string][] = [
      ['', type, 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'],
      [
        'force=true',
        'application/merge-patch+json',
        'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
      ],
      [
        `fieldManager=${'x'.repeat(129)}`,
        type,
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
      ],
    ]
    for (const [query, of, message] of cases) {
      const { status, json } = await call('PATCH', `${MAPS}/options?${query}`, { type: of, body: map('options') })
      assert.equal(status, 422)
      assert.equal(json.message, message)
    }
  })

  it('refuses what is no configuration of the object', async () => {
    const cases: [body: object | string, status: number, message: RegExp][] = [
      [map('other'), 400, /^the name of the object \(other\) does not match the name on the URL \(mine\)$/],
      [map('mine', {}, { namespace: 'kube-system' }), 400, /^the namespace of the provided object does not match/],
      [map('mine', {}, { uid: 'x' }), 409, /uid mismatch: the provided object specified uid x, and no existing/],
      [map('mine', {}, { managedFields: [{ manager: 'x' }] }), 400, /^metadata.managedFields must be nil$/],
      ['a: [', 400, /^error decoding YAML: error converting YAML to JSON: yaml: /],
      ['- a', 400, /^error decoding YAML: .*cannot unmarshal array into Go value of type map\[string\]interface \{\}$/],
      [{ ...map('mine'), kind: 'Secret' }, 400, /^invalid object type: \/v1, Kind=Secret$/],
      [
        { ...map('mine'), foo: 1 },
        500,
        /^failed to create typed patch object \(\/mine; \/v1, Kind=ConfigMap\): \.foo: field not declared in schema$/,
      ],
    ]
    for (const [body, status, message] of cases) {
      const answer = await apply(`${MAPS}/mine`, body)
      assert.equal(answer.status, status, answer.text)
      assert.match(answer.json.message, message)
    }
    const twice = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\ndata: {a: b, a: c}\n'
    const strict = await apply(`${MAPS}/mine`, twice, 'one', '&fieldValidation=Strict')
    assert.equal(strict.status, 400)
    assert.match(strict.json.message, /^error strict decoding YAML: /)
  })

  it('keeps spec and status apart', async () => {
    const path = `${DEPLOYMENTS}/parts`
    const main = await apply(path, { ...deployment('parts'), status: { replicas: 5 } })
    assert.equal(main.json.status.replicas, undefined)
    assert.equal(entryOf(main, 'one').fieldsV1['f:status'], undefined)
    const status = await apply(
      `${path}/status`,
      { ...deployment('parts', { replicas: 7 }), status: { replicas: 5 } },
      'two',
    )
    assert.equal(status.status, 200, status.text)
    assert.equal(status.json.status.replicas, 5)
    assert.equal(status.json.spec.replicas, 1)
    assert.deepEqual(entryOf(status, 'two').fieldsV1, { 'f:status': { 'f:replicas': {} } })
    assert.deepEqual(owners(status), ['one Apply', 'two Apply status'])
    assert.equal((await apply(`${DEPLOYMENTS}/absent/status`, deployment('absent'))).status, 404)
  })

  it('hands the number of replicas to who scales', async () => {
    const path = `${DEPLOYMENTS}/scaled`
    await apply(path, deployment('scaled', { replicas: 1 }))
    const scale = (replicas: number) => ({
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'scaled', namespace: 'default' },
      spec: { replicas },
    })
    const put = await call('PUT', `${path}/scale?fieldManager=scaler`, { body: scale(4) })
    assert.equal(put.status, 200, put.text)
    const scaled = await call('GET', path)
    assert.equal(scaled.json.spec.replicas, 4)
    assert.deepEqual(owners(scaled), ['one Apply', 'scaler Update scale'])
    const { fieldsV1, apiVersion } = entryOf(scaled, 'scaler')
    assert.deepEqual([fieldsV1, apiVersion], [{ 'f:spec': { 'f:replicas': {} } }, 'apps/v1'])
    const refused = await apply(path, deployment('scaled', { replicas: 1 }))
    assert.equal(
      refused.json.message,
      'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas',
    )
    const unforced = await apply(`${path}/scale`, scale(9), 'hpa')
    assert.equal(
      unforced.json.message,
      'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using autoscaling/v1: .spec.replicas',
    )
    assert.equal((await apply(`${path}/scale`, scale(9), 'hpa', '&force=true')).json.spec.replicas, 9)
    assert.deepEqual(owners(await call('GET', path)), ['hpa Apply scale', 'one Apply'])
  })

  it('tracks patches and updates, and leaves binding out', async () => {
    const created = await call('POST', `${PODS}?fieldManager=creator`, { body: podNamed('tracked') })
    const target = { apiVersion: 'v1', kind: 'Node', name: 'n1' }
    await call('POST', `${PODS}/tracked/binding`, { body: { metadata: { name: 'tracked' }, target } })
    const bound = await call('GET', `${PODS}/tracked`)
    assert.deepEqual(bound.json.metadata.managedFields, created.json.metadata.managedFields)
    const status = await call('PATCH', `${PODS}/tracked/status?fieldManager=kubelet`, {
      type: 'application/strategic-merge-patch+json',
      body: { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
    })
    assert.deepEqual(owners(status), ['creator Update', 'kubelet Update status'])
    const conditions = (entryOf(status, 'kubelet').fieldsV1['f:status'] as Loose)['f:conditions'] as Loose
    // Times that nobody has set are null, and somebody's all the same.
    const times = { 'f:lastProbeTime': {}, 'f:lastTransitionTime': {} }
    assert.deepEqual(conditions['k:{"type":"Ready"}'], { '.': {}, ...times, 'f:status': {}, 'f:type': {} })
    const { resourceVersion } = status.json.metadata
    late += 5000
    const same = await call('PUT', `${PODS}/tracked?fieldManager=editor`, { body: status.json })
    assert.equal(same.json.metadata.resourceVersion, resourceVersion)
  })

  it('forgets all owners when asked', async () => {
    await apply(`${MAPS}/reset`, map('reset', { a: 'b' }))
    const { status, json } = await call('PATCH', `${MAPS}/reset`, {
      type: 'application/json-patch+json',
      body: JSON.stringify([{ op: 'replace', path: '/metadata/managedFields', value: [{}] }]),
    })
    assert.equal(status, 200)
    assert.equal(json.metadata.managedFields, undefined)
    const later = await apply(`${MAPS}/reset`, map('reset', { a: 'b', c: 'd' }))
    assert.deepEqual(owners(later), ['one Apply', 'before-first-apply Update'])
  })

  it('follows fields through the versions of a resource', async () => {
    const spec = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' }, maxReplicas: 5 }
    const of = (apiVersion: string, rest: Loose) => ({
      apiVersion,
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'h' },
      spec: { ...spec, ...rest },
    })
    const one = await apply(`/apis/autoscaling/v1${AUTOSCALERS}/h`, of('autoscaling/v1', { minReplicas: 2 }))
    assert.equal(one.status, 201, one.text)
    const two = await apply(`/apis/autoscaling/v2${AUTOSCALERS}/h`, of('autoscaling/v2', { maxReplicas: 7 }), 'two')
    assert.equal(two.json.message, 'Apply failed with 1 conflict: conflict with "one": .spec.maxReplicas')
    const gone = await apply(`/apis/autoscaling/v2${AUTOSCALERS}/h`, of('autoscaling/v2', {}))
    assert.equal(gone.status, 200, gone.text)
    assert.equal(gone.json.spec.minReplicas, 1)
  })

  it('survives many appliers at once', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `m${index}`)
    const answers = await Promise.all(names.map(name => apply(`${MAPS}/many`, map('many', { [name]: 'x' }), name)))
    for (const { status, text } of answers) assert.ok(status === 200 || status === 201, text)
    const { json } = await call('GET', `${MAPS}/many`)
    assert.deepEqual(Object.keys(json.data).sort(), names)
    assert.equal(json.metadata.managedFields.length, 8)
  })

  it('merges custom resources as their schema says, in all their versions', async () => {
    const items = { type: 'object', properties: { port: { type: 'integer' }, name: { type: 'string' } } }
    const ports = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port'],
      items: { ...items, required: ['port'] },
    }
    const size = { type: 'integer', default: 1 }
    const openAPIV3Schema = {
      type: 'object',
      properties: { spec: { type: 'object', properties: { ports, size } }, status: { type: 'object' } },
    }
    const version = (name: string, storage: boolean) => ({
      name,
      served: true,
      storage,
      schema: { openAPIV3Schema },
      subresources: { status: {} },
    })
    const defined = await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      body: {
        metadata: { name: 'widgets.apply.example.com' },
        spec: {
          group: 'apply.example.com',
          scope: 'Namespaced',
          names: { plural: 'widgets', kind: 'Widget' },
          versions: [version('v1', true), version('v2', false)],
        },
      },
    })
    assert.equal(defined.status, 201, defined.text)
    const path = (of: string) => `/apis/apply.example.com/${of}/namespaces/default/widgets`
    await eventually(async () => assert.equal((await call('GET', path('v1'))).status, 200))
    const widget = (of: string, spec: Loose) => ({
      apiVersion: `apply.example.com/${of}`,
      kind: 'Widget',
      metadata: { name: 'w' },
      spec,
    })
    const made = await apply(`${path('v1')}/w`, widget('v1', { ports: [{ port: 80, name: 'a' }] }))
    assert.equal(made.status, 201, made.text)
    assert.deepEqual(entryOf(made, 'one').fieldsV1, {
      'f:spec': { 'f:ports': { 'k:{"port":80}': { '.': {}, 'f:name': {}, 'f:port': {} } } },
    })
    assert.equal(made.json.spec.size, 1)
    const other = await apply(`${path('v2')}/w`, widget('v2', { ports: [{ port: 443 }] }), 'two')
    assert.equal(other.status, 200, other.text)
    assert.deepEqual(other.json.spec.ports, [{ port: 80, name: 'a' }, { port: 443 }])
    const refused = await apply(`${path('v2')}/w`, widget('v2', { ports: [{ port: 80, name: 'b' }] }), 'two')
    assert.equal(refused.json.message, 'Apply failed with 1 conflict: conflict with "one": .spec.ports[port=80].name')
    const moved = await apply(`${path('v2')}/w`, widget('v2', { size: 3 }))
    assert.equal(moved.status, 200, moved.text)
    assert.deepEqual(moved.json.spec, { ports: [{ port: 443 }], size: 3 })
    const unknown = await apply(`${path('v1')}/w`, widget('v1', { foo: 1 }))
    assert.match(unknown.json.message, /\.spec\.foo: field not declared in schema$/)
    const created = await call('POST', `${path('v1')}?fieldManager=creator`, {
      body: { ...widget('v1', { size: 2 }), metadata: { name: 'c' } },
    })
    assert.deepEqual(entryOf(created, 'creator').fieldsV1, { 'f:spec': { '.': {}, 'f:size': {} } })
  })
})
