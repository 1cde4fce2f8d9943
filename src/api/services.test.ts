import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type core, type discovery, isHeadless, serviceKeys } from './index.ts'

test('an EndpointSlice belongs to the Service that its label names', () => {
  const slice = (labels?: Record<string, string>) =>
    ({ metadata: { namespace: 'shop', name: 'web-x7', labels } }) as unknown as discovery.EndpointSlice
  assert.deepEqual(serviceKeys(slice({ 'kubernetes.io/service-name': 'web' })), ['shop/web'])
  assert.deepEqual(serviceKeys(slice({ app: 'web' })), [])
  assert.deepEqual(serviceKeys(slice()), [])
})

test('a headless Service says so in the place of its address', () => {
  assert.ok(isHeadless({ spec: { clusterIP: 'None' } } as core.Service))
  assert.ok(!isHeadless({ spec: { clusterIP: '10.96.0.5' } } as core.Service))
  assert.ok(!isHeadless({ spec: {} } as core.Service))
})
