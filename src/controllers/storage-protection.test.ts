import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podTemplate, startTestControlPlane, steadily } from '../../test/support/controllers.ts'
import { eventually } from '../../test/support/eventually.ts'
import { is, type KubeObject, type Resource, resources } from '../api/index.ts'
import { startStorageProtection } from './storage-protection.ts'

test('what stores data stays until nobody uses it any more', async t => {
  const { client, run } = await startTestControlPlane(t)
  const namespace = 'default'
  const requests = { requests: { storage: '1Gi' } }
  const spec = { accessModes: ['ReadWriteOnce' as const], resources: requests, volumeAttributesClassName: 'fast' }
  await client.create(resources.volumeAttributesClasses, {
    metadata: { name: 'fast' },
    driverName: 'x',
    parameters: { a: 'b' },
  })
  await client.create(resources.persistentVolumeClaims, { metadata: { namespace, name: 'data' }, spec })
  await client.create(resources.persistentVolumes, {
    metadata: { name: 'disk' },
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/x' } },
  })
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]
  await client.create(resources.pods, {
    metadata: { namespace, name: 'user' },
    spec: { ...podTemplate({}).spec, nodeName: 'node', volumes },
  })
  const setPhase = (phase: string) =>
    client.patch(
      resources.persistentVolumes,
      { name: 'disk' },
      { type: 'merge', body: { status: { phase } } },
      { subresource: 'status' },
    )
  await setPhase('Bound')
  await run(context => [startStorageProtection(context)])

  const claim = { namespace, name: 'data' }
  const isThere = async <T extends KubeObject>(resource: Resource<T>, ref: { namespace?: string; name: string }) =>
    client.get(resource, ref).then(
      () => true,
      error => {
        if (is(error, 'NotFound')) return false
        throw error
      },
    )
  const gone = async <T extends KubeObject>(resource: Resource<T>, ref: { namespace?: string; name: string }) =>
    eventually(async () => assert.equal(await isThere(resource, ref), false))

  await client.delete(resources.persistentVolumeClaims, claim)
  await client.delete(resources.persistentVolumes, { name: 'disk' })
  await client.delete(resources.volumeAttributesClasses, { name: 'fast' })
  await steadily(async () => {
    assert(await isThere(resources.persistentVolumeClaims, claim), 'a pod on a node has it')
    assert(await isThere(resources.persistentVolumes, { name: 'disk' }), 'a claim has it')
    assert(await isThere(resources.volumeAttributesClasses, { name: 'fast' }), 'a claim names it')
  })
  await setPhase('Released')
  await gone(resources.persistentVolumes, { name: 'disk' })
  await client.delete(resources.pods, { namespace, name: 'user' }, { gracePeriodSeconds: 0 })
  await gone(resources.persistentVolumeClaims, claim)
  await gone(resources.volumeAttributesClasses, { name: 'fast' })
})
