import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allResources, apiVersion, type core, resources } from '../api/index.ts'
import { seededRandom } from '../base/index.ts'
import { codecFor, DecodeError } from './codec.ts'
import { parseJson } from './json.ts'
import { randomObject } from './testing.ts'

const pods = codecFor(resources.pods)

test('decoding brings an object into its canonical form', () => {
  const given = {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'a', creationTimestamp: null, labels: { a: null }, annotations: {}, generation: 0 },
    spec: {
      hostNetwork: false,
      nodeName: '',
      activeDeadlineSeconds: 0,
      containers: [
        {
          name: 'c',
          resources: { requests: { cpu: '0.5', memory: 134217728 }, limits: { cpu: 2 } },
          livenessProbe: { httpGet: { port: 'http' } },
          env: [{ name: 'X', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }],
        },
        null,
      ],
    },
  }
  const { object, strict } = pods.decode(given)
  assert.deepEqual(strict, [])
  assert.deepEqual(object, {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'a', labels: { a: '' } },
    spec: {
      // A pointer, so that zero is not silence.
      activeDeadlineSeconds: 0,
      containers: [
        {
          name: 'c',
          resources: { requests: { cpu: '500m', memory: '134217728' }, limits: { cpu: '2' } },
          livenessProbe: { httpGet: { port: 'http' } },
          env: [{ name: 'X', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } }],
        },
        { name: '', resources: {} },
      ],
    },
    status: {},
  })
})

test('structs and numbers that Go always writes are there', () => {
  const { object } = codecFor(resources.deployments).decode({ spec: {} })
  assert.deepEqual(object, {
    metadata: {},
    spec: {
      template: { metadata: {}, spec: { containers: [] } },
      strategy: {},
    },
    status: {},
  } as never)
  assert.deepEqual(codecFor(resources.replicaSets).decode({}).object.status, { replicas: 0 })
})

test('wrong types are refused in the words of Go', () => {
  const cases: [string, unknown, string][] = [
    [
      'apps/v1.Deployment',
      { spec: { replicas: 'x' } },
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'core/v1.Pod',
      { spec: { containers: [{ env: [{ value: 1 }] }] } },
      'json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string',
    ],
    [
      'core/v1.Pod',
      { spec: { containers: {} } },
      'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    ['core/v1.Pod', { spec: 'x' }, 'json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec'],
    [
      'core/v1.Pod',
      { metadata: { labels: { a: true } } },
      'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      'core/v1.Pod',
      { metadata: { labels: [] } },
      'json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string',
    ],
    ['core/v1.Pod', [], 'json: cannot unmarshal array into Go value of type v1.Pod'],
    [
      'core/v1.Pod',
      { spec: { priority: 2147483648 } },
      'json: cannot unmarshal number 2147483648 into Go struct field PodSpec.spec.priority of type int32',
    ],
    [
      'core/v1.Pod',
      { spec: { priority: 1.5 } },
      'json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32',
    ],
    [
      'core/v1.Pod',
      { spec: { restartPolicy: 1 } },
      'json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy',
    ],
    [
      'core/v1.Pod',
      { spec: { hostNetwork: 'yes' } },
      'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool',
    ],
    [
      'core/v1.Pod',
      { metadata: { creationTimestamp: 1 } },
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string',
    ],
    [
      'core/v1.Pod',
      { metadata: { creationTimestamp: '2026' } },
      'parsing time "2026" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "-"',
    ],
    ['core/v1.Secret', { data: { a: '%' } }, 'illegal base64 data at input byte 0'],
    [
      'core/v1.Service',
      { spec: { ports: [{ targetPort: true }] } },
      'json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32',
    ],
    [
      'core/v1.Pod',
      { spec: { overhead: { cpu: 'x' } } },
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ]
  for (const [type, value, message] of cases)
    assert.throws(
      () => codecFor(type).decode(value),
      error => error instanceof DecodeError && error.message === message,
      message,
    )
})

test('unknown fields are dropped and named, wherever they are', () => {
  const { object, strict } = pods.decode({
    spec: { foo: 1, containers: [{ name: 'a' }, { name: 'b', Image: 'x', ports: [{ bar: {} }] }] },
    metadata: { labels: { any: 'x' } },
    baz: null,
  })
  assert.deepEqual(strict, [
    'unknown field "spec.foo"',
    'unknown field "spec.containers[1].Image"',
    'unknown field "spec.containers[1].ports[0].bar"',
    'unknown field "baz"',
  ])
  assert.equal(JSON.stringify(object).includes('foo'), false)
})

test('a schema may be something else in three places', () => {
  const schema = {
    type: 'object',
    properties: { a: { items: [{ type: 'string' }] }, b: { additionalProperties: false } },
    dependencies: { c: ['d'] },
  }
  const crd = { spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema: schema } }] } }
  const codec = codecFor(resources.customResourceDefinitions)
  const { object } = codec.decode(crd)
  assert.deepEqual(object.spec.versions[0]?.schema?.openAPIV3Schema, schema)
  assert.ok(codec.encode(object).includes('"items":[{"type":"string"}]'))
  assert.throws(
    () => codec.decode({ spec: { versions: [{ schema: { openAPIV3Schema: { items: 1 } } }] } }),
    DecodeError,
  )
})

test('the plain defaults', () => {
  const { object } = pods.decode({
    spec: {
      containers: [
        {
          ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }],
          livenessProbe: { grpc: { port: 1 } },
        },
      ],
      volumes: [{ azureDisk: {} }],
    },
  })
  pods.default(object)
  const [container] = object.spec.containers
  assert.deepEqual(
    container?.ports?.map(({ protocol }) => protocol),
    ['TCP', 'UDP'],
  )
  assert.equal(container?.livenessProbe?.grpc?.service, '')
  assert.deepEqual(object.spec.volumes?.[0]?.azureDisk, {
    diskName: '',
    diskURI: '',
    cachingMode: 'ReadWrite',
    fsType: 'ext4',
    readOnly: false,
    kind: 'Shared',
  })
})

test('values outside their closed set', () => {
  const services = codecFor<core.Service>('core/v1.Service')
  const { object } = services.decode({
    spec: { type: 'Sometimes', ports: [{ port: 1, protocol: 'Now' }] },
    status: { loadBalancer: { ingress: [{ ports: [{ port: 1, protocol: 'Odd' }] }] } },
  })
  assert.deepEqual(services.structural(object), [
    {
      type: 'NotSupported',
      field: 'spec.ports[0].protocol',
      value: 'Now',
      detail: 'supported values: "SCTP", "TCP", "UDP"',
    },
    {
      type: 'NotSupported',
      field: 'spec.type',
      value: 'Sometimes',
      detail: 'supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    },
  ])
})

test('equal objects give equal bytes', () => {
  const a = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'x', resourceVersion: '7', labels: { b: '1', a: '2' } },
    data: { z: '"', y: '\ud800', '10': 'x', '9': '' },
  }
  const b = {
    data: { '9': '', '10': 'x', y: '\ufffd', z: '"' },
    metadata: { labels: { a: '2', b: '1' }, resourceVersion: '8', name: 'x' },
    apiVersion: 'v1',
    kind: 'ConfigMap',
  }
  const codec = codecFor<core.ConfigMap>('core/v1.ConfigMap')
  const bytes = codec.encode(a as never).toString()
  assert.equal(
    bytes,
    '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x","labels":{"a":"2","b":"1"}},"data":{"10":"x","9":"","y":"�","z":"\\""}}',
  )
  assert.equal(codec.encode(b as never).toString(), bytes)
})

test('what is decoded shares nothing with what was given', () => {
  const given = {
    spec: { containers: [{ args: ['a'] }] },
    metadata: { managedFields: [{ fieldsV1: { f: { g: {} } } }] },
  }
  const before = structuredClone(given)
  const { object } = pods.decode(given)
  object.spec.containers[0]!.args!.push('b')
  Object.assign(object.metadata.managedFields![0]!.fieldsV1!.f as object, { h: 1 })
  assert.deepEqual(given, before)
})

test('nesting without end is an error, not a crash', () => {
  let schema: object = {}
  for (let depth = 0; depth < 100_000; depth++) schema = { not: schema }
  const crd = { spec: { versions: [{ schema: { openAPIV3Schema: schema } }] } }
  assert.throws(() => codecFor(resources.customResourceDefinitions).decode(crd), DecodeError)
})

test('random objects of every kind: decoding is idempotent, and the bytes are the object', () => {
  const random = seededRandom(42)
  for (const resource of allResources) {
    const codec = codecFor(resource)
    for (let round = 0; round < 15; round++) {
      const given = { ...randomObject(resource.type, random), kind: resource.kind, apiVersion: apiVersion(resource) }
      const once = codec.decode(given)
      assert.deepEqual(once.strict, [], resource.type)
      assert.deepEqual(codec.decode(once.object).object, once.object, resource.type)
      codec.default(once.object)
      const bytes = codec.encode(once.object)
      assert.ok(
        bytes.toString().startsWith(`{"kind":"${resource.kind}","apiVersion":"${given.apiVersion}","metadata":{`) ||
          !('metadata' in once.object),
        resource.type,
      )
      const parsed = parseJson(bytes)
      assert.deepEqual(parsed.duplicates, [])
      const twice = codec.decode(parsed.value)
      codec.default(twice.object)
      assert.deepEqual(codec.encode(twice.object), bytes, resource.type)
      assert.deepEqual(codec.decode(JSON.parse(bytes.toString())).object, twice.object, resource.type)
    }
  }
})

test('random damage to objects of every kind: an object or a DecodeError, and the input is left alone', () => {
  const random = seededRandom(43)
  const junk = [0, -1, 1.5, 1e30, '', 'x', true, null, [], [null], {}, { a: [] }, [[1]]]
  const damage = (value: unknown): unknown => {
    if (random.next() < 0.04) return junk[Math.floor(random.next() * junk.length)]
    if (Array.isArray(value)) return value.map(damage)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [random.next() < 0.01 ? `${key}x` : key, damage(item)]),
    )
  }
  let refused = 0
  for (const resource of allResources) {
    const codec = codecFor(resource)
    for (let round = 0; round < 15; round++) {
      const given = damage(randomObject(resource.type, random))
      const before = JSON.stringify(given)
      try {
        const { object } = codec.decode(given)
        codec.default(object)
        codec.structural(object)
        assert.deepEqual(codec.decode(JSON.parse(codec.encode(object).toString())).strict, [], resource.type)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        assert.notEqual(error.message, '')
        refused++
      }
      assert.equal(JSON.stringify(given), before)
    }
  }
  assert.ok(refused > 100)
})
