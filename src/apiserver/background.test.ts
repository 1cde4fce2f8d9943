import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock } from '../base/index.ts'
import { Background } from './background.ts'

/** A background whose event loop is always busy, or never, and what has rested there. */
function prepare(busy: boolean) {
  const clock = new VirtualClock()
  const background = new Background(clock, () => (busy ? 0 : clock.monotonic()))
  const rest = (worked: number) => {
    const state = { over: false }
    background.rest(worked).then(() => {
      state.over = true
    })
    return state
  }
  return { clock, rest }
}

describe('background', () => {
  it('leaves most of the time to others who want it', async () => {
    const { clock, rest } = prepare(true)
    const long = rest(10)
    await clock.advance(100)
    assert.ok(!long.over)
    await clock.advance(110)
    assert.ok(long.over)
  })

  it('goes on when nobody wants the time', async () => {
    const { clock, rest } = prepare(false)
    const long = rest(10)
    await clock.advance(5)
    assert.ok(long.over)
  })

  it('lets a little work pass, and counts it', async () => {
    const { clock, rest } = prepare(true)
    for (let count = 0; count < 3; count++) {
      const short = rest(1)
      await clock.advance(0)
      assert.ok(short.over)
    }
    const last = rest(1)
    await clock.advance(1)
    assert.ok(!last.over)
    await clock.advance(90)
    assert.ok(last.over)
  })

  it('gives all long answers together one share', async () => {
    const { clock, rest } = prepare(true)
    const answers = [rest(10), rest(10)]
    await clock.advance(200)
    assert.deepEqual(
      answers.map(({ over }) => over),
      [false, false],
    )
    await clock.advance(210)
    assert.deepEqual(
      answers.map(({ over }) => over),
      [true, true],
    )
  })
})
