import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../base/index.ts'
import { Heap } from './heap.ts'

test('what comes out is sorted, whatever went in and was taken out between', () => {
  const random = seededRandom(1)
  for (let round = 0; round < 50; round++) {
    const heap = new Heap<{ value: number }>((a, b) => a.value - b.value)
    const items = Array.from({ length: 40 }, () => ({ value: Math.floor(random.next() * 20) }))
    for (const item of items) heap.push(item)
    const removed = new Set(items.filter(() => random.next() < 0.3))
    for (const item of removed) assert.ok(heap.delete(item))
    for (const item of removed) assert.ok(!heap.delete(item))
    const out = Array.from({ length: heap.size }, () => heap.pop()!.value)
    const expected = items.filter(item => !removed.has(item)).map(({ value }) => value)
    assert.deepEqual(
      out,
      expected.toSorted((a, b) => a - b),
    )
    assert.equal(heap.pop(), undefined)
  }
})
