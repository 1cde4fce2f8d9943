import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type core, resources } from '../../../../api/index.ts'
import { NOW, testBed } from '../../testing.ts'

const { prepare, problems, updateProblems, strategies } = testBed()
const strategy = strategies.strategyFor(resources.pods as never)

const pod = (spec: object = {}, container: object = {}) => ({
  spec: { containers: [{ name: 'main', image: 'nginx:1.27', ...container }], ...spec },
})

describe('defaults of pods', () => {
  test('a bare pod', async () => {
    const { spec, status } = await prepare(resources.pods, pod())
    assert.deepEqual(spec, {
      containers: [
        {
          name: 'main',
          image: 'nginx:1.27',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
    })
    assert.deepEqual(status, { phase: 'Pending', qosClass: 'BestEffort' })
  })

  const policies: [image: string, policy: string][] = [
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1', 'IfNotPresent'],
    ['registry:5000/nginx', 'Always'],
    ['registry:5000/nginx:1', 'IfNotPresent'],
    [`nginx@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
  ]
  for (const [image, policy] of policies) {
    test(`${image} is pulled ${policy}`, async () => {
      const { spec } = await prepare(resources.pods, pod({}, { image }))
      assert.equal(spec.containers[0]!.imagePullPolicy, policy)
    })
  }

  const wholes: [name: string, whole: object, container: object, completed: object][] = [
    [
      'what its containers request',
      { limits: { cpu: '2' } },
      { requests: { cpu: '1', memory: '1Gi' } },
      { limits: { cpu: '2' }, requests: { cpu: '1', memory: '1Gi' } },
    ],
    ['its limit', { limits: { cpu: '2' } }, {}, { limits: { cpu: '2' }, requests: { cpu: '2' } }],
    [
      'huge pages by the limits of its containers',
      { requests: { cpu: '1' } },
      { requests: { 'hugepages-2Mi': '4Mi' }, limits: { 'hugepages-2Mi': '4Mi' } },
      { requests: { cpu: '1', 'hugepages-2Mi': '4Mi' }, limits: { 'hugepages-2Mi': '4Mi' } },
    ],
    [
      'nothing that it does not speak of',
      { requests: { cpu: '1' } },
      { limits: { cpu: '2' } },
      { requests: { cpu: '1' } },
    ],
  ]
  for (const [name, whole, container, completed] of wholes) {
    test(`a pod as a whole requests ${name}`, async () => {
      const { spec } = await prepare(resources.pods, pod({ resources: whole }, { resources: container }))
      assert.deepEqual(spec.resources, completed)
    })
  }

  test('probes, ports and field references', async () => {
    const { spec } = await prepare(
      resources.pods,
      pod(
        { hostNetwork: true },
        {
          ports: [{ containerPort: 80 }],
          livenessProbe: { httpGet: { port: 80 } },
          env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
        },
      ),
    )
    const [container] = spec.containers
    assert.deepEqual(container!.ports, [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }])
    assert.deepEqual(container!.livenessProbe, {
      httpGet: { path: '/', port: 80, scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    })
    assert.equal(container!.env![0]!.valueFrom!.fieldRef!.apiVersion, 'v1')
  })

  test('volumes', async () => {
    const { spec } = await prepare(
      resources.pods,
      pod({
        volumes: [
          { name: 'a' },
          { name: 'b', secret: { secretName: 's' } },
          { name: 'c', hostPath: { path: '/x' } },
          { name: 'd', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
        ],
      }),
    )
    assert.deepEqual(spec.volumes, [
      { name: 'a', emptyDir: {} },
      { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
      { name: 'c', hostPath: { path: '/x', type: '' } },
      {
        name: 'd',
        projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }], defaultMode: 420 },
      },
    ])
  })

  test('the deprecated serviceAccount follows serviceAccountName', async () => {
    const { spec } = await prepare(resources.pods, pod({ serviceAccountName: 'robot' }))
    assert.equal(spec.serviceAccount, 'robot')
  })

  test('are the same when they are filled in twice', async () => {
    const once = await prepare(
      resources.pods,
      pod({ volumes: [{ name: 'a' }] }, { resources: { limits: { cpu: '1' } } }),
    )
    const twice = structuredClone(once)
    strategy.defaults!(twice)
    assert.deepEqual(twice, once)
  })
})

describe('quality of service', () => {
  const classes: [resources: object, expected: string][] = [
    [{}, 'BestEffort'],
    [{ requests: { cpu: '0' } }, 'BestEffort'],
    [{ requests: { cpu: '1' } }, 'Burstable'],
    [{ limits: { cpu: '1' } }, 'Burstable'],
    [{ limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
    [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }, 'Burstable'],
    [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } }, 'Guaranteed'],
  ]
  for (const [wanted, expected] of classes) {
    test(`${JSON.stringify(wanted)} is ${expected}`, async () => {
      const { status } = await prepare(resources.pods, pod({}, { resources: wanted }))
      assert.equal(status.qosClass, expected)
    })
  }
})

test('a gated pod says why it is not scheduled', async () => {
  const { status } = await prepare(resources.pods, pod({ schedulingGates: [{ name: 'example.com/wait' }] }))
  assert.deepEqual(status.conditions, [
    {
      type: 'PodScheduled',
      status: 'False',
      lastTransitionTime: NOW,
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    },
  ])
})

describe('validation of pods', () => {
  const cases: [title: string, draft: object, expected: string[]][] = [
    ['a right one', pod(), []],
    ['no containers', { spec: {} }, ['spec.containers: Required value']],
    ['no name', pod({}, { name: '' }), ['spec.containers[0].name: Required value']],
    ['no image', pod({}, { image: undefined }), ['spec.containers[0].image: Required value']],
    [
      'image with spaces',
      pod({}, { image: ' nginx' }),
      ['spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing whitespace'],
    ],
    [
      'restart policy',
      pod({ restartPolicy: 'Sometimes' }),
      ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      'two containers of one name',
      {
        spec: {
          containers: [
            { name: 'a', image: 'x:1' },
            { name: 'a', image: 'y:1' },
          ],
        },
      },
      ['spec.containers[1].name: Duplicate value: "a"'],
    ],
    [
      'unknown volume',
      pod({}, { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
      ['spec.containers[0].volumeMounts[0].name: Not found: "data"'],
    ],
    [
      'one path mounted twice',
      pod(
        { volumes: [{ name: 'v' }] },
        {
          volumeMounts: [
            { name: 'v', mountPath: '/d' },
            { name: 'v', mountPath: '/d' },
          ],
        },
      ),
      ['spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/d": must be unique'],
    ],
    [
      'more requested than allowed',
      pod({}, { resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
      ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ],
    [
      'negative amount',
      pod({}, { resources: { requests: { memory: '-1' } } }),
      ['spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0'],
    ],
    [
      'unknown resource',
      pod({}, { resources: { requests: { gpu: '1' } } }),
      [
        'spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
        'spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers',
      ],
    ],
    [
      'part of a device',
      pod({}, { resources: { limits: { 'example.com/gpu': '500m' } } }),
      [
        'spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer',
        'spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer',
      ],
    ],
    [
      'port out of range',
      pod({}, { ports: [{ containerPort: 70000 }] }),
      ['spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive'],
    ],
    [
      'one host port twice',
      pod(
        {},
        {
          ports: [
            { containerPort: 80, hostPort: 8080 },
            { containerPort: 81, hostPort: 8080 },
          ],
        },
      ),
      ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//8080"'],
    ],
    [
      'probe without a handler',
      pod({}, { livenessProbe: {} }),
      ['spec.containers[0].livenessProbe: Required value: must specify a handler type'],
    ],
    [
      'liveness that needs two successes',
      pod({}, { livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }),
      ['spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1'],
    ],
    [
      'lifecycle of an init container',
      pod({ initContainers: [{ name: 'i', image: 'x:1', lifecycle: { preStop: { exec: { command: ['a'] } } } }] }),
      ['spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always'],
    ],
    [
      'two kinds of volume at once',
      pod({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] }),
      ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'secret volume without a secret',
      pod({ volumes: [{ name: 'v', secret: {} }] }),
      ['spec.volumes[0].secret.secretName: Required value'],
    ],
    [
      'unknown field',
      pod({}, { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.nothing' } } }] }),
      [
        'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nothing": error converting fieldPath: field label not supported: spec.nothing',
      ],
    ],
    [
      'toleration of everything',
      pod({ tolerations: [{ operator: 'Equal' }] }),
      [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ],
    ],
    [
      'no name server at all',
      pod({ dnsPolicy: 'None' }),
      ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    ],
    [
      'affinity without a topology',
      pod({
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'zone', labelSelector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } },
            ],
          },
        },
      }),
      [
        'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
      ],
    ],
    [
      'the names of sysctls',
      pod({
        securityContext: { sysctls: ['foo-', 'a_-', 'a/b.c', 'kernel.shm_x'].map(name => ({ name, value: '1' })) },
      }),
      ['foo-', 'a_-'].map(
        (name, at) =>
          `spec.securityContext.sysctls[${at}].name: Invalid value: "${name}": must have at most 253 characters and match regex ${String.raw`^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`}`,
      ),
    ],
    [
      'privileged without escalation',
      pod({}, { securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
      [
        'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      ],
    ],
  ]
  for (const [title, draft, expected] of cases) {
    test(title, async () => assert.deepEqual(await problems(resources.pods, draft as never), expected))
  }
})

describe('updates of pods', () => {
  const cases: [title: string, change: (pod: core.Pod) => void, expected: RegExp[]][] = [
    [
      'the image',
      ({ spec }) => {
        spec.containers[0]!.image = 'nginx:2'
      },
      [],
    ],
    [
      'a toleration more',
      ({ spec }) => {
        spec.tolerations = [{ key: 'a', operator: 'Exists' }]
      },
      [],
    ],
    [
      'a deadline',
      ({ spec }) => {
        spec.activeDeadlineSeconds = 5
      },
      [],
    ],
    [
      'the command',
      ({ spec }) => {
        spec.containers[0]!.command = ['sh']
      },
      [
        /^spec: Forbidden: pod updates may not change fields other than `spec.containers\[\*\].image`,`spec.initContainers\[\*\].image`,`spec.activeDeadlineSeconds`,/,
      ],
    ],
    [
      'one container more',
      ({ spec }) => void spec.containers.push({ ...spec.containers[0]!, name: 'b' }),
      [/^spec.containers: Forbidden: pod updates may not add or remove containers$/],
    ],
    [
      'no image',
      ({ spec }) => {
        spec.containers[0]!.image = ''
      },
      [/^spec.containers\[0\].image: Required value$/, /^spec.containers\[0\].image: Required value$/],
    ],
  ]
  for (const [title, change, expected] of cases) {
    test(title, async () => {
      const found = await updateProblems(resources.pods, pod(), change)
      assert.equal(found.length, expected.length, found.join('\n'))
      for (const [index, pattern] of expected.entries()) assert.match(found[index]!, pattern)
    })
  }
})

describe('grace period of pods', () => {
  const cases: [spec: object, status: object, requested: number | undefined, expected: number][] = [
    [{ nodeName: 'n', terminationGracePeriodSeconds: 30 }, { phase: 'Running' }, undefined, 30],
    [{ nodeName: 'n', terminationGracePeriodSeconds: 30 }, { phase: 'Running' }, 5, 5],
    [{ nodeName: 'n', terminationGracePeriodSeconds: -1 }, { phase: 'Running' }, undefined, 1],
    [{ nodeName: 'n', terminationGracePeriodSeconds: 30 }, { phase: 'Succeeded' }, undefined, 0],
    [{ terminationGracePeriodSeconds: 30 }, { phase: 'Pending' }, undefined, 0],
  ]
  for (const [spec, status, requested, expected] of cases) {
    test(`${JSON.stringify({ ...spec, ...status, requested })} is ${expected}`, () =>
      assert.equal(strategy.gracePeriod!({ spec, status } as never, requested), expected))
  }
})

test('selectable fields of pods', async () => {
  const object = await prepare(resources.pods, pod({ nodeName: 'n1', serviceAccountName: 'robot' }))
  assert.deepEqual(strategy.fields!(object as never), {
    'spec.nodeName': 'n1',
    'spec.restartPolicy': 'Always',
    'spec.schedulerName': 'default-scheduler',
    'spec.serviceAccountName': 'robot',
    'spec.hostNetwork': 'false',
    'status.phase': 'Pending',
    'status.podIP': '',
    'status.nominatedNodeName': '',
  })
})
