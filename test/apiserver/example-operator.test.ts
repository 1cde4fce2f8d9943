import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { KubeConfig, type KubernetesObject, KubernetesObjectApi, loadAllYaml } from '@kubernetes/client-node'
import { startOperator } from '../../docs/examples/operator/operator.ts'
import { startWebhook } from '../../docs/examples/operator/webhook.ts'
import { startDeploymentController } from '../../src/controllers/deployment/index.ts'
import { startGarbageCollector } from '../../src/controllers/garbage-collector/index.ts'
import { startReplicaSetController } from '../../src/controllers/replicaset.ts'
import { type Answer, type Call, caller, type TestApiServer } from '../support/apiserver.ts'
import { keepReady, startTestControlPlane, type TestControlPlane } from '../support/controllers.ts'
import { eventually } from '../support/eventually.ts'

const EXAMPLE = join(import.meta.dirname, '../../docs/examples/operator')
const SITES = '/apis/example.com/v1/namespaces/default/sites'
const OLD_SITES = '/apis/example.com/v1alpha1/namespaces/default/sites'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const image = { repository: 'k8ts.local/demo' }

/** The very files of docs/examples/operator, run as its README runs them. */
describe('the example of an operator', () => {
  let plane: TestControlPlane
  let call: Call
  const stops: (() => Promise<void>)[] = []

  const make = (name: string, spec: object, path = SITES): Promise<Answer> =>
    call('POST', path, {
      body: {
        apiVersion: path === SITES ? 'example.com/v1' : 'example.com/v1alpha1',
        kind: 'Site',
        metadata: { name },
        spec,
      },
    })
  const remove = (name: string) => call('DELETE', `${SITES}/${name}`)

  before(async () => {
    plane = await startTestControlPlane({ after: stop => void stops.push(stop) })
    call = caller(plane.api)
    stops.push(keepReady(plane.client).stop)
    await plane.run(context => [
      startDeploymentController(context),
      startReplicaSetController(context),
      startGarbageCollector(context),
    ])
    const config = configOf(plane.api)
    const objects = KubernetesObjectApi.makeApiClient(config)
    for (const object of manifests('rbac.yaml', plane.api, 0)) await objects.create(object)
    // The programs have those rights and no others.
    const token = await call('POST', '/api/v1/namespaces/default/serviceaccounts/site-operator/token', { body: {} })
    const account = new KubeConfig()
    account.loadFromClusterAndUser(config.getCurrentCluster()!, { name: 'account', token: token.json.status.token })
    const webhook = await startWebhook({ config: account, tls: plane.api.pki.serving, port: 0 })
    stops.push(webhook.stop)
    for (const file of ['crd.yaml', 'webhook.yaml'])
      for (const object of manifests(file, plane.api, webhook.port)) await objects.create(object)
    await eventually(async () => assert.equal((await call('GET', OLD_SITES)).status, 200))
    const operator = await startOperator(account)
    stops.push(operator.stop)
  })
  after(async () => {
    for (const stop of stops.reverse()) await stop()
  })

  it('serves both versions, with columns, status and scale', async () => {
    const { resources } = (await call('GET', '/apis/example.com/v1')).json
    const served = resources.map(({ name }: { name: string }) => name)
    assert.deepEqual(served.sort(), ['sites', 'sites/scale', 'sites/status'])
    const Accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const table = await call('GET', OLD_SITES, { headers: { Accept } })
    const columns = table.json.columnDefinitions.map(({ name }: { name: string }) => name)
    assert.deepEqual(columns, ['Name', 'Tier', 'Desired', 'Ready', 'Available', 'Host', 'Age'])
    assert.match(String(table.headers.warning), /v1alpha1 Site is deprecated/)
  })

  it('refuses by rule what one site alone shows to be wrong', async () => {
    const lonely = await make('lonely', { image, tier: 'production' })
    assert.equal(lonely.status, 422)
    assert.match(lonely.json.message, /spec: Invalid value: .*a production site needs at least 2 replicas, not 1/)
    assert.equal((await make('moving', { image, port: 80 })).status, 201)
    const patch = { type: 'application/merge-patch+json', body: { spec: { port: 81 } } }
    const moved = await call('PATCH', `${SITES}/moving`, patch)
    assert.equal(moved.status, 422)
    assert.match(moved.json.message, /spec\.port: Invalid value: .*the port of a site cannot change/)
    await remove('moving')
  })

  it('refuses by webhook what the other sites show to be wrong, in either version', async () => {
    const host = 'shop.example.com'
    const message =
      'admission webhook "hosts.sites.example.com" denied the request: host shop.example.com belongs to site default/first'
    assert.equal((await make('first', { image, host })).status, 201)
    // The server starts to ask when it has seen the webhook's configuration.
    for (const [path, spec] of [
      [SITES, { image, host }],
      [OLD_SITES, { image: 'k8ts.local/demo', host }],
    ] as const)
      await eventually(async () => {
        const answer = await make('second', spec, path)
        if (answer.status === 201) await remove('second')
        assert.deepEqual([answer.status, answer.json.message], [409, message])
      })
    assert.equal((await make('second', { image, host: 'other.example.com' })).status, 201)
    await remove('first')
    await remove('second')
  })

  it('converts between the versions, there and back', async () => {
    const split: [string, object][] = [
      ['demo', { repository: 'demo', tag: 'latest' }],
      ['registry:5000/demo', { repository: 'registry:5000/demo', tag: 'latest' }],
      ['registry:5000/demo:v2', { repository: 'registry:5000/demo', tag: 'v2' }],
    ]
    for (const [text, parts] of split) {
      const made = await make('converted', { image: text }, OLD_SITES)
      assert.deepEqual([made.status, made.json.apiVersion], [201, 'example.com/v1alpha1'])
      assert.deepEqual((await call('GET', `${SITES}/converted`)).json.spec.image, parts)
      const { items } = (await call('GET', OLD_SITES)).json
      assert.deepEqual(
        items.map(({ spec }: { spec: { image: string } }) => spec.image),
        [text.endsWith('demo') ? `${text}:latest` : text],
      )
      await remove('converted')
    }
  })

  it('converts what one manager alone owns, for server-side apply', async () => {
    const apply = (path: string, version: string, image: unknown) =>
      call('PATCH', `${path}/applied?fieldManager=tester`, {
        type: 'application/apply-patch+yaml',
        body: { apiVersion: `example.com/${version}`, kind: 'Site', metadata: { name: 'applied' }, spec: { image } },
      })
    assert.equal((await apply(OLD_SITES, 'v1alpha1', 'demo:v1')).status, 201)
    // The operator becomes a second manager: of the status, where no image is.
    await eventually(async () => {
      const { metadata } = (await call('GET', `${SITES}/applied`)).json
      assert.ok(metadata.managedFields.some(({ manager }: { manager: string }) => manager === 'site-operator'))
    })
    const { status, json } = await apply(SITES, 'v1', { repository: 'demo', tag: 'v2' })
    assert.equal(status, 200, json.message)
    assert.equal((await call('GET', `${OLD_SITES}/applied`)).json.spec.image, 'demo:v2')
    await remove('applied')
  })

  it('runs a site as a Deployment that it owns, says how it is, and lets it go with the site', async () => {
    const file = manifests('site.yaml', plane.api, 0)[0]!
    const site = (await call('POST', SITES, { body: file })).json
    const deployment = await eventually(async () => {
      const { status, json } = await call('GET', `${DEPLOYMENTS}/shop`)
      assert.equal(status, 200)
      return json
    })
    const { apiVersion, kind, metadata } = site
    assert.deepEqual(deployment.metadata.ownerReferences, [
      { apiVersion, kind, name: 'shop', uid: metadata.uid, controller: true, blockOwnerDeletion: true },
    ])
    assert.equal(deployment.spec.template.spec.containers[0].image, 'k8ts.local/demo:latest')
    const isReady = (ready: number) => async () => {
      const { metadata, status } = (await call('GET', `${SITES}/shop`)).json
      const [{ lastTransitionTime, ...condition }] = status.conditions
      assert.ok(Date.parse(lastTransitionTime))
      assert.deepEqual(
        { ...status, conditions: [condition] },
        {
          observedGeneration: metadata.generation,
          replicas: ready,
          readyReplicas: ready,
          conditions: [
            {
              type: 'Available',
              status: 'True',
              reason: 'AllReady',
              message: `${ready} of ${ready} replicas are ready`,
            },
          ],
        },
      )
    }
    await eventually(isReady(2))
    const scale = (await call('GET', `${SITES}/shop/scale`)).json
    assert.deepEqual([scale.spec.replicas, scale.status.replicas], [2, 2])
    await call('PUT', `${SITES}/shop/scale`, { body: { ...scale, spec: { replicas: 3 } } })
    await eventually(isReady(3))
    // What somebody else breaks is mended.
    const emptied = { type: 'application/merge-patch+json', body: { spec: { replicas: 0 } } }
    await call('PATCH', `${DEPLOYMENTS}/shop`, emptied)
    await eventually(async () => {
      assert.equal((await call('GET', `${DEPLOYMENTS}/shop`)).json.spec.replicas, 3)
    })
    await remove('shop')
    await eventually(async () => {
      assert.equal((await call('GET', `${DEPLOYMENTS}/shop`)).status, 404)
      assert.deepEqual((await call('GET', '/api/v1/namespaces/default/pods')).json.items, [])
    })
  })
})

/** The objects of a file, with the place of the webhook filled in. */
function manifests(file: string, { ca }: TestApiServer, port: number): KubernetesObject[] {
  const text = readFileSync(join(EXAMPLE, file), 'utf8')
    .replaceAll(':9443/', `:${port}/`)
    .replaceAll('caBundle: CA_BUNDLE', `caBundle: ${Buffer.from(ca).toString('base64')}`)
  return loadAllYaml(text) as KubernetesObject[]
}

function configOf({ url, ca, admin }: TestApiServer): KubeConfig {
  const config = new KubeConfig()
  const encoded = (text: string) => Buffer.from(text).toString('base64')
  config.loadFromClusterAndUser(
    { name: 'test', server: url, caData: encoded(ca), skipTLSVerify: false },
    { name: 'admin', certData: encoded(admin.cert), keyData: encoded(admin.key) },
  )
  return config
}
