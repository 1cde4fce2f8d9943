import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isConditionTrue, isPodActive, isPodReady, isPodTerminal, podTotal, withCondition } from './index.ts'
import type { core } from './types/index.ts'

const pod = (status: Partial<core.PodStatus>, deletionTimestamp?: string) =>
  ({ metadata: { deletionTimestamp }, status }) as core.Pod

test('ready, terminal, active', () => {
  assert.ok(isPodReady(pod({ conditions: [{ type: 'Ready', status: 'True' }] as core.PodCondition[] })))
  assert.ok(!isPodReady(pod({ conditions: [{ type: 'Ready', status: 'Unknown' }] as core.PodCondition[] })))
  assert.ok(!isPodReady(pod({})))
  assert.ok(isPodTerminal(pod({ phase: 'Failed' })))
  assert.ok(!isPodTerminal(pod({ phase: 'Unknown' })))
  assert.ok(isPodActive(pod({ phase: 'Pending' })))
  assert.ok(!isPodActive(pod({ phase: 'Succeeded' })))
  assert.ok(!isPodActive(pod({ phase: 'Running' }, '2026-01-02T03:04:05Z')))
})

test('a condition replaces the one of its type, and keeps its moment while its status stays', () => {
  const first = { type: 'A', status: 'True', reason: 'x', lastTransitionTime: '1' }
  const other = { type: 'B', status: 'True', reason: 'y', lastTransitionTime: '1' }
  const same = withCondition([first, other], { ...first, reason: 'z', lastTransitionTime: '2' })
  assert.deepEqual(same, [{ ...first, reason: 'z' }, other])
  const changed = withCondition(same, { ...first, status: 'False', lastTransitionTime: '3' })
  assert.equal(changed[0]?.lastTransitionTime, '3')
  assert.ok(!isConditionTrue(changed, 'A'))
  assert.deepEqual(withCondition(undefined, first), [first])
})

test('a pod takes what runs together, or the largest moment of its start', () => {
  type Amount = core.Container & { amount: number }
  const of = (amount: number, sidecar = false) =>
    ({ amount, ...(sidecar ? { restartPolicy: 'Always' } : {}) }) as Amount
  const total = (initContainers: Amount[], ...containers: Amount[]) =>
    podTotal({ containers, initContainers }, container => (container as Amount).amount)
  assert.equal(total([], of(1), of(2)), 3)
  assert.equal(total([of(5), of(4)], of(1), of(2)), 5)
  assert.equal(total([of(2, true), of(4)], of(1)), 6)
  assert.equal(total([of(4), of(2, true)], of(1)), 4)
  assert.equal(total([of(4), of(2, true), of(3, true)], of(1)), 6)
})
