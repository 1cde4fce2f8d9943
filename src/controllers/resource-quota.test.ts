import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  podTemplate,
  setPodStatus,
  startTestControlPlane,
  type TestControlPlane,
} from '../../test/support/controllers.ts'
import { eventually } from '../../test/support/eventually.ts'
import { type Resource, type ResourceList, resources } from '../api/index.ts'
import { type Clock, systemClock, VirtualClock } from '../base/index.ts'
import { startResourceQuotaController } from './resource-quota.ts'

const QUOTA = { namespace: 'default', name: 'quota' }
const pod = (name: string, cpu: string) => ({
  metadata: { namespace: 'default', name },
  spec: { containers: [{ ...podTemplate({}).spec.containers[0], resources: { requests: { cpu } } }] },
})

async function startWithQuota(
  t: Parameters<typeof startTestControlPlane>[0],
  hard: ResourceList,
  clock: Clock = systemClock,
) {
  const plane = await startTestControlPlane(t)
  const { client, run } = plane
  await run(context => [startResourceQuotaController(context)], clock)
  await client.create(resources.resourceQuotas, { metadata: QUOTA, spec: { hard } })
  return {
    ...plane,
    uses: (used: ResourceList) =>
      eventually(async () => assert.deepEqual((await client.get(resources.resourceQuotas, QUOTA)).status.used, used)),
  }
}

test('what is there is counted, and no more when it goes or is over', async t => {
  const hard = { pods: '3', 'count/pods': '5', 'requests.cpu': '1', 'services.nodeports': '5' }
  const { client, uses } = await startWithQuota(t, hard)
  await uses({ pods: '0', 'count/pods': '0', 'requests.cpu': '0', 'services.nodeports': '0' })
  const first = await client.create(resources.pods, pod('a', '300m'))
  await client.create(resources.pods, pod('b', '500m'))
  const spec = { type: 'NodePort' as const, ports: [{ port: 80 }] }
  await client.create(resources.services, { metadata: { namespace: 'default', name: 's' }, spec })
  await uses({ pods: '2', 'count/pods': '2', 'requests.cpu': '800m', 'services.nodeports': '1' })
  await assert.rejects(
    client.create(resources.pods, pod('c', '300m')),
    /exceeded quota: quota, requested: requests.cpu=300m/,
  )
  await setPodStatus(client, first, { phase: 'Succeeded' })
  await uses({ pods: '1', 'count/pods': '2', 'requests.cpu': '500m', 'services.nodeports': '1' })
  await client.create(resources.pods, pod('c', '300m'))
  await client.delete(resources.pods, { namespace: 'default', name: 'b' }, { gracePeriodSeconds: 0 })
  const body = { spec: { type: 'ClusterIP' } }
  await client.patch(resources.services, { namespace: 'default', name: 's' }, { type: 'merge', body })
  await uses({ pods: '1', 'count/pods': '2', 'requests.cpu': '300m', 'services.nodeports': '0' })
})

test('another limit, and a status that somebody has changed', async t => {
  const { client, uses } = await startWithQuota(t, { configmaps: '1' })
  await uses({ configmaps: '0' })
  await client.create(resources.configMaps, { metadata: { namespace: 'default', name: 'a' } })
  const patch = (body: object, subresource?: string) =>
    client.patch(resources.resourceQuotas, QUOTA, { type: 'merge', body }, subresource ? { subresource } : {})
  await patch({ spec: { hard: { 'count/configmaps': '2', configmaps: null } } })
  await uses({ 'count/configmaps': '1' })
  await patch({ status: { hard: { 'count/configmaps': '7' } } }, 'status')
  await eventually(async () => {
    const { status } = await client.get(resources.resourceQuotas, QUOTA)
    assert.deepEqual(status.hard, { 'count/configmaps': '2' })
  })
})

test('custom resources are counted, also those that are defined later', async t => {
  const { client, uses } = await startWithQuota(t, { 'count/widgets.example.com': '2', secrets: '1' })
  await uses({ secrets: '0' })
  const widgets = await defineWidgets(client)
  await uses({ 'count/widgets.example.com': '0', secrets: '0' })
  await client.create(widgets, { metadata: { namespace: 'default', name: 'a' } })
  await client.create(widgets, { metadata: { namespace: 'default', name: 'b' } })
  const third = client.create(widgets, { metadata: { namespace: 'default', name: 'c' } })
  await assert.rejects(third, /used: count\/widgets.example.com=2, limited: count\/widgets.example.com=2/)
  await client.delete(widgets, { namespace: 'default', name: 'a' })
  await uses({ 'count/widgets.example.com': '1', secrets: '0' })
})

test('what nobody tells is found after a while', async t => {
  const clock = new VirtualClock(systemClock.now())
  const { client, uses } = await startWithQuota(t, { configmaps: '3' }, clock)
  await uses({ configmaps: '0' })
  const body = { status: { used: { configmaps: '2' } } }
  await client.patch(resources.resourceQuotas, QUOTA, { type: 'merge', body }, { subresource: 'status' })
  await eventually(async () => {
    await clock.advance(60_000)
    assert.equal((await client.get(resources.resourceQuotas, QUOTA)).status.used?.configmaps, '0')
  })
})

async function defineWidgets(client: TestControlPlane['client']): Promise<Resource> {
  const type: Resource = {
    ...(resources.configMaps as Resource),
    group: 'example.com',
    resource: 'widgets',
    singular: 'widget',
    kind: 'Widget',
    type: 'example.com/v1.Widget',
  }
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  await client.create(resources.customResourceDefinitions, {
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  })
  return type
}
