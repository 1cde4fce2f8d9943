import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../base/index.ts'
import { Backoffs, RestartBackoff } from './backoff.ts'

const SECOND = 1000

test('restarts: at once, then 10 s after the end, doubling to 5 minutes', () => {
  const backoff = new RestartBackoff()
  let now = 0
  const waits: number[] = []
  for (let restart = 0; restart < 8; restart++) {
    const wait = backoff.remaining('main', now, now)?.left ?? 0
    waits.push(wait / SECOND)
    now += wait
    assert.equal(backoff.remaining('main', now - wait, now), undefined)
    backoff.restarted('main', now - wait, now)
  }
  assert.deepEqual(waits, [0, 10, 20, 40, 80, 160, 300, 300])
})

test('a container that ran long enough begins anew', () => {
  const backoff = new RestartBackoff()
  backoff.restarted('main', 0, 0)
  assert.equal(backoff.remaining('main', 601 * SECOND, 601 * SECOND), undefined)
  backoff.restarted('main', 601 * SECOND, 601 * SECOND)
  assert.equal(backoff.remaining('main', 602 * SECOND, 602 * SECOND)?.wait, 10 * SECOND)
})

test('failures of a key', async () => {
  const clock = new VirtualClock()
  const backoffs = new Backoffs({ first: 10, most: 40 }, clock)
  assert.equal(backoffs.remaining('image'), undefined)
  assert.equal(backoffs.failed('image', 'no'), 10)
  assert.deepEqual(backoffs.remaining('image'), { wait: 10, message: 'no' })
  await clock.advance(10)
  assert.equal(backoffs.remaining('image'), undefined)
  assert.deepEqual([backoffs.failed('image'), backoffs.failed('image'), backoffs.failed('image')], [20, 40, 40])
  await clock.advance(81)
  assert.equal(backoffs.failed('image'), 10)
})
