import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration, formatMicroTime, formatTime, parseDuration, parseTime } from './time.ts'

test('times', () => {
  const moment = Date.UTC(2026, 1, 3, 4, 5, 6, 789)
  assert.equal(formatTime(moment), '2026-02-03T04:05:06Z')
  assert.equal(formatMicroTime(moment), '2026-02-03T04:05:06.789000Z')
  assert.equal(formatMicroTime(moment + 0.25), '2026-02-03T04:05:06.789250Z')
  assert.equal(parseTime('2026-02-03T04:05:06.789Z'), moment)
  assert.equal(parseTime('2026-02-03T05:35:06.789+01:30'), moment)
  for (const text of ['2026-02-30T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01', '2026-1-1T00:00:00Z', 'now', ''])
    assert.ok(Number.isNaN(parseTime(text)), text)
})

test('microseconds survive', () => {
  for (const text of ['2026-01-02T03:04:05.000001Z', '2026-01-02T03:04:05.123457Z', '2026-12-31T23:59:59.999999Z'])
    assert.equal(formatMicroTime(parseTime(text)), text)
})

test('durations', () => {
  const cases: [string, number, string][] = [
    ['1h15m30.5s', 4_530_500, '1h15m30.5s'],
    ['300ms', 300, '300ms'],
    ['-1.5h', -5_400_000, '-1h30m0s'],
    ['0', 0, '0s'],
    ['10s', 10_000, '10s'],
    ['2us', 0.002, '2µs'],
    ['1m', 60_000, '1m0s'],
  ]
  for (const [text, milliseconds, shown] of cases) {
    assert.equal(parseDuration(text), milliseconds, text)
    assert.equal(formatDuration(milliseconds), shown, text)
  }
  for (const text of ['', '1', '1d', 's', '1h-2m', '.s']) assert.ok(Number.isNaN(parseDuration(text)), text)
})
