import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podTemplate, startTestControlPlane } from '../../test/support/controllers.ts'
import { eventually } from '../../test/support/eventually.ts'
import { is, resources } from '../api/index.ts'
import { VirtualClock } from '../base/index.ts'
import { startNamespaceController } from './namespace.ts'
import { startRootCaPublisher } from './root-ca.ts'
import { startServiceAccountController } from './serviceaccount.ts'

test('a namespace is emptied and goes', async t => {
  const { client, run } = await startTestControlPlane(t)
  await run(context => [startNamespaceController(context)])
  await client.create(resources.namespaces, { metadata: { name: 'doomed' } })
  const metadata = { namespace: 'doomed', name: 'thing' }
  await client.create(resources.serviceAccounts, { metadata: { namespace: 'doomed', name: 'default' } })
  await client.create(resources.configMaps, { metadata })
  await client.create(resources.secrets, { metadata })
  await client.create(resources.pods, { metadata, spec: podTemplate({}).spec })
  await client.delete(resources.namespaces, { name: 'doomed' })
  await eventually(() =>
    assert.rejects(client.get(resources.namespaces, { name: 'doomed' }), error => is(error, 'NotFound')),
  )
  assert.equal((await client.list(resources.secrets, { namespace: 'doomed' })).items.length, 0)
})

test('what holds a namespace up is told in its conditions', async t => {
  const { client, run } = await startTestControlPlane(t)
  const clock = new VirtualClock()
  await run(context => [startNamespaceController(context)], clock)
  await client.create(resources.namespaces, { metadata: { name: 'held' } })
  const ref = { namespace: 'held', name: 'thing' }
  await client.create(resources.configMaps, { metadata: { ...ref, finalizers: ['example.com/hold'] } })
  await client.delete(resources.namespaces, { name: 'held' })
  const conditions = await eventually(async () => {
    const { status } = await client.get(resources.namespaces, { name: 'held' })
    assert.equal(status.phase, 'Terminating')
    assert.equal(status.conditions?.length, 5)
    return new Map(status.conditions.map(each => [each.type, `${each.status} ${each.reason}: ${each.message}`]))
  })
  assert.equal(
    conditions.get('NamespaceContentRemaining'),
    'True SomeResourcesRemain: Some resources are remaining: configmaps. has 1 resource instances',
  )
  assert.equal(
    conditions.get('NamespaceFinalizersRemaining'),
    'True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
  )
  assert.match(conditions.get('NamespaceDeletionContentFailure') ?? '', /^False ContentDeleted/)
  await client.patch(resources.configMaps, ref, { type: 'merge', body: { metadata: { finalizers: null } } })
  await clock.advance(5000)
  await eventually(() => assert.rejects(client.get(resources.namespaces, { name: 'held' })))
})

test('every namespace has a ServiceAccount and the root certificate, again when they are deleted', async t => {
  const { client, run } = await startTestControlPlane(t)
  await run(context => [startServiceAccountController(context), startRootCaPublisher(context, 'THE CA')])
  await client.create(resources.namespaces, { metadata: { name: 'team' } })
  const account = { namespace: 'team', name: 'default' }
  const certificate = { namespace: 'team', name: 'kube-root-ca.crt' }
  await eventually(() => client.get(resources.serviceAccounts, account))
  const { data } = await eventually(() => client.get(resources.configMaps, certificate))
  assert.deepEqual(data, { 'ca.crt': 'THE CA' })

  await client.delete(resources.serviceAccounts, account)
  await client.patch(resources.configMaps, certificate, { type: 'merge', body: { data: { 'ca.crt': 'FORGED' } } })
  await eventually(() => client.get(resources.serviceAccounts, account))
  await eventually(async () => {
    assert.deepEqual((await client.get(resources.configMaps, certificate)).data, { 'ca.crt': 'THE CA' })
  })
})
