import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock } from '../../base/index.ts'
import type { Context } from './context.ts'
import { InFlight, TooMany } from './in-flight.ts'

const from = (...groups: string[]) => ({ user: { name: 'u', groups } }) as unknown as Context

describe('requests in flight', () => {
  it('are as many as each kind may have', () => {
    const inFlight = new InFlight({ reading: 1, writing: 1, fair: false }, new VirtualClock())
    const [read, write] = [from(), from()]
    inFlight.enter(read, false)
    inFlight.enter(write, true)
    assert.throws(() => inFlight.enter(from(), false), TooMany)
    assert.throws(() => inFlight.enter(from(), true), TooMany)
    inFlight.enter(from('system:masters'), true)
    inFlight.leave(read)
    inFlight.leave(from())
    inFlight.enter(from(), false)
  })

  it('wait for their turn where that is fair, and not for ever', async () => {
    const clock = new VirtualClock()
    const inFlight = new InFlight({ reading: 1, writing: 0, fair: true }, clock)
    const first = from()
    inFlight.enter(first, false)
    const second = inFlight.enter(from(), true)
    const third = inFlight.enter(from(), false)
    inFlight.leave(first)
    await second
    const late = assert.rejects(async () => third, TooMany)
    await clock.advance(20_000)
    await late
  })
})
