import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { warningHeaders } from './warnings.ts'

const sizes = (texts: string[]) => warningHeaders(texts).map(({ length }) => length - '299 - ""'.length)

describe('warnings', () => {
  it('are told once each, and quoted', () => {
    assert.deepEqual(warningHeaders(['a', 'b "c" \\', 'a', '']), ['299 - "a"', '299 - "b \\"c\\" \\\\"'])
  })

  it('are left out when no header can carry them', () => {
    assert.deepEqual(warningHeaders(['two\nlines', '\u0001', 'fine']), ['299 - "fine"'])
  })

  it('are bytes of UTF-8', () => {
    assert.equal(Buffer.from(warningHeaders(['☃'])[0]!, 'latin1').toString(), '299 - "☃"')
  })

  it('are cut when there is too much of them, and then end', () => {
    assert.deepEqual(sizes(['x'.repeat(4096)]), [4096])
    assert.deepEqual(sizes(['x'.repeat(4097)]), [256])
    const many = Array.from({ length: 30 }, (_, index) => `${index}-`.padEnd(300, 'y'))
    assert.deepEqual(sizes(many), new Array(16).fill(256))
  })
})
