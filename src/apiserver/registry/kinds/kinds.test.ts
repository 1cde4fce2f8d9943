import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type KubeObject, type Resource, resources } from '../../../api/index.ts'
import { testBed } from '../testing.ts'

const { prepare, problems, updateProblems, strategies } = testBed()
const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Kinds that have few rules: one line a rule. */
describe('validation', () => {
  const cases: [resource: Resource<never>, title: string, draft: object, expected: string[]][] = [
    [resources.configMaps as never, 'a right key', { data: { 'a.conf': 'x' } }, []],
    [
      resources.configMaps as never,
      'a bad key',
      { data: { 'a/b': 'x' } },
      [
        `data[a/b]: Invalid value: "a/b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
      ],
    ],
    [
      resources.configMaps as never,
      'too much',
      { data: { a: 'x'.repeat(1024 * 1024 + 1) } },
      ['[]: Too long: may not be more than 1048576 bytes'],
    ],
    [
      resources.secrets as never,
      'TLS',
      { type: 'kubernetes.io/tls' },
      ['data[tls.crt]: Required value', 'data[tls.key]: Required value'],
    ],
    [
      resources.secrets as never,
      'a token of nobody',
      { type: 'kubernetes.io/service-account-token' },
      ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
    ],
    [
      resources.secrets as never,
      'registry credentials that are no JSON',
      { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('{') } },
      [
        `data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": Expected property name or '}' in JSON at position 1 (line 1 column 2)`,
      ],
    ],
    [
      resources.nodes as never,
      'one taint twice',
      {
        spec: {
          taints: [
            { key: 'a', effect: 'NoSchedule' },
            { key: 'a', effect: 'NoSchedule', value: 'b' },
          ],
        },
      },
      [
        'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"b","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair',
      ],
    ],
    [
      resources.nodes as never,
      'pod addresses',
      { spec: { podCIDR: '10.244.0.0' } },
      [
        'spec.podCIDRs[0]: Invalid value: "10.244.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    ],
    [
      resources.events as never,
      'an object elsewhere',
      { involvedObject: { namespace: 'other' } },
      ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
    ],
    [
      resources.leases as never,
      'no time at all',
      { spec: { leaseDurationSeconds: 0 } },
      ['spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0'],
    ],
    [
      resources.endpointSlices as never,
      'another family',
      { addressType: 'IPv4', endpoints: [{ addresses: ['fd00::1'] }] },
      ['endpoints[0].addresses: Invalid value: "fd00::1": must be an IPv4 address'],
    ],
    [
      resources.endpoints as never,
      'no addresses',
      { subsets: [{ ports: [{ port: 80 }] }] },
      ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
    ],
    [
      resources.persistentVolumeClaims as never,
      'nothing asked for',
      { spec: {} },
      [
        'spec.accessModes: Required value: at least 1 access mode is required',
        'spec.resources[storage]: Required value',
      ],
    ],
    [
      resources.persistentVolumes as never,
      'nothing at all',
      { spec: {} },
      [
        'spec.accessModes: Required value',
        'spec.capacity: Required value',
        'spec.capacity: Unsupported value: null: supported values: "storage"',
        'spec: Required value: must specify a volume type',
      ],
    ],
    [
      resources.roles as never,
      'no verbs',
      { rules: [{ apiGroups: [''], resources: ['pods'] }] },
      ['rules[0].verbs: Required value: verbs must contain at least one value'],
    ],
    [
      resources.roleBindings as never,
      'a role of no kind',
      { roleRef: { kind: 'Group', name: 'x' }, subjects: [{ kind: 'ServiceAccount', name: 'a' }] },
      ['roleRef.kind: Unsupported value: "Group": supported values: "Role", "ClusterRole"'],
    ],
    [
      resources.ingresses as never,
      'a path of no type',
      {
        spec: {
          rules: [{ http: { paths: [{ path: '/', backend: { service: { name: 'a', port: { number: 80 } } } }] } }],
        },
      },
      ['spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified'],
    ],
    [
      resources.networkPolicies as never,
      'nobody',
      { spec: { ingress: [{ from: [{}] }] } },
      ['spec.ingress[0].from[0]: Required value: must specify a peer'],
    ],
    [
      resources.podDisruptionBudgets as never,
      'both bounds',
      { spec: { minAvailable: 1, maxUnavailable: '50%' } },
      [
        'spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":"50%","UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
      ],
    ],
    [
      resources.horizontalPodAutoscalers as never,
      'fewer at most than at least',
      {
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
          minReplicas: 3,
          maxReplicas: 2,
        },
      },
      ['spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`'],
    ],
    [
      resources.priorityClasses as never,
      'too important',
      { value: 2_000_000_000 },
      ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
    ],
    [
      resources.limitRanges as never,
      'a default above the greatest',
      { spec: { limits: [{ type: 'Container', max: { cpu: '1' }, default: { cpu: '2' } }] } },
      [
        'spec.limits[0].defaultRequest[cpu]: Invalid value: "2": default request value 2 is greater than max value 1',
        'spec.limits[0].default[cpu]: Invalid value: "2": default value 2 is greater than max value 1',
      ],
    ],
  ]
  for (const [resource, title, draft, expected] of cases) {
    test(`${(resource as Resource).kind}: ${title}`, async () =>
      assert.deepEqual(await problems(resource as Resource, draft as Record<string, unknown>), expected))
  }
})

describe('defaults', () => {
  const part = async (resource: unknown, draft: object) =>
    (await prepare(resource as Resource, draft as Record<string, unknown>)) as KubeObject & Record<string, unknown>

  test('stringData of a Secret becomes data', async () => {
    const secret = await part(resources.secrets, { data: { a: base64('old') }, stringData: { a: 'new', b: 'more' } })
    assert.deepEqual(secret.data, { a: base64('new'), b: base64('more') })
    assert.equal(secret.stringData, undefined)
    assert.equal(secret.type, 'Opaque')
  })

  test('a Namespace carries its name as a label and waits for its controller', async () => {
    const namespace = await part(resources.namespaces, {})
    assert.deepEqual(namespace.metadata.labels, { 'kubernetes.io/metadata.name': 'web' })
    assert.deepEqual(namespace.spec, { finalizers: ['kubernetes'] })
    assert.deepEqual(namespace.status, { phase: 'Active' })
  })

  test('all of a Node can be allocated unless it says otherwise', async () => {
    const { status } = await part(resources.nodes, { status: { capacity: { cpu: '2' } } })
    assert.deepEqual((status as { allocatable: object }).allocatable, { cpu: '2' })
  })

  test('a NetworkPolicy with rules for both ways is of both types', async () => {
    const { spec } = await part(resources.networkPolicies, { spec: { egress: [{}] } })
    assert.deepEqual((spec as { policyTypes: string[] }).policyTypes, ['Ingress', 'Egress'])
  })

  test('subjects of a RoleBinding belong to the group of their kind', async () => {
    const binding = await part(resources.roleBindings, {
      roleRef: { kind: 'Role', name: 'x' },
      subjects: [
        { kind: 'User', name: 'jane' },
        { kind: 'ServiceAccount', name: 'a', namespace: 'b' },
      ],
    })
    assert.deepEqual(binding.subjects, [
      { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' },
      { kind: 'ServiceAccount', name: 'a', namespace: 'b' },
    ])
  })

  test('who asks for a certificate is said by the server', async () => {
    const { spec } = await part(resources.certificateSigningRequests, {
      spec: { username: 'root', groups: ['system:masters'] },
    })
    const { username, groups } = spec as { username: string; groups: string[] }
    assert.deepEqual([username, groups], ['alice', ['system:authenticated']])
  })
})

describe('updates', () => {
  test('an immutable ConfigMap stays as it is', async () => {
    const draft = { immutable: true, data: { a: '1' } }
    assert.deepEqual(
      await updateProblems(resources.configMaps, draft, map => {
        map.data = { a: '2' }
      }),
      ['data: Forbidden: field is immutable when `immutable` is set'],
    )
  })

  test('the type of a Secret stays', async () => {
    assert.deepEqual(
      await updateProblems(resources.secrets, {}, secret => {
        secret.type = 'example.com/other'
      }),
      ['type: Invalid value: "example.com/other": field is immutable'],
    )
  })

  test('the role of a binding stays', async () => {
    const draft = { roleRef: { kind: 'Role', name: 'x' } }
    const [problem] = await updateProblems(resources.roleBindings, draft, binding => {
      binding.roleRef.name = 'y'
    })
    assert.match(problem!, /^roleRef: Invalid value: .*: cannot change roleRef$/)
  })

  test('only the finalize subresource frees a namespace', async () => {
    const strategy = strategies.strategyFor(resources.namespaces as never)
    const namespace = await prepare(resources.namespaces, {})
    assert.equal(strategy.held!(namespace), true)
    const changed = structuredClone(namespace)
    changed.spec.finalizers = []
    strategy.prepareUpdate!(changed, namespace, testBed().context)
    assert.deepEqual(changed.spec.finalizers, ['kubernetes'])
  })
})

test('selectable fields of events', async () => {
  const event = await prepare(resources.events, {
    involvedObject: { kind: 'Pod', name: 'web-1', namespace: 'default' },
    reason: 'Started',
    type: 'Normal',
    reportingComponent: 'kubelet',
  })
  const fields = strategies.strategyFor(resources.events as never).fields!(event)
  assert.equal(fields['involvedObject.name'], 'web-1')
  assert.equal(fields.reason, 'Started')
  assert.equal(fields.source, 'kubelet')
})
