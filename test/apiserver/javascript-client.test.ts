import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  AppsV1Api,
  AutoscalingV2Api,
  BatchV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  NetworkingV1Api,
  PatchStrategy,
  PolicyV1Api,
  RbacAuthorizationV1Api,
  StorageV1Api,
  setHeaderOptions,
  type V1ConfigMap,
  VersionApi,
  Watch,
} from '@kubernetes/client-node'
import { type Call, caller, makeServiceAccount, startTestApiServer, type TestApiServer } from '../support/apiserver.ts'
import { eventually } from '../support/eventually.ts'

const template = {
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'main', image: 'k8ts.local/demo:latest' }], restartPolicy: 'Always' },
}
const selector = { matchLabels: { app: 'x' } }

/** The official JavaScript client, which knows every type and checks what it gets against it. */
describe('the official JavaScript client', () => {
  let server: TestApiServer
  let call: Call
  let config: KubeConfig
  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
    await makeServiceAccount(call)
    config = configOf(server)
  })
  after(() => server.stop())

  it('creates, reads, replaces, lists and deletes by typed calls', async () => {
    const core = config.makeApiClient(CoreV1Api)
    const namespace = 'default'
    const made = await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: 'typed' }, data: { a: '1' } },
    })
    assert.ok(made.metadata?.creationTimestamp instanceof Date)
    const read = await core.readNamespacedConfigMap({ name: 'typed', namespace })
    assert.deepEqual(read.data, { a: '1' })
    const replaced = await core.replaceNamespacedConfigMap({
      name: 'typed',
      namespace,
      body: { ...read, data: { b: '2' } },
    })
    assert.notEqual(replaced.metadata?.resourceVersion, read.metadata?.resourceVersion)
    const stale = await core.replaceNamespacedConfigMap({ name: 'typed', namespace, body: read }).then(
      () => undefined,
      error => error,
    )
    assert.equal(stale.code, 409)
    assert.equal(JSON.parse(stale.body).reason, 'Conflict')
    const { items } = await core.listNamespacedConfigMap({ namespace, fieldSelector: 'metadata.name=typed' })
    assert.deepEqual(
      items.map(({ data }) => data),
      [{ b: '2' }],
    )
    await core.deleteNamespacedConfigMap({ name: 'typed', namespace })
    const gone = await core.readNamespacedConfigMap({ name: 'typed', namespace }).then(
      () => undefined,
      error => error,
    )
    assert.equal(gone.code, 404)
  })

  it('creates one of many kinds, and finds it again', async () => {
    const api = {
      apps: config.makeApiClient(AppsV1Api),
      autoscaling: config.makeApiClient(AutoscalingV2Api),
      batch: config.makeApiClient(BatchV1Api),
      coordination: config.makeApiClient(CoordinationV1Api),
      core: config.makeApiClient(CoreV1Api),
      networking: config.makeApiClient(NetworkingV1Api),
      policy: config.makeApiClient(PolicyV1Api),
      rbac: config.makeApiClient(RbacAuthorizationV1Api),
      storage: config.makeApiClient(StorageV1Api),
    }
    const namespace = 'default'
    const metadata = { name: 'one' }
    const job = { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } }
    const rule = { apiGroups: [''], resources: ['pods'], verbs: ['get'] }
    const subjects = [{ kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' }]
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'one' }
    const made = [
      await api.apps.createNamespacedDeployment({ namespace, body: { metadata, spec: { selector, template } } }),
      await api.apps.createNamespacedStatefulSet({
        namespace,
        body: { metadata, spec: { selector, template, serviceName: 'one' } },
      }),
      await api.apps.createNamespacedDaemonSet({ namespace, body: { metadata, spec: { selector, template } } }),
      await api.batch.createNamespacedJob({ namespace, body: { metadata, spec: job } }),
      await api.batch.createNamespacedCronJob({
        namespace,
        body: { metadata, spec: { schedule: '*/5 * * * *', jobTemplate: { spec: job } } },
      }),
      await api.core.createNamespacedService({
        namespace,
        body: { metadata, spec: { selector: { app: 'x' }, ports: [{ port: 80 }] } },
      }),
      await api.core.createNamespacedSecret({ namespace, body: { metadata, stringData: { a: 'b' } } }),
      await api.core.createNamespacedPersistentVolumeClaim({
        namespace,
        body: { metadata, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
      }),
      await api.networking.createNamespacedNetworkPolicy({ namespace, body: { metadata, spec: { podSelector: {} } } }),
      await api.networking.createNamespacedIngress({
        namespace,
        body: { metadata, spec: { defaultBackend: { service: { name: 'one', port: { number: 80 } } } } },
      }),
      await api.policy.createNamespacedPodDisruptionBudget({
        namespace,
        body: { metadata, spec: { selector, minAvailable: '50%' } },
      }),
      await api.autoscaling.createNamespacedHorizontalPodAutoscaler({
        namespace,
        body: {
          metadata,
          spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'one' } },
        },
      }),
      await api.rbac.createNamespacedRole({ namespace, body: { metadata, rules: [rule] } }),
      await api.rbac.createNamespacedRoleBinding({ namespace, body: { metadata, subjects, roleRef } }),
      await api.coordination.createNamespacedLease({ namespace, body: { metadata, spec: { holderIdentity: 'me' } } }),
      await api.storage.createStorageClass({ body: { metadata, provisioner: 'none' } }),
    ]
    const generic = KubernetesObjectApi.makeApiClient(config)
    for (const { kind, apiVersion, metadata: own } of made) {
      const read = await generic.read({
        kind: kind!,
        apiVersion: apiVersion!,
        metadata: { name: own!.name!, namespace: own!.namespace ?? '' },
      })
      assert.equal(read.metadata?.uid, own?.uid, kind ?? '')
    }
    const scale = await api.apps.readNamespacedDeploymentScale({ name: 'one', namespace })
    assert.equal(scale.spec?.replicas, 1)
    const scaled = await api.apps.replaceNamespacedDeploymentScale({
      name: 'one',
      namespace,
      body: { ...scale, spec: { replicas: 4 } },
    })
    assert.equal(scaled.spec?.replicas, 4)
    assert.equal((await api.apps.readNamespacedDeployment({ name: 'one', namespace })).metadata?.generation, 2)
  })

  it('patches in each of the four ways', async () => {
    const generic = KubernetesObjectApi.makeApiClient(config)
    const head = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'patched', namespace: 'default' } }
    await generic.create({ ...head, data: { a: '1' } } as V1ConfigMap)
    const core = config.makeApiClient(CoreV1Api)
    const target = { name: 'patched', namespace: 'default' }
    const json = await core.patchNamespacedConfigMap({ ...target, body: [{ op: 'add', path: '/data/b', value: '2' }] })
    assert.deepEqual(json.data, { a: '1', b: '2' })
    const patch = (data: object, strategy: PatchStrategy, manager?: string) =>
      generic.patch<V1ConfigMap>({ ...head, data } as V1ConfigMap, undefined, undefined, manager, undefined, strategy)
    assert.deepEqual((await patch({ c: '3' }, PatchStrategy.MergePatch)).data, { a: '1', b: '2', c: '3' })
    assert.deepEqual((await patch({ d: '4' }, PatchStrategy.StrategicMergePatch)).data, {
      a: '1',
      b: '2',
      c: '3',
      d: '4',
    })
    const applied = await patch({ e: '5' }, PatchStrategy.ServerSideApply, 'tester')
    assert.deepEqual(applied.data, { a: '1', b: '2', c: '3', d: '4', e: '5' })
    assert.ok(
      applied.metadata?.managedFields?.some(({ manager, operation }) => manager === 'tester' && operation === 'Apply'),
    )
    const merged = await core.patchNamespacedConfigMap(
      { ...target, body: { data: { a: null } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    )
    assert.equal(merged.data?.a, undefined)
  })

  it('watches, and is told of each change', async () => {
    const core = config.makeApiClient(CoreV1Api)
    const { metadata } = await core.listNamespacedConfigMap({ namespace: 'default' })
    const seen: string[] = []
    const abort = await new Watch(config).watch(
      '/api/v1/namespaces/default/configmaps',
      { resourceVersion: metadata!.resourceVersion!, labelSelector: 'watched' },
      (phase, object: V1ConfigMap) => seen.push(`${phase} ${object.metadata?.name}`),
      () => {},
    )
    const body = { metadata: { name: 'seen', labels: { watched: 'yes' } } }
    await core.createNamespacedConfigMap({ namespace: 'default', body })
    await core.deleteNamespacedConfigMap({ namespace: 'default', name: 'seen' })
    await eventually(() => assert.deepEqual(seen, ['ADDED seen', 'DELETED seen']))
    abort.abort()
  })

  it('keeps an informer in step', async () => {
    const core = config.makeApiClient(CoreV1Api)
    const path = '/api/v1/namespaces/default/secrets'
    const informer = makeInformer(config, path, () => core.listNamespacedSecret({ namespace: 'default' }))
    const seen: string[] = []
    for (const verb of ['add', 'update', 'delete'] as const)
      informer.on(verb, object => void seen.push(`${verb} ${object.metadata?.name}`))
    informer.on('error', error => void seen.push(`error ${error}`))
    await informer.start()
    const name = 'informed'
    await core.createNamespacedSecret({ namespace: 'default', body: { metadata: { name } } })
    await eventually(() => assert.ok(informer.get(name, 'default')))
    await core.patchNamespacedSecret({
      name,
      namespace: 'default',
      body: [{ op: 'add', path: '/data', value: { a: 'Yg==' } }],
    })
    await core.deleteNamespacedSecret({ name, namespace: 'default' })
    await eventually(() => assert.equal(informer.get(name, 'default'), undefined))
    await informer.stop()
    assert.deepEqual(
      seen.filter(line => line.endsWith(name)),
      [`add ${name}`, `update ${name}`, `delete ${name}`],
    )
  })

  it('defines a kind of its own and uses it', async () => {
    const generic = KubernetesObjectApi.makeApiClient(config)
    await generic.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'boats.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'boats', kind: 'Boat' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: { spec: { type: 'object', properties: { sails: { type: 'integer', minimum: 1 } } } },
              },
            },
          },
        ],
      },
    } as never)
    const custom = config.makeApiClient(CustomObjectsApi)
    const where = { group: 'example.com', version: 'v1', namespace: 'default', plural: 'boats' }
    const boat = (sails: number) => ({
      apiVersion: 'example.com/v1',
      kind: 'Boat',
      metadata: { name: 'b' },
      spec: { sails },
    })
    await eventually(() => custom.createNamespacedCustomObject({ ...where, body: boat(2) }))
    const read = await custom.getNamespacedCustomObject({ ...where, name: 'b' })
    assert.equal(read.spec.sails, 2)
    const refused = await custom.createNamespacedCustomObject({ ...where, body: boat(0) }).then(
      () => undefined,
      error => error,
    )
    assert.equal(refused.code, 422)
  })

  it('asks for the version, for a token, and who it is', async () => {
    const version = await config.makeApiClient(VersionApi).getCode()
    assert.equal(`${version.major}.${version.minor}`, '1.36')
    const core = config.makeApiClient(CoreV1Api)
    const { status } = await core.createNamespacedServiceAccountToken({
      name: 'default',
      namespace: 'default',
      body: { spec: { audiences: [], expirationSeconds: 600 } } as never,
    })
    const token = new KubeConfig()
    token.loadFromClusterAndUser(config.getCurrentCluster()!, { name: 'sa', token: status!.token })
    const refused = await token
      .makeApiClient(CoreV1Api)
      .listNode()
      .then(
        () => undefined,
        error => error,
      )
    assert.match(
      JSON.parse(refused.body).message,
      /^nodes is forbidden: User "system:serviceaccount:default:default" cannot list/,
    )
  })
})

function configOf({ url, ca, admin }: TestApiServer): KubeConfig {
  const config = new KubeConfig()
  const encoded = (text: string) => Buffer.from(text).toString('base64')
  config.loadFromClusterAndUser(
    { name: 'test', server: url, caData: encoded(ca), skipTLSVerify: false },
    { name: 'admin', certData: encoded(admin.cert), keyData: encoded(admin.key) },
  )
  return config
}
