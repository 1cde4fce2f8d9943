import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestControlPlane } from '../../test/support/controllers.ts'
import { eventually } from '../../test/support/eventually.ts'
import { resources } from '../api/index.ts'
import { startClusterRoleAggregationController } from './clusterrole-aggregation.ts'

test('a role has the rules of those that it gathers, as long as they are there', async t => {
  const { client, run } = await startTestControlPlane(t)
  const rule = (resource: string) => ({ verbs: ['get'], apiGroups: ['example.com'], resources: [resource] })
  const part = (name: string, ...gathered: string[]) =>
    client.create(resources.clusterRoles, {
      metadata: { name, labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
      rules: gathered.map(rule),
    })
  const rulesOf = async (name: string) =>
    (await client.get(resources.clusterRoles, { name })).rules?.flatMap(({ apiGroups, resources }) =>
      apiGroups?.includes('example.com') ? resources : [],
    ) ?? []
  await part('parts:b', 'b', 'a')
  await part('parts:a', 'a')
  await run(context => [startClusterRoleAggregationController(context)])
  // Through `view` into `edit`, and from there into `admin`.
  for (const name of ['view', 'edit', 'admin'])
    await eventually(async () => assert.deepEqual(await rulesOf(name), ['a', 'b']))
  assert.ok((await client.get(resources.clusterRoles, { name: 'edit' })).rules!.length > 20)
  await client.delete(resources.clusterRoles, { name: 'parts:b' })
  await eventually(async () => assert.deepEqual(await rulesOf('admin'), ['a']))
  const { metadata } = await client.get(resources.clusterRoles, { name: 'admin' })
  assert.deepEqual(
    metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`),
    ['clusterrole-aggregation-controller Apply', 'kube-apiserver Update'],
  )
})
