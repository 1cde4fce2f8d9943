import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger, VirtualClock } from '../base/index.ts'
import { type Source, startController } from './controller.ts'

function hand(synced: Promise<void> = Promise.resolve()) {
  let enqueue = (_key: string) => {}
  let ended = false
  const source: Source = {
    synced,
    start(given) {
      enqueue = given
      return () => {
        ended = true
      }
    },
  }
  return { source, add: (key: string) => enqueue(key), ended: () => ended }
}

test('nothing is reconciled before all sources are synced', async t => {
  const clock = new VirtualClock()
  const seen: string[] = []
  let sync = () => {}
  const { source, add } = hand(new Promise(resolve => (sync = resolve)))
  const controller = startController({
    name: 'test',
    sources: [source],
    clock,
    log: silentLogger,
    reconcile: async key => void seen.push(key),
  })
  t.after(() => controller.stop())
  add('a')
  await clock.advance(1000)
  assert.deepEqual(seen, [])
  sync()
  await clock.advance(0)
  assert.deepEqual(seen, ['a'])
})

test('a failure is tried again with growing waits, and `after` asks for another look', async t => {
  const clock = new VirtualClock()
  const moments: number[] = []
  const { source, add } = hand()
  const controller = startController({
    name: 'test',
    sources: [source],
    clock,
    log: silentLogger,
    async reconcile() {
      moments.push(clock.monotonic())
      if (moments.length < 4) throw new Error('not yet')
      if (moments.length === 4) return { after: 1000 }
    },
  })
  t.after(() => controller.stop())
  add('a')
  await clock.advance(5000)
  assert.deepEqual(moments, [0, 5, 15, 35, 1035])
})

test('no more keys at a time than workers, and never one key twice', async t => {
  const clock = new VirtualClock()
  const working = new Set<string>()
  let most = 0
  const { source, add } = hand()
  const controller = startController({
    name: 'test',
    workers: 2,
    sources: [source],
    clock,
    log: silentLogger,
    async reconcile(key) {
      assert(!working.has(key))
      working.add(key)
      most = Math.max(most, working.size)
      await clock.sleep(10)
      working.delete(key)
    },
  })
  t.after(() => controller.stop())
  for (const key of ['a', 'b', 'c', 'a']) add(key)
  await clock.advance(5)
  add('a')
  await clock.advance(100)
  assert.equal(most, 2)
})

test('a reconcile that takes too long is aborted and tried again', async t => {
  const clock = new VirtualClock()
  let calls = 0
  const { source, add } = hand()
  const controller = startController({
    name: 'test',
    timeout: 100,
    sources: [source],
    clock,
    log: silentLogger,
    async reconcile(_key, signal) {
      if (calls++ === 0) await clock.sleep(1e9, signal)
    },
  })
  t.after(() => controller.stop())
  add('a')
  await clock.advance(99)
  assert.equal(calls, 1)
  await clock.advance(10)
  assert.equal(calls, 2)
})

test('stop aborts what runs and lets go of the sources', async () => {
  const clock = new VirtualClock()
  const { source, add, ended } = hand()
  const controller = startController({
    name: 'test',
    sources: [source],
    clock,
    log: silentLogger,
    reconcile: (_key, signal) => clock.sleep(1e9, signal),
  })
  add('a')
  await clock.advance(1)
  await controller.stop()
  assert(ended())
})
