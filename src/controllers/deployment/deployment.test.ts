import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { keepReady, podTemplate, startTestControlPlane } from '../../../test/support/controllers.ts'
import { eventually } from '../../../test/support/eventually.ts'
import { type apps, resources } from '../../api/index.ts'
import type { Client } from '../../client/index.ts'
import { startReplicaSetController } from '../replicaset.ts'
import { startDeploymentController } from './index.ts'

const labels = { app: 'web' }
const REF = { namespace: 'default', name: 'web' }

const draft = (spec: object = {}) => ({
  metadata: { ...REF, annotations: { 'kubernetes.io/change-cause': 'first' } },
  spec: { replicas: 4, selector: { matchLabels: labels }, template: podTemplate(labels), ...spec },
})

async function setUp(t: TestContext) {
  const plane = await startTestControlPlane(t)
  await plane.run(context => [startDeploymentController(context), startReplicaSetController(context)])
  const kubelet = await plane.run(() => [keepReady(plane.client)])
  return { ...plane, kubelet }
}

const get = (client: Client) => client.get(resources.deployments, REF)

const conditionOf = ({ status }: apps.Deployment, type: string) => status.conditions?.find(each => each.type === type)

const replicaSetsOf = async (client: Client) =>
  (await client.list(resources.replicaSets, { namespace: 'default' })).items.toSorted(
    (a, b) =>
      Number(a.metadata.annotations?.['deployment.kubernetes.io/revision']) -
      Number(b.metadata.annotations?.['deployment.kubernetes.io/revision']),
  )

const setImage = (client: Client, image: string) =>
  client.patch(resources.deployments, REF, {
    type: 'strategic',
    body: { spec: { template: { spec: { containers: [{ name: 'main', image }] } } } },
  })

/** As `kubectl rollout status` judges. */
async function complete(client: Client): Promise<apps.Deployment> {
  return await eventually(async () => {
    const deployment = await get(client)
    const { spec, status, metadata } = deployment
    assert((status.observedGeneration ?? 0) >= (metadata.generation ?? 0))
    assert.equal(status.updatedReplicas, spec.replicas)
    assert.equal(status.replicas, spec.replicas)
    assert.equal(status.availableReplicas, spec.replicas)
    assert.equal(conditionOf(deployment, 'Progressing')?.reason, 'NewReplicaSetAvailable')
    return deployment
  })
}

test('a rollout replaces all pods within its limits, and its history can be gone back in', async t => {
  const { client } = await setUp(t)
  await client.create(resources.deployments, draft())
  const first = await complete(client)
  assert.equal(first.metadata.annotations?.['deployment.kubernetes.io/revision'], '1')
  assert.equal(conditionOf(first, 'Available')?.reason, 'MinimumReplicasAvailable')
  const [old] = await replicaSetsOf(client)
  const hash = old!.metadata.labels?.['pod-template-hash']
  assert.equal(old!.metadata.name, `web-${hash}`)
  assert.deepEqual(old!.spec.selector.matchLabels, { ...labels, 'pod-template-hash': hash })

  const stop = new AbortController()
  const { metadata } = await client.list(resources.pods)
  let present = 4
  let most = 0
  const watching = (async () => {
    const options = { resourceVersion: metadata.resourceVersion!, signal: stop.signal }
    for await (const { type } of client.watch(resources.pods, options)) {
      if (type === 'ADDED') most = Math.max(most, ++present)
      if (type === 'DELETED') present--
    }
  })()
  await setImage(client, 'demo:2')
  await eventually(async () => assert.equal((await replicaSetsOf(client)).length, 2))
  await client.patch(resources.deployments, REF, {
    type: 'merge',
    body: { metadata: { annotations: { 'kubernetes.io/change-cause': 'second' } } },
  })
  await complete(client)
  stop.abort()
  await watching
  assert.equal(most, 5, 'a quarter more at the most')
  const [before, after] = await replicaSetsOf(client)
  assert.equal(before?.spec.replicas, 0)
  assert.equal(before?.metadata.annotations?.['kubernetes.io/change-cause'], 'first')
  assert.equal(after?.metadata.annotations?.['kubernetes.io/change-cause'], 'second')
  assert.equal(after?.metadata.annotations?.['deployment.kubernetes.io/revision'], '2')

  await setImage(client, 'demo:1')
  const undone = await complete(client)
  assert.equal(undone.metadata.annotations?.['deployment.kubernetes.io/revision'], '3')
  const [second, third] = await replicaSetsOf(client)
  assert.equal(second?.metadata.name, after?.metadata.name)
  assert.equal(third?.metadata.name, before?.metadata.name)
  assert.equal(third?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1')

  const { items } = await client.list(resources.events, { namespace: 'default' })
  const scaled = items.filter(({ reason }) => reason === 'ScalingReplicaSet').map(({ message }) => message)
  assert(scaled.includes(`Scaled up replica set ${before?.metadata.name} from 0 to 4`), scaled.join('\n'))
})

test('Recreate waits until no old pod is left', async t => {
  const { client } = await setUp(t)
  await client.create(resources.deployments, draft({ replicas: 2, strategy: { type: 'Recreate' } }))
  await complete(client)
  const { metadata } = await client.list(resources.pods)
  await setImage(client, 'demo:2')
  await complete(client)
  const stop = new AbortController()
  const story: string[] = []
  const options = { resourceVersion: metadata.resourceVersion!, signal: stop.signal }
  for await (const { type } of client.watch(resources.pods, options)) {
    if (type === 'ADDED' || type === 'DELETED') story.push(type)
    if (story.length === 4) break
  }
  assert.deepEqual(story, ['DELETED', 'DELETED', 'ADDED', 'ADDED'])
})

test('while paused nothing rolls out, but it is resized', async t => {
  const { client } = await setUp(t)
  await client.create(resources.deployments, draft({ replicas: 2 }))
  await complete(client)
  await client.patch(resources.deployments, REF, { type: 'merge', body: { spec: { paused: true } } })
  await eventually(async () => assert.equal(conditionOf(await get(client), 'Progressing')?.reason, 'DeploymentPaused'))
  await setImage(client, 'demo:2')
  await client.patch(resources.deployments, REF, { type: 'merge', body: { spec: { replicas: 3 } } })
  await eventually(async () => {
    const { status, metadata } = await get(client)
    assert.equal(status.observedGeneration, metadata.generation)
    assert.equal(status.availableReplicas, 3)
  })
  assert.equal((await replicaSetsOf(client)).length, 1)
  await client.patch(resources.deployments, REF, { type: 'merge', body: { spec: { paused: false } } })
  await complete(client)
  assert.equal((await replicaSetsOf(client)).length, 2)
})

test('a rollout that does not move is said to be stuck', async t => {
  const { client, kubelet } = await setUp(t)
  await kubelet.stop()
  await client.create(resources.deployments, draft({ replicas: 1, progressDeadlineSeconds: 1 }))
  const deployment = await eventually(async () => {
    const deployment = await get(client)
    assert.equal(conditionOf(deployment, 'Progressing')?.reason, 'ProgressDeadlineExceeded')
    return deployment
  })
  const { status, message } = conditionOf(deployment, 'Progressing')!
  assert.equal(status, 'False')
  assert.match(message!, /^ReplicaSet "web-[a-z0-9]+" has timed out progressing\.$/)
  assert.equal(conditionOf(deployment, 'Available')?.reason, 'MinimumReplicasUnavailable')
})

test('of the old ReplicaSets as many are kept as the history shall be long', async t => {
  const { client } = await setUp(t)
  await client.create(resources.deployments, draft({ replicas: 1, revisionHistoryLimit: 1 }))
  await complete(client)
  for (const image of ['demo:2', 'demo:3', 'demo:4']) {
    await setImage(client, image)
    await complete(client)
  }
  await eventually(async () => {
    const revisions = (await replicaSetsOf(client)).map(
      ({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision'],
    )
    assert.deepEqual(revisions, ['3', '4'])
  })
})
