import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../base/index.ts'
import { exponentialRateLimiter, WorkQueue } from './work-queue.ts'

test('a key that waits is not added twice, and keys come in order', async () => {
  const queue = new WorkQueue(new VirtualClock())
  for (const key of ['a', 'b', 'a']) queue.add(key)
  assert.equal(queue.length, 2)
  assert.equal(await queue.get(), 'a')
  assert.equal(await queue.get(), 'b')
  assert.equal(queue.length, 0)
})

test('a key that is added while it is worked on comes again, and only then', async () => {
  const queue = new WorkQueue(new VirtualClock())
  queue.add('a')
  assert.equal(await queue.get(), 'a')
  queue.add('a')
  queue.add('a')
  assert.equal(queue.length, 0)
  queue.done('a')
  assert.equal(queue.length, 1)
  assert.equal(await queue.get(), 'a')
  queue.done('a')
  assert.equal(queue.length, 0)
})

test('a worker that waits gets the key at once', async () => {
  const queue = new WorkQueue(new VirtualClock())
  const key = queue.get()
  queue.add('a')
  assert.equal(await key, 'a')
  queue.add('a')
  assert.equal(queue.length, 0, 'it is being worked on')
})

test('of several moments for a key the earliest counts', async () => {
  const clock = new VirtualClock()
  const queue = new WorkQueue(clock)
  queue.addAfter('a', 1000)
  queue.addAfter('a', 100)
  queue.addAfter('a', 500)
  await clock.advance(99)
  assert.equal(queue.length, 0)
  await clock.advance(1)
  assert.equal(await queue.get(), 'a')
  queue.done('a')
  await clock.advance(2000)
  assert.equal(queue.length, 0)
})

test('failures double the wait up to the longest, until the key is forgotten', () => {
  const limiter = exponentialRateLimiter()
  const waits = Array.from({ length: 20 }, () => limiter.when('a'))
  assert.deepEqual(waits.slice(0, 4), [5, 10, 20, 40])
  assert.equal(waits.at(-1), 1_000_000)
  assert.equal(limiter.failures('a'), 20)
  limiter.forget('a')
  assert.equal(limiter.when('a'), 5)
})

test('closing frees the workers and the timers', async () => {
  const clock = new VirtualClock()
  const queue = new WorkQueue(clock)
  const worker = queue.get()
  queue.addAfter('a', 10)
  queue.close()
  assert.equal(await worker, undefined)
  await clock.advance(20)
  assert.equal(await queue.get(), undefined)
})
