import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StatusError } from '../../api/index.ts'
import { customSchema } from './structural-schema.ts'
import { Bench, type Loose, paths } from './testing.ts'

const map = (data: Loose, labels?: Loose) => ({ data, ...(labels ? { metadata: { labels } } : {}) })
const dataOf = (bench: Bench) => (bench.object as unknown as { data: unknown }).data

async function conflict(attempt: Promise<void>): Promise<StatusError> {
  try {
    await attempt
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error))
    return error
  }
  return assert.fail('it was applied')
}

/** The examples of https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
describe('the documented behaviour', () => {
  it('a manager owns what it applies', async () => {
    const bench = new Bench('core/v1.ConfigMap')
    await bench.apply('kubectl', map({ key: 'some value' }, { 'test-label': 'test' }))
    assert.deepEqual(bench.object.metadata.managedFields, [
      {
        manager: 'kubectl',
        operation: 'Apply',
        apiVersion: 'v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { 'f:key': {} }, 'f:metadata': { 'f:labels': { 'f:test-label': {} } } },
      },
    ])
  })

  it('who updates takes the field over, and the applier then conflicts', async () => {
    const bench = new Bench('core/v1.ConfigMap')
    await bench.apply('kubectl', map({ key: 'some value' }, { 'test-label': 'test' }))
    await bench.update('kube-controller-manager', {
      ...bench.object,
      data: { key: 'new value' },
    } as unknown as Loose)
    assert.deepEqual(bench.owners, {
      'kubectl Apply': paths('metadata.labels.test-label'),
      'kube-controller-manager Update': paths('data.key'),
    })
    const error = await conflict(bench.apply('kubectl', map({ key: 'some value' }, { 'test-label': 'test' })))
    assert.equal(error.code, 409)
    assert.equal(error.reason, 'Conflict')
    assert.equal(
      error.message,
      'Apply failed with 1 conflict: conflict with "kube-controller-manager" using v1: .data.key',
    )
    assert.deepEqual(error.status.details, {
      causes: [
        {
          reason: 'FieldManagerConflict',
          message: 'conflict with "kube-controller-manager" using v1',
          field: '.data.key',
        },
      ],
    })
  })

  it('force overwrites the value and takes the field from the others', async () => {
    const bench = new Bench('core/v1.ConfigMap')
    await bench.apply('one', map({ key: 'a' }))
    await bench.apply('two', map({ key: 'b' }), true)
    assert.deepEqual(dataOf(bench), { key: 'b' })
    assert.deepEqual(bench.owners, { 'two Apply': paths('data.key') })
  })

  it('who applies the same value shares the field', async () => {
    const bench = new Bench('core/v1.ConfigMap')
    await bench.apply('one', map({ key: 'a' }))
    await bench.apply('two', map({ key: 'a' }))
    assert.deepEqual(bench.owners, { 'one Apply': paths('data.key'), 'two Apply': paths('data.key') })
  })

  it('what the last owner no longer applies goes, and what is shared stays', async () => {
    const bench = new Bench('core/v1.ConfigMap')
    await bench.apply('one', map({ shared: 'a', own: 'b' }))
    await bench.apply('two', map({ shared: 'a' }))
    await bench.apply('one', map({}))
    assert.deepEqual(dataOf(bench), { shared: 'a' })
    assert.deepEqual(bench.owners, { 'one Apply': paths('data'), 'two Apply': paths('data.shared') })
    await bench.apply('two', map({ other: 'c' }))
    assert.deepEqual(dataOf(bench), { other: 'c' })
  })

  it('what an updater owns is not taken away by an applier that never had it', async () => {
    const bench = new Bench('core/v1.ConfigMap')
    await bench.update('editor', map({ edited: 'x' }))
    await bench.apply('one', map({ own: 'a' }))
    await bench.apply('one', {})
    assert.deepEqual(dataOf(bench), { edited: 'x' })
  })

  it('replicas are handed over to an autoscaler', async () => {
    const bench = new Bench('apps/v1.Deployment', { spec: {} })
    const spec = (rest: Loose) => ({ spec: { minReadySeconds: 5, ...rest } })
    await bench.apply('owner', spec({ replicas: 3 }))
    await bench.apply('handover', { spec: { replicas: 3 } })
    await bench.apply('owner', spec({}))
    assert.deepEqual((bench.object as unknown as Loose).spec, { minReadySeconds: 5, replicas: 3 })
    assert.deepEqual(bench.owners, {
      'owner Apply': paths('spec.minReadySeconds'),
      'handover Apply': paths('spec.replicas'),
    })
  })

  it('managedFields can be cleared by one empty entry and by an empty list, and not by none', async () => {
    const bench = new Bench('core/v1.ConfigMap')
    await bench.apply('one', map({ key: 'a' }))
    await bench.update('editor', { ...map({ key: 'a' }), metadata: { uid: 'uid' } })
    assert.deepEqual(bench.owners, { 'one Apply': paths('data.key') })
    await bench.update('editor', { ...map({ key: 'a' }), metadata: { uid: 'uid', managedFields: [] } })
    assert.deepEqual(bench.owners, {})
    await bench.apply('one', map({ key: 'a' }), true)
    await bench.update('editor', { ...map({ key: 'a' }), metadata: { uid: 'uid', managedFields: [{}] } })
    assert.deepEqual(bench.owners, {})
    await bench.update('editor', map({ key: 'b' }))
    assert.deepEqual(bench.owners, {})
    await bench.apply('one', map({ key: 'b', own: 'c' }))
    assert.deepEqual(bench.owners, {
      'one Apply': paths('data.key', 'data.own'),
      'before-first-apply Update': paths('data.', 'data.key'),
    })
  })

  it('managedFields that are not valid are ignored', async () => {
    const bench = new Bench('core/v1.ConfigMap')
    await bench.apply('one', map({ key: 'a' }))
    for (const entry of [
      { manager: 'x', operation: 'Own', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} },
      { manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV2', fieldsV1: {} },
      { manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'x:y': {} } },
      { manager: 'x', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: {} },
    ]) {
      await bench.update('editor', { ...map({ key: 'a' }), metadata: { uid: 'uid', managedFields: [entry] } })
      assert.deepEqual(bench.owners, { 'one Apply': paths('data.key') })
    }
  })
})

describe('conflicts', () => {
  it('are listed by manager', async () => {
    const bench = new Bench('core/v1.Pod', { spec: { containers: [] } })
    await bench.update('one', { spec: { containers: [{ name: 'a', image: 'x' }], nodeName: 'n' } })
    await bench.apply('two', { metadata: { labels: { app: 'x' } } })
    const error = await conflict(
      bench.apply('three', {
        metadata: { labels: { app: 'y' } },
        spec: { containers: [{ name: 'a', image: 'y' }], nodeName: 'm' },
      }),
    )
    assert.equal(
      error.message,
      [
        'Apply failed with 3 conflicts: conflicts with "one" using v1:',
        '- .spec.nodeName',
        '- .spec.containers[name="a"].image',
        'conflicts with "two":',
        '- .metadata.labels.app',
      ].join('\n'),
    )
    assert.deepEqual(error.status.details!.causes!.length, 3)
  })

  it('kubectl takes over what its client side applied and nobody changed', async () => {
    const last = (replicas: number) => ({
      'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { annotations: {}, name: 'test', namespace: 'default' },
        spec: { replicas },
      }),
    })
    const bench = new Bench('apps/v1.Deployment', { spec: {} })
    await bench.update('kubectl-client-side-apply', { metadata: { annotations: last(3) }, spec: { replicas: 3 } })
    await bench.apply('kubectl', { spec: { replicas: 4 } })
    assert.deepEqual((bench.object as unknown as Loose).spec, { replicas: 4 })
    const noted = bench.object.metadata.annotations!['kubectl.kubernetes.io/last-applied-configuration']!
    assert.deepEqual(JSON.parse(noted).spec, { replicas: 4 })
    assert.ok(noted.endsWith('\n'))
    await bench.update('scaler', { ...bench.object, spec: { replicas: 9 } } as unknown as Loose)
    const error = await conflict(bench.apply('kubectl', { spec: { replicas: 5 } }))
    assert.match(error.message, /conflict with "scaler" using apps\/v1: \.spec\.replicas$/)
    const other = await conflict(bench.apply('helm', { spec: { replicas: 5 } }))
    assert.match(other.message, /1 conflict/)
  })
})

describe('lists', () => {
  const named = (...names: string[]) => names.map(name => ({ name }))
  const pod = (spec: Loose) => ({ spec: { containers: [], ...spec } })
  const specOf = (bench: Bench) => (bench.object as unknown as { spec: Loose }).spec

  /** [title, live, applied, result] of lists of items by their names; as upstream's merge orders them. */
  const orders: [string, string[], string[], string[]][] = [
    ['appends', ['a', 'b'], ['c'], ['a', 'b', 'c']],
    ['keeps what it does not name', ['a', 'b', 'c'], ['b'], ['a', 'b', 'c']],
    ['follows the order that is applied', ['a', 'b'], ['b', 'a'], ['b', 'a']],
    ['puts new items before the shared one they precede', ['a', 'b'], ['c', 'b'], ['a', 'c', 'b']],
    ['keeps a live item behind what it follows', ['b', 'a', 'x'], ['a', 'b'], ['a', 'x', 'b']],
    ['merges both', ['a', 'b', 'c', 'd'], ['d', 'n', 'a'], ['b', 'c', 'd', 'n', 'a']],
  ]
  for (const [title, live, applied, result] of orders)
    it(`${title}: ${live} with ${applied}`, async () => {
      const bench = new Bench('core/v1.Pod', pod({}))
      await bench.update('one', pod({ volumes: named(...live) }))
      await bench.apply('two', { spec: { volumes: named(...applied) } })
      assert.deepEqual(specOf(bench).volumes, named(...result))
    })

  it('items have owners each, and go with the last of them', async () => {
    const bench = new Bench('core/v1.Pod', pod({}))
    await bench.apply('one', pod({ volumes: [{ name: 'a', emptyDir: {} }, { name: 'b' }] }))
    await bench.apply('two', { spec: { volumes: [{ name: 'b' }, { name: 'c' }] } })
    await bench.apply('one', pod({ volumes: [{ name: 'a' }] }))
    assert.deepEqual(specOf(bench).volumes, [{ name: 'a' }, { name: 'b' }, { name: 'c' }])
    assert.deepEqual(bench.owners['two Apply'], {
      'f:spec': {
        'f:volumes': {
          'k:{"name":"b"}': { '.': {}, 'f:name': {} },
          'k:{"name":"c"}': { '.': {}, 'f:name': {} },
        },
      },
    })
    assert.equal(JSON.stringify(bench.owners['one Apply']).includes('f:emptyDir'), false)
  })

  it('keys that an item leaves out have their defaults, and numbers are in order', async () => {
    const bench = new Bench('core/v1.Pod', pod({}))
    const ports = (protocol?: string) => [
      { containerPort: 443, ...(protocol ? { protocol } : {}) },
      { containerPort: 80, ...(protocol ? { protocol } : {}) },
    ]
    await bench.update('one', { spec: { containers: [{ name: 'a', ports: ports('TCP') }] } })
    await bench.apply('two', { spec: { containers: [{ name: 'a', ports: ports() }] } })
    assert.deepEqual(specOf(bench).containers, [{ name: 'a', ports: ports('TCP') }])
    const text = JSON.stringify(bench.owners['two Apply'])
    const [low, high] = ['80', '443'].map(port =>
      text.indexOf(`k:{\\"containerPort\\":${port},\\"protocol\\":\\"TCP\\"}`),
    )
    assert.ok(low! > 0 && high! > low!, text)
  })

  it('sets have owners for each value', async () => {
    const bench = new Bench('core/v1.Pod', pod({}))
    await bench.apply('one', { metadata: { finalizers: ['example.com/a', 'example.com/b'] } })
    await bench.apply('two', { metadata: { finalizers: ['example.com/c', 'example.com/b'] } })
    assert.deepEqual(bench.object.metadata.finalizers, ['example.com/a', 'example.com/c', 'example.com/b'])
    await bench.apply('one', { metadata: { finalizers: ['example.com/a'] } })
    assert.deepEqual(bench.object.metadata.finalizers, ['example.com/a', 'example.com/c', 'example.com/b'])
    await bench.apply('two', { metadata: { finalizers: [] } })
    assert.deepEqual(bench.object.metadata.finalizers, ['example.com/a'])
    assert.deepEqual(bench.owners['one Apply'], {
      'f:metadata': { 'f:finalizers': { 'v:"example.com/a"': {} } },
    })
  })

  it('what is atomic has one owner', async () => {
    const bench = new Bench('core/v1.Pod', pod({}))
    await bench.apply('one', pod({ nodeSelector: { a: '1' }, containers: [{ name: 'c', command: ['a'] }] }))
    assert.deepEqual(bench.owners['one Apply']!['f:spec']!['f:nodeSelector'], {})
    const error = await conflict(bench.apply('two', pod({ nodeSelector: { b: '2' } })))
    assert.match(error.message, /: \.spec\.nodeSelector$/)
    await bench.apply('two', pod({ nodeSelector: { b: '2' } }), true)
    assert.deepEqual(specOf(bench).nodeSelector, { b: '2' })
  })
})

describe('configurations that do not fit', () => {
  const about = 'failed to create typed patch object (default/test; apps/v1, Kind=Deployment): '
  const cases: [title: string, configuration: Loose, code: number, message: string][] = [
    ['an unknown field', { spec: { foo: 1 } }, 500, `${about}.spec.foo: field not declared in schema`],
    [
      'a text for a number',
      { spec: { replicas: '1' } },
      500,
      `${about}.spec.replicas: expected numeric (int or float), got string`,
    ],
    ['a list for a map', { spec: [] }, 500, `${about}.spec: expected map, got &{[]}`],
    ['a text for a truth', { spec: { paused: 'yes' } }, 500, `${about}.spec.paused: expected boolean, got &{yes}`],
    [
      'a number for a text',
      { spec: { template: { spec: { containers: [{ name: 'a', env: [{ name: 'X', value: 1 }] }] } } } },
      500,
      `${about}.spec.template.spec.containers[name="a"].env[name="X"].value: expected string, got &value.valueUnstructured{Value:1}`,
    ],
    [
      'an item twice, and more',
      { spec: { template: { spec: { containers: [{ name: 'a' }, { name: 'a' }] } }, foo: 1 } },
      500,
      `${about}errors:\n  .spec.template.spec.containers: duplicate entries for key [name="a"]\n  .spec.foo: field not declared in schema`,
    ],
    ['managedFields', { metadata: { managedFields: [{}] } }, 400, 'metadata.managedFields must be nil'],
    ['another kind', { kind: 'DaemonSet' }, 400, 'invalid object type: apps/v1, Kind=DaemonSet'],
    ['another version', { apiVersion: 'v1' }, 400, 'invalid object type: /v1, Kind=Deployment'],
  ]
  for (const [title, configuration, code, message] of cases)
    it(title, async () => {
      const bench = new Bench('apps/v1.Deployment', { spec: {} })
      const error = await conflict(bench.apply('one', configuration))
      assert.equal(error.message, message)
      assert.equal(error.code, code)
    })
})

it('takes a key that an item does not give for the empty one', async () => {
  const bench = new Bench('apps/v1.Deployment', { spec: {} })
  await bench.apply('one', { spec: { template: { spec: { containers: [{ image: 'a' }] } } } })
  const { 'f:spec': spec } = bench.owners['one Apply'] as { 'f:spec': object }
  assert.deepEqual(
    spec,
    paths(
      ['f:template', 'f:spec', 'f:containers', 'k:{"name":""}', '.'],
      ['f:template', 'f:spec', 'f:containers', 'k:{"name":""}', 'f:image'],
    ),
  )
})

describe('ordinary writes', () => {
  it('own what they create, with the maps and items that they add', async () => {
    const bench = new Bench('core/v1.ConfigMap')
    await bench.update('kubectl-create', map({ a: '1' }, { app: 'x' }))
    assert.deepEqual(bench.owners, {
      'kubectl-create Update': paths('data.', 'data.a', 'metadata.labels.', 'metadata.labels.app'),
    })
  })

  it('leave the time alone when nothing changes', async () => {
    const bench = new Bench('core/v1.ConfigMap')
    await bench.update('one', map({ a: '1' }))
    const before = bench.object.metadata.managedFields
    await bench.update('one', map({ a: '1' }))
    await bench.update('two', { ...bench.object } as unknown as Loose)
    assert.deepEqual(bench.object.metadata.managedFields, before)
    await bench.update('one', map({ a: '2' }))
    assert.notEqual(bench.object.metadata.managedFields![0]!.time, before![0]!.time)
  })

  it('forget what was removed', async () => {
    const bench = new Bench('core/v1.ConfigMap')
    await bench.apply('one', map({ a: '1', b: '2' }))
    await bench.update('two', map({ a: '1' }))
    assert.deepEqual(bench.owners, { 'one Apply': paths('data.a') })
  })

  it('keep at most ten managers that update', async () => {
    const bench = new Bench('core/v1.ConfigMap')
    const data: Loose = {}
    for (let index = 0; index < 12; index++) {
      data[`k${index}`] = 'x'
      await bench.update(`m${String(index).padStart(2, '0')}`, {
        ...bench.object,
        data: { ...data },
      } as unknown as Loose)
    }
    const owners = bench.owners
    assert.equal(Object.keys(owners).length, 10)
    assert.deepEqual(owners['ancient-changes Update'], paths('data.', 'data.k0', 'data.k1', 'data.k2'))
    assert.deepEqual(Object.keys(owners)[0], 'ancient-changes Update')
  })
})

describe('custom resources', () => {
  const schema = customSchema({
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          ports: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['port', 'protocol'],
            items: {
              type: 'object',
              properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' } },
            },
          },
          tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
          plain: { type: 'array', items: { type: 'string' } },
          one: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: { type: 'string' } } },
          free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          size: { 'x-kubernetes-int-or-string': true },
        },
      },
    },
  })

  it('merge as their schema says', async () => {
    const bench = new Bench('example.com/v1.Widget', {}, schema)
    await bench.apply('one', {
      spec: { ports: [{ port: 80 }], tags: ['a'], plain: ['x'], one: { a: '1' }, free: { b: [1], c: {} }, size: '5%' },
    })
    assert.deepEqual(bench.owners['one Apply'], {
      'f:spec': {
        'f:free': { 'f:b': {}, 'f:c': {} },
        'f:one': {},
        'f:plain': {},
        'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } },
        'f:size': {},
        'f:tags': { 'v:"a"': {} },
      },
    })
    await bench.apply('two', { spec: { ports: [{ port: 443 }], tags: ['b'] } })
    const { spec } = bench.object as unknown as { spec: Loose }
    assert.deepEqual(spec.tags, ['a', 'b'])
    assert.deepEqual(spec.ports, [{ port: 80 }, { port: 443 }])
  })

  it('may change their schema', async () => {
    const listed = (type: string) =>
      customSchema({
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            properties: { tags: { type: 'array', 'x-kubernetes-list-type': type, items: { type: 'string' } } },
          },
        },
      })
    const bench = new Bench('example.com/v1.Widget', {}, listed('set'))
    await bench.apply('one', { spec: { tags: ['a', 'b'] } })
    bench.schema = listed('atomic')
    await bench.update('two', { spec: { tags: ['a', 'b'], other: 1 }, metadata: { labels: { a: 'b' } } })
    assert.deepEqual(bench.owners['one Apply'], { 'f:spec': { 'f:tags': {} } })
  })
})
