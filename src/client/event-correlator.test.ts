import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '../api/index.ts'
import { VirtualClock } from '../base/index.ts'
import { EventCorrelator } from './event-correlator.ts'

let serial = 0
const event = (message: string, object = 'web-1') =>
  ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${object}.${serial++}`, namespace: 'default' },
    involvedObject: { kind: 'Pod', namespace: 'default', name: object, uid: object },
    reason: 'Failed',
    message,
    type: 'Warning',
    source: { component: 'kubelet' },
  }) as core.Event

test('the same event again raises the count of the first', () => {
  const correlator = new EventCorrelator(new VirtualClock())
  const first = correlator.correlate(event('no image'))
  assert.equal(first?.exists, false)
  const second = correlator.correlate(event('no image'))
  assert.equal(second?.exists, true)
  assert.equal(second?.event.metadata.name, first?.event.metadata.name)
  assert.equal(second?.event.count, 2)
  correlator.forget(second!.event)
  assert.equal(correlator.correlate(event('no image'))?.exists, false)
})

test('many that differ only in their message are combined', () => {
  const correlator = new EventCorrelator(new VirtualClock())
  const messages = Array.from({ length: 12 }, (_, i) => correlator.correlate(event(`try ${i}`))!)
  assert.equal(messages[8]?.event.message, 'try 8')
  assert.equal(messages[9]?.event.message, '(combined from similar events): try 9')
  assert.equal(messages[11]?.exists, true)
  assert.equal(messages[11]?.event.count, 3)
})

test('one object may make 25 events at once and then one every five minutes; another has its own', async () => {
  const clock = new VirtualClock()
  const correlator = new EventCorrelator(clock)
  const accepted = () => correlator.correlate(event('again')) !== undefined
  assert.equal(Array.from({ length: 30 }, accepted).filter(Boolean).length, 25)
  assert(correlator.correlate(event('again', 'web-2')))
  await clock.advance(5 * 60_000)
  assert(accepted())
  assert(!accepted())
})
