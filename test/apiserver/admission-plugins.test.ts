import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Call, caller, makeServiceAccount, startTestApiServer, type TestApiServer } from '../support/apiserver.ts'

const NODES = '/api/v1/nodes'
const CORE = '/api/v1/namespaces/default'
const PODS = `${CORE}/pods`
const CLAIMS = `${CORE}/persistentvolumeclaims`
const STORAGE = '/apis/storage.k8s.io/v1'
const NETWORK = '/apis/networking.k8s.io/v1'
const DRY = '?dryRun=All'

const pod = (spec: object = {}, metadata: object = {}) => ({
  metadata: { name: 'p', ...metadata },
  spec: { automountServiceAccountToken: false, containers: [{ name: 'a', image: 'i' }], ...spec },
})

/** What is said of a pod, or what its spec has of the fields that are asked for. */
type PodCase = [spec: object, expected: string | object, metadata?: object]

async function checkPods(call: Call, cases: PodCase[]): Promise<void> {
  for (const [spec, expected, metadata] of cases) {
    const { status, json } = await call('POST', PODS + DRY, { body: pod(spec, metadata) })
    if (typeof expected === 'string') {
      assert.deepEqual([status, json.message], [403, `pods "p" is forbidden: ${expected}`])
      continue
    }
    assert.equal(status, 201, JSON.stringify(json))
    for (const [field, value] of Object.entries(expected)) assert.deepEqual(json.spec[field], value, field)
  }
}

describe('the usual admission plugins answer as upstream', () => {
  let server: TestApiServer
  let call: Call
  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
    await makeServiceAccount(call)
  })
  after(() => server.stop())

  async function made(path: string, body: object) {
    const { status, text, json } = await call('POST', path, { body })
    assert.equal(status, 201, text)
    return json
  }

  test('TaintNodesByCondition', async () => {
    const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }
    const cases = [
      [[], [notReady]],
      [[{ ...notReady, value: 'x' }], [{ ...notReady, value: 'x' }]],
      [[{ ...notReady, effect: 'NoExecute' }], [{ ...notReady, effect: 'NoExecute' }, notReady]],
    ]
    for (const [taints, expected] of cases) {
      const node = await made(NODES + DRY, { metadata: { name: 'n' }, spec: { taints } })
      assert.deepEqual(node.spec.taints, expected)
    }
  })

  test('DefaultStorageClass, StorageObjectInUseProtection and PersistentVolumeClaimResize', async () => {
    const claim = (name: string, spec: object = {}, metadata: object = {}) => ({
      metadata: { name, ...metadata },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
    })
    const before = await made(CLAIMS, claim('before'))
    assert.deepEqual(
      [before.spec.storageClassName, before.metadata.finalizers],
      [undefined, ['kubernetes.io/pvc-protection']],
    )
    for (const [name, annotation, allowVolumeExpansion] of [
      ['b', 'storageclass.kubernetes.io/is-default-class', true],
      ['a', 'storageclass.beta.kubernetes.io/is-default-class', false],
    ] as const)
      await made(`${STORAGE}/storageclasses`, {
        metadata: { name, annotations: { [annotation]: 'true' } },
        provisioner: 'x.y/z',
        allowVolumeExpansion,
      })
    const { json: classes } = await call('GET', `${STORAGE}/storageclasses`)
    const [a, b] = classes.items.map(
      ({ metadata }: { metadata: { creationTimestamp: string } }) => metadata.creationTimestamp,
    )
    // The youngest; of one second the first by name.
    assert.equal((await made(CLAIMS, claim('usual'))).spec.storageClassName, a < b ? 'b' : 'a')
    assert.equal((await made(CLAIMS, claim('none', { storageClassName: '' }))).spec.storageClassName, '')
    const annotated = claim(
      'old',
      {},
      { annotations: { 'volume.beta.kubernetes.io/storage-class': 'z' }, finalizers: ['x.y/z'] },
    )
    const old = await made(CLAIMS, annotated)
    assert.deepEqual(
      [old.spec.storageClassName, old.metadata.finalizers],
      [undefined, ['x.y/z', 'kubernetes.io/pvc-protection']],
    )

    const grow = async (name: string) => {
      const body = { spec: { resources: { requests: { storage: '2Gi' } } } }
      const { status, json } = await call('PATCH', `${CLAIMS}/${name}`, { body, type: 'application/merge-patch+json' })
      return status === 200 ? 'grown' : json.message
    }
    for (const name of ['a', 'b']) {
      await made(CLAIMS, claim(`of-${name}`, { storageClassName: name, volumeName: 'v' }))
      const body = { status: { phase: 'Bound' } }
      await call('PATCH', `${CLAIMS}/of-${name}/status`, { body, type: 'application/merge-patch+json' })
    }
    assert.equal(await grow('of-b'), 'grown')
    assert.equal(
      await grow('of-a'),
      'persistentvolumeclaims "of-a" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    )

    const volume = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/x' } }
    const { metadata } = await made('/api/v1/persistentvolumes', { metadata: { name: 'v' }, spec: volume })
    assert.deepEqual(metadata.finalizers, ['kubernetes.io/pv-protection'])
    const attributes = { metadata: { name: 'c' }, driverName: 'x', parameters: { a: 'b' } }
    const made2 = await made(`${STORAGE}/volumeattributesclasses`, attributes)
    assert.deepEqual(made2.metadata.finalizers, ['kubernetes.io/vac-protection'])
  })

  test('DefaultIngressClass', async () => {
    const defaulted = async (spec: object = {}, metadata: object = {}) => {
      const body = {
        metadata: { name: 'i', ...metadata },
        spec: { defaultBackend: { service: { name: 's', port: { number: 1 } } }, ...spec },
      }
      return (await made(`${NETWORK}/namespaces/default/ingresses${DRY}`, body)).spec.ingressClassName
    }
    assert.equal(await defaulted(), undefined)
    const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' }
    await made(`${NETWORK}/ingressclasses`, { metadata: { name: 'c', annotations }, spec: { controller: 'x.y/z' } })
    assert.equal(await defaulted(), 'c')
    assert.equal(await defaulted({ ingressClassName: 'own' }), 'own')
    assert.equal(await defaulted({}, { annotations: { 'kubernetes.io/ingress.class': 'x' } }), undefined)
  })

  test('RuntimeClass', async () => {
    const overhead = { cpu: '250m', memory: '64Mi' }
    const tolerations = [
      { key: 'k', operator: 'Exists' },
      { key: 'l', operator: 'Equal', value: 'v', effect: 'NoSchedule' },
    ]
    const path = '/apis/node.k8s.io/v1/runtimeclasses'
    await made(path, { metadata: { name: 'plain' }, handler: 'h' })
    await made(path, {
      metadata: { name: 'r' },
      handler: 'h',
      overhead: { podFixed: overhead },
      scheduling: { nodeSelector: { a: 'b', c: 'd' }, tolerations },
    })
    const lost = (key: string) => ({
      key: `node.kubernetes.io/${key}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    })
    const usual = [lost('not-ready'), lost('unreachable')]
    const all = { operator: 'Exists', effect: 'NoSchedule' }
    await checkPods(call, [
      [{ runtimeClassName: 'none' }, 'pod rejected: RuntimeClass "none" not found'],
      [{ runtimeClassName: 'plain' }, { overhead: undefined, nodeSelector: undefined }],
      [
        { runtimeClassName: 'r' },
        { overhead, nodeSelector: { a: 'b', c: 'd' }, tolerations: [...usual, ...tolerations] },
      ],
      [
        { runtimeClassName: 'r', nodeSelector: { a: 'b', z: 'x' }, tolerations: [all] },
        { nodeSelector: { a: 'b', c: 'd', z: 'x' }, tolerations: [all, ...usual, tolerations[0]] },
      ],
      [
        { runtimeClassName: 'r', nodeSelector: { a: 'x' } },
        'conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = x',
      ],
      [{ runtimeClassName: 'r', overhead: { cpu: '0.25', memory: '64Mi' } }, { overhead }],
      [
        { runtimeClassName: 'r', overhead: { cpu: '1' } },
        "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
      ],
      ...[{}, { runtimeClassName: 'plain' }].map(
        (spec): PodCase => [
          { ...spec, overhead: { cpu: '1' } },
          'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
        ],
      ),
    ])
  })

  test('PodTopologyLabels and PodResizeValidator', async () => {
    const place = { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r' }
    const labels = { ...place, 'kubernetes.io/hostname': 'h', other: 'o' }
    const allocatable = { cpu: '1', memory: '1Gi' }
    await made(NODES, { metadata: { name: 'here', labels }, status: { allocatable, capacity: allocatable } })
    const own = { 'topology.kubernetes.io/zone': 'mine', a: 'b' }
    const placed = await made(PODS + DRY, pod({ nodeName: 'here' }, { labels: own }))
    assert.deepEqual(placed.metadata.labels, { a: 'b', ...place })
    for (const [name, target, expected] of [
      ['bound', { kind: 'Node', name: 'here' }, place],
      ['of-no-kind', { name: 'here' }, undefined],
    ] as const) {
      await made(PODS, pod({}, { name }))
      await made(`${PODS}/${name}/binding`, { metadata: { name }, target })
      assert.deepEqual((await call('GET', `${PODS}/${name}`)).json.metadata.labels, expected)
    }

    const containers = [{ name: 'a', image: 'i', resources: { requests: { cpu: '100m', memory: '1Mi' } } }]
    const resized = async (name: string, requests: object) => {
      const body = { spec: { containers: [{ name: 'a', resources: { requests } }] } }
      const type = 'application/strategic-merge-patch+json'
      const { status, json } = await call('PATCH', `${PODS}/${name}/resize`, { body, type })
      return status === 200 ? 'resized' : [json.message, json.details.causes]
    }
    await made(PODS, pod({ nodeName: 'here', containers }, { name: 'small' }))
    await made(PODS, pod({ nodeName: 'nowhere', containers }, { name: 'lost' }))
    assert.equal(await resized('small', { cpu: '200m' }), 'resized')
    assert.deepEqual(await resized('small', { cpu: '2', memory: '2Gi' }), [
      `pods "small" is forbidden: node didn't have enough allocatable resources: cpu, requested: 2000, allocatable: 1000; memory, requested: 2147483648, allocatable: 1073741824`,
      [{ reason: 'NodeCapacity' }],
    ])
    assert.deepEqual(await resized('lost', { cpu: '200m' }), [
      'pods "lost" is forbidden: node "nowhere" not found',
      undefined,
    ])
  })

  test('ServiceAccount', async () => {
    const annotations = { 'kubernetes.io/enforce-mountable-secrets': 'true' }
    await made(`${CORE}/serviceaccounts`, {
      metadata: { name: 'limited', annotations },
      secrets: [{ name: 'ok' }],
      imagePullSecrets: [{ name: 'pull' }],
    })
    const of = { serviceAccountName: 'limited' }
    const env = [{ name: 'E', valueFrom: { secretKeyRef: { name: 'no', key: 'k' } } }]
    const envFrom = [{ secretRef: { name: 'no' } }]
    const unnamed = 'is not allowed because service account limited does not reference that'
    const mirror = { annotations: { 'kubernetes.io/config.mirror': 'x' } }
    await checkPods(call, [
      [of, { imagePullSecrets: [{ name: 'pull' }] }],
      [{ ...of, volumes: [{ name: 'v', secret: { secretName: 'ok' } }] }, {}],
      [
        { ...of, volumes: [{ name: 'v', secret: { secretName: 'no' } }] },
        `volume with secret.secretName="no" ${unnamed} secret`,
      ],
      [
        { ...of, containers: [{ name: 'a', image: 'i', env }] },
        `container a with envVar E referencing secret.secretName="no" ${unnamed} secret`,
      ],
      [
        { ...of, initContainers: [{ name: 'b', image: 'i', envFrom }] },
        `init container b with envFrom referencing secret.secretName="no" ${unnamed} secret`,
      ],
      [
        { ...of, imagePullSecrets: [{ name: 'pull' }, { name: 'no' }] },
        `imagePullSecrets[1].name="no" ${unnamed} imagePullSecret`,
      ],
      [
        { serviceAccountName: 'gone' },
        'error looking up service account default/gone: serviceaccount "gone" not found',
      ],
      [of, 'a mirror pod may not reference service accounts', mirror],
      [
        { nodeName: 'x', volumes: [{ name: 'v', secret: { secretName: 'no' } }] },
        'a mirror pod may not reference secrets',
        mirror,
      ],
      [
        { nodeName: 'x', volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 'x' } }] } }] },
        'a mirror pod may not use ServiceAccountToken volume projections',
        mirror,
      ],
    ])
  })

  test('Priority', async () => {
    const path = '/apis/scheduling.k8s.io/v1/priorityclasses'
    await made(path, { metadata: { name: 'usual' }, value: 7, globalDefault: true })
    const only =
      'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass usual is already marked as default. Only one default can exist'
    const second = await call('POST', path, { body: { metadata: { name: 'second' }, value: 8, globalDefault: true } })
    assert.deepEqual([second.status, second.json.message], [403, only])
    await checkPods(call, [
      [{}, { priority: 7, priorityClassName: 'usual' }],
      [{ priorityClassName: 'no' }, 'no PriorityClass with name no was found'],
    ])
    const { json } = await call('POST', PODS, {
      body: pod({ priorityClassName: 'no' }, { name: '', generateName: 'g-' }),
    })
    assert.equal(json.message, 'pods "g-" is forbidden: no PriorityClass with name no was found')
    assert.equal((await call('DELETE', `${path}/usual`)).status, 200)
  })

  test('PodSecurity', async () => {
    const path = '/api/v1/namespaces'
    const label = (name: string) => `pod-security.kubernetes.io/${name}`
    const labels = { [label('enforce')]: 'baseline', [label('warn')]: 'restricted', [label('warn-version')]: 'v1.20' }
    await made(path, { metadata: { name: 'safe', labels } })
    await makeServiceAccount(call, 'safe')
    const pods = `${path}/safe/pods`
    const refused = await call('POST', pods, { body: pod({ hostNetwork: true }) })
    assert.deepEqual(
      [refused.status, refused.json.message, refused.headers.warning],
      [
        403,
        'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
        undefined,
      ],
    )
    const warning =
      '299 - "would violate PodSecurity \\"restricted:v1.20\\": allowPrivilegeEscalation != false (container \\"a\\" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container \\"a\\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container \\"a\\" must set securityContext.seccompProfile.type to \\"RuntimeDefault\\" or \\"Localhost\\")"'
    const warned = await call('POST', pods, { body: pod() })
    assert.deepEqual([warned.status, warned.headers.warning], [201, warning])
    const patch = (at: string, body: object) =>
      call('PATCH', at, { body, type: 'application/strategic-merge-patch+json' })
    assert.equal((await patch(`${pods}/p`, { metadata: { labels: { a: 'b' } } })).headers.warning, undefined)
    const image = { spec: { containers: [{ name: 'a', image: 'j' }] } }
    assert.equal((await patch(`${pods}/p`, image)).headers.warning, warning)
    const debug = { name: 'd', image: 'i', securityContext: { privileged: true } }
    assert.equal(
      (await patch(`${pods}/p/ephemeralcontainers`, { spec: { ephemeralContainers: [debug] } })).json.message,
      'pods "p" is forbidden: violates PodSecurity "baseline:latest": privileged (container "d" must not set securityContext.privileged=true)',
    )
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'i' }] } }
    const body = { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } }
    const deployed = await call('POST', '/apis/apps/v1/namespaces/safe/deployments', { body })
    assert.deepEqual([deployed.status, deployed.headers.warning], [201, warning])

    const stricter = await patch(`${path}/safe${DRY}`, {
      metadata: { labels: { [label('enforce')]: 'restricted', [label('enforce-version')]: 'v1.1' } },
    })
    assert.equal(
      stricter.headers.warning,
      '299 - "existing pods in namespace \\"safe\\" violate the new PodSecurity enforce level \\"restricted:v1.1\\"", 299 - "p: runAsNonRoot != true"',
    )
    const wrong = await patch(`${path}/safe`, { metadata: { labels: { [label('enforce')]: 'x' } } })
    assert.deepEqual(
      [wrong.status, wrong.json.message],
      [
        422,
        'Namespace "safe" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "x": must be one of privileged, baseline, restricted',
      ],
    )
  })
})

describe('admission plugins that are asked for', () => {
  const enabled = [
    'AlwaysAdmit',
    'AlwaysPullImages',
    'DenyServiceExternalIPs',
    'ExtendedResourceToleration',
    'LimitPodHardAntiAffinityTopology',
    'NamespaceAutoProvision',
    'NamespaceExists',
    'OwnerReferencesPermissionEnforcement',
    'PodNodeSelector',
    'PodTolerationRestriction',
  ]
  let server: TestApiServer
  let call: Call
  before(async () => {
    server = await startTestApiServer({
      enabledAdmissionPlugins: enabled,
      authorizers: [{ type: 'RBAC' }],
      admissionConfigurations: {
        PodNodeSelector: {
          podNodeSelectorPluginConfig: { clusterDefaultNodeSelector: 'pool=all', narrow: 'pool=all,disk=ssd' },
        },
        PodTolerationRestriction: { default: [{ key: 'usual', operator: 'Exists' }] },
        PodSecurity: { defaults: { enforce: 'baseline' }, exemptions: { namespaces: ['exempt'] } },
      },
    })
    call = caller(server)
    await makeServiceAccount(call)
  })
  after(() => server.stop())

  const message = async (path: string, body: object) => {
    const { status, json } = await call('POST', path, { body })
    return status === 201 ? json : [status, json.message]
  }

  test('pods get what their namespace, the configuration and they themselves say', async () => {
    const containers = [
      { name: 'a', image: 'i', imagePullPolicy: 'Never', resources: { limits: { 'x.y/gpu': '1', cpu: '1' } } },
    ]
    const { spec } = await message(PODS + DRY, pod({ containers, nodeSelector: { own: 'x' } }))
    assert.equal(spec.containers[0].imagePullPolicy, 'Always')
    assert.deepEqual(spec.nodeSelector, { pool: 'all', own: 'x' })
    const keys = spec.tolerations.map(({ key }: { key: string }) => key.replace('node.kubernetes.io/', ''))
    assert.deepEqual(keys, ['not-ready', 'unreachable', 'usual', 'memory-pressure', 'x.y/gpu'])

    await checkPods(call, [
      [{ hostPID: true }, 'violates PodSecurity "baseline:latest": host namespaces (hostPID=true)'],
      [{ nodeSelector: { pool: 'x' } }, 'pod node label selector conflicts with its namespace node label selector'],
      [
        {
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', labelSelector: {} }],
            },
          },
        },
        'affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey zone but only key kubernetes.io/hostname is allowed',
      ],
    ])
  })

  test('a namespace may narrow it down', async () => {
    const scheduler = 'scheduler.alpha.kubernetes.io'
    const annotations = {
      [`${scheduler}/node-selector`]: 'disk=ssd',
      [`${scheduler}/defaultTolerations`]: '[{"key":"mine","operator":"Exists"}]',
      [`${scheduler}/tolerationsWhitelist`]:
        '[{"key":"mine","operator":"Exists"},{"operator":"Exists","effect":"NoExecute"}]',
    }
    await message('/api/v1/namespaces', { metadata: { name: 'narrow', annotations } })
    await makeServiceAccount(call, 'narrow')
    const pods = `/api/v1/namespaces/narrow/pods${DRY}`
    const { spec } = await message(pods, pod())
    assert.deepEqual(spec.nodeSelector, { disk: 'ssd' })
    assert.equal(spec.tolerations.at(-1).key, 'mine')
    assert.deepEqual(await message(pods, pod({ tolerations: [{ key: 'other', operator: 'Exists' }] })), [
      500,
      'pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist',
    ])
    assert.deepEqual(await message(pods, pod({ nodeSelector: { other: 'x' } })), [
      403,
      'pods "p" is forbidden: pod node label selector labels conflict with its namespace whitelist',
    ])
  })

  test('a namespace is made when something is to be in it; what is exempt is warned of', async () => {
    const map = { metadata: { name: 'm' } }
    assert.equal((await message('/api/v1/namespaces/new/configmaps', map)).metadata.namespace, 'new')
    assert.equal((await call('GET', '/api/v1/namespaces/new')).json.status.phase, 'Active')
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
    const exempt = await call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'exempt', labels } } })
    assert.equal(
      exempt.headers.warning,
      '299 - "namespace \\"exempt\\" is exempt from Pod Security, and the policy (enforce=restricted:latest) will be ignored"',
    )
  })

  test('Services get no external addresses', async () => {
    const spec = { ports: [{ port: 80 }], externalIPs: ['1.2.3.4'] }
    assert.deepEqual(await message(`${CORE}/services`, { metadata: { name: 's' }, spec }), [
      403,
      'services "s" is forbidden: Use of external IPs is denied by admission control',
    ])
  })

  test('owners are set by those who may', async () => {
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'update', 'get'] }]
    const rbac = '/apis/rbac.authorization.k8s.io/v1'
    await message(`${rbac}/clusterroles`, { metadata: { name: 'maps' }, rules })
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'maps' }
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'ann' }]
    await message(`${rbac}/clusterrolebindings`, { metadata: { name: 'maps' }, roleRef, subjects })
    const as = await server.identity('ann')
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u' }
    const create = (name: string, ...ownerReferences: object[]) =>
      call('POST', `${CORE}/configmaps`, { as, body: { metadata: { name, ownerReferences } } })
    assert.equal((await create('owned', owner)).status, 201)
    const blocking = await create('blocking', { ...owner, blockOwnerDeletion: true })
    assert.equal(blocking.status, 403)
    assert.match(
      blocking.json.message,
      /cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>$/,
    )
    const metadata = { name: 'owned', ownerReferences: [] }
    const freed = await call('PUT', `${CORE}/configmaps/owned`, { as, body: { metadata } })
    assert.match(freed.json.message, /cannot set an ownerRef on a resource you can't delete: , <nil>$/)
  })

  test('AlwaysDeny denies', async () => {
    const denying = await server.another({ enabledAdmissionPlugins: ['AlwaysDeny'] })
    const { json } = await caller({ ...server, port: denying.port })('POST', `${CORE}/configmaps`, {
      body: { metadata: { name: 'm' } },
    })
    await denying.stop()
    assert.equal(json.message, 'configmaps "m" is forbidden: admission control is denying all modifications')
  })
})
