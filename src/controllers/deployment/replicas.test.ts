import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { apps } from '../../api/index.ts'
import { limitsOf, newReplicas, oldReplicas, proportionalReplicas } from './replicas.ts'
import { templateHash } from './revisions.ts'

const deployment = (replicas: number, maxSurge: number | string, maxUnavailable: number | string) =>
  ({
    spec: { replicas, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } },
    status: {},
  }) as apps.Deployment

const replicaSet = (name: string, replicas: number, availableReplicas = replicas) =>
  ({ metadata: { name }, spec: { replicas }, status: { replicas, availableReplicas } }) as apps.ReplicaSet

test('percentages are rounded up for the surge and down for what may be missing; a rollout can always move', () => {
  assert.deepEqual(limitsOf(deployment(10, '25%', '25%')), { maxSurge: 3, maxUnavailable: 2 })
  assert.deepEqual(limitsOf(deployment(1, '25%', '25%')), { maxSurge: 1, maxUnavailable: 0 })
  assert.deepEqual(limitsOf(deployment(3, 0, 0)), { maxSurge: 0, maxUnavailable: 1 })
  assert.deepEqual(limitsOf(deployment(2, 0, 5)), { maxSurge: 0, maxUnavailable: 2 })
})

test('the new one grows into the surge', () => {
  assert.equal(newReplicas(deployment(10, 3, 2), [replicaSet('old', 10)], 0), 3)
  assert.equal(newReplicas(deployment(10, 3, 2), [replicaSet('old', 8), replicaSet('new', 5)], 5), 5)
  assert.equal(newReplicas(deployment(10, 30, 2), [replicaSet('old', 10)], 0), 10)
})

test('old ones shrink as far as enough pods stay available, those that are not available first', () => {
  const sizes = (scalings: ReturnType<typeof oldReplicas>) =>
    scalings.map(({ replicaSet, replicas }) => [replicaSet.metadata.name, replicas])
  const ten = deployment(10, 3, 2)
  assert.deepEqual(sizes(oldReplicas(ten, replicaSet('new', 3, 0), [replicaSet('old', 10)])), [['old', 8]])
  assert.deepEqual(sizes(oldReplicas(ten, replicaSet('new', 5, 0), [replicaSet('old', 8)])), [])
  assert.deepEqual(sizes(oldReplicas(ten, replicaSet('new', 5, 3), [replicaSet('old', 8)])), [['old', 5]])
  const twoOld = [replicaSet('older', 5, 5), replicaSet('broken', 5, 0)]
  assert.deepEqual(sizes(oldReplicas(ten, replicaSet('new', 3, 3), twoOld)), [['broken', 0]])
})

test('a change of size is shared in proportion, and what rounding leaves goes to the largest', () => {
  const before = () => 10
  const active = [replicaSet('a', 8), replicaSet('b', 2)]
  const sizes = (wanted: number) =>
    proportionalReplicas(deployment(wanted, 0, 1), active, before).map(each => each.replicas)
  assert.deepEqual(sizes(20), [16, 4])
  assert.deepEqual(sizes(5), [4, 1])
  assert.deepEqual(sizes(13), [10, 3])
  assert.deepEqual(sizes(0), [0, 0])
})

test('the hash of a template does not depend on the order of its fields, nor on an earlier hash', () => {
  const template = (labels: object) => ({ metadata: { labels }, spec: { containers: [{ name: 'a', image: 'b' }] } })
  const hash = (labels: object, collisions?: number) => templateHash(template(labels) as never, collisions)
  assert.equal(hash({ a: '1', b: '2' }), hash({ b: '2', a: '1' }))
  assert.equal(hash({ a: '1' }), hash({ a: '1', 'pod-template-hash': 'x' }))
  assert.notEqual(hash({ a: '1' }), hash({ a: '2' }))
  assert.notEqual(hash({ a: '1' }), hash({ a: '1' }, 1))
  assert.match(hash({ a: '1' }), /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/)
})
