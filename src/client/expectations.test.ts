import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../base/index.ts'
import { Expectations } from './expectations.ts'

test('what was asked for is awaited until it is seen', () => {
  const expectations = new Expectations(new VirtualClock())
  assert(expectations.satisfied('web'))
  expectations.expectCreations('web', 2)
  expectations.creationObserved('web')
  assert(!expectations.satisfied('web'))
  expectations.creationObserved('web')
  assert(expectations.satisfied('web'))
})

test('a deletion that is seen twice counts once', () => {
  const expectations = new Expectations(new VirtualClock())
  expectations.expectDeletions('web', ['default/a', 'default/b'])
  expectations.deletionObserved('web', 'default/a')
  expectations.deletionObserved('web', 'default/a')
  assert(!expectations.satisfied('web'))
  expectations.deletionObserved('web', 'default/b')
  assert(expectations.satisfied('web'))
})

test('what never comes is given up after five minutes', async () => {
  const clock = new VirtualClock()
  const expectations = new Expectations(clock)
  expectations.expectCreations('web', 1)
  await clock.advance(5 * 60_000)
  assert(!expectations.satisfied('web'))
  await clock.advance(1)
  assert(expectations.satisfied('web'))
})
