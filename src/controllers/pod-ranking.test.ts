import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type core, formatTime } from '../api/index.ts'
import { inDeletionOrder } from './pod-ranking.ts'

const NOW = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000

interface Traits {
  node?: string
  phase?: string
  ready?: boolean
  cost?: number
  readyFor?: number
  age?: number
  restarts?: number
}

function pod(name: string, traits: Traits): core.Pod {
  const { node = 'a', phase = 'Running', ready = true, cost, readyFor = HOUR, age = HOUR, restarts = 0 } = traits
  const annotations = cost === undefined ? undefined : { 'controller.kubernetes.io/pod-deletion-cost': String(cost) }
  return {
    metadata: { name, uid: name, annotations, creationTimestamp: formatTime(NOW - age) },
    spec: { nodeName: node },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: formatTime(NOW - readyFor) }],
      containerStatuses: [{ restartCount: restarts }],
    },
  } as unknown as core.Pod
}

/** Each pair differs in one trait only: the first goes first. */
const PAIRS: [string, Traits, Traits][] = [
  ['one without a node', { node: '', cost: 9 }, { phase: 'Pending', ready: false }],
  ['a pending one', { phase: 'Pending', ready: false, cost: 9 }, { ready: false }],
  ['one that is not ready', { ready: false, cost: 9 }, {}],
  ['the one of lower cost', { cost: -1 }, { node: 'crowded' }],
  ['one with neighbours', { node: 'crowded' }, { readyFor: 1000 }],
  ['the one that is ready for a shorter time', { readyFor: 1000 }, { restarts: 5 }],
  ['the one that restarted more often', { restarts: 5 }, { age: 1000 }],
  ['the younger one', { age: 1000 }, {}],
]

for (const [what, first, second] of PAIRS) {
  test(`${what} is given up first`, () => {
    const neighbours = ({ spec }: core.Pod) => (spec.nodeName === 'crowded' ? 3 : 1)
    const order = inDeletionOrder([pod('a-stays', second), pod('b-goes', first)], neighbours, NOW)
    assert.deepEqual(
      order.map(({ metadata }) => metadata.name),
      ['b-goes', 'a-stays'],
    )
  })
}

test('ages of the same magnitude do not decide', () => {
  const order = inDeletionOrder([pod('b', { age: 80 * HOUR }), pod('a', { age: 90 * HOUR })], () => 1, NOW)
  assert.deepEqual(
    order.map(({ metadata }) => metadata.name),
    ['a', 'b'],
  )
})
