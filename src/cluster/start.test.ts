import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { is, resources } from '../api/index.ts'
import { systemClock } from '../base/index.ts'
import { startCluster } from './index.ts'
import { waitUntil } from './process.ts'

test('a control plane inside this process makes pods of a Deployment, and is gone when stopped', async t => {
  const cluster = await startCluster()
  t.after(() => cluster.stop())
  const labels = { app: 'web' }
  await cluster.client.create(resources.deployments, {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'k8ts.local/demo' }] } },
    },
  })
  const pods = async () => (await cluster.client.list(resources.pods, { namespace: 'default' })).items
  assert.ok(await waitUntil(async () => (await pods()).length === 2, 10_000, systemClock))
  const unscheduled = async () =>
    (await pods()).every(pod => pod.status?.conditions?.some(({ reason }) => reason === 'Unschedulable'))
  assert.ok(await waitUntil(unscheduled, 10_000, systemClock), 'there is no node')
  const directory = join(dirname(cluster.kubeconfig), '..')
  assert.ok(existsSync(directory))
  await cluster.stop()
  assert.ok(!existsSync(directory))
})

test('two of them live side by side, each with its own objects', async t => {
  const [one, other] = await Promise.all([startCluster({ components: [] }), startCluster({ components: [] })])
  t.after(() => Promise.all([one.stop(), other.stop()]))
  await one.client.create(resources.namespaces, { metadata: { name: 'mine' } })
  await assert.rejects(other.client.get(resources.namespaces, { name: 'mine' }), error => is(error, 'NotFound'))
})
