import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WireWriter } from './wire-writer.ts'

function written(write: (writer: WireWriter) => void, capacity?: number): string {
  const writer = new WireWriter(capacity)
  write(writer)
  return writer.finish().toString('hex')
}

describe('WireWriter', () => {
  it('writes the numbers of the format’s own guide', () => {
    assert.equal(
      written(writer => writer.varint(1, 150)),
      '089601',
    )
    assert.equal(
      written(writer => writer.string(2, 'testing')),
      '120774657374696e67',
    )
    assert.equal(
      written(writer => writer.message(3, () => writer.varint(1, 150))),
      '1a03089601',
    )
  })

  it('writes integers of every size, negative ones as 64 bits', () => {
    const value = (number: number | bigint | boolean) => written(writer => writer.varint(1, number)).slice(2)
    assert.equal(value(0), '00')
    assert.equal(value(true), '01')
    assert.equal(value(127), '7f')
    assert.equal(value(128), '8001')
    assert.equal(value(2 ** 31), '8080808008')
    assert.equal(value(Number.MAX_SAFE_INTEGER), 'ffffffffffffff0f')
    assert.equal(value(-1), 'ffffffffffffffffff01')
    assert.equal(value(2n ** 63n - 1n), 'ffffffffffffffff7f')
    assert.equal(value(-(2n ** 63n)), '80808080808080808001')
  })

  it('writes doubles, bytes, and text by its bytes', () => {
    assert.equal(
      written(writer => writer.double(1, 1.5)),
      '09000000000000f83f',
    )
    assert.equal(
      written(writer => writer.bytes(16, Buffer.from([0, 255]))),
      '82010200ff',
    )
    assert.equal(
      written(writer => writer.string(1, 'ä€')),
      '0a05c3a4e282ac',
    )
  })

  it('refuses what is no number of a field', () => {
    for (const tag of [0, -1, 1.5, 2 ** 29])
      assert.throws(() => new WireWriter().varint(tag, 1), { name: 'RangeError' })
  })

  it('makes room for the lengths of long messages and for more than was guessed', () => {
    for (const size of [0, 124, 125, 126, 127, 128, 16_380, 16_384, 70_000]) {
      const text = 'x'.repeat(size)
      const hex = written(writer => {
        writer.message(1, () => {
          writer.message(2, () => writer.string(3, text))
          writer.varint(4, 5)
        })
        writer.varint(6, 7)
      }, 1)
      const inner = field(3, Buffer.from(text))
      const outer = Buffer.concat([field(2, inner), Buffer.from([4 << 3, 5])])
      assert.equal(hex, Buffer.concat([field(1, outer), Buffer.from([6 << 3, 7])]).toString('hex'))
    }
  })

  it('loses nothing where its memory ends', () => {
    for (let size = 0; size < 40; size++) {
      const body = Buffer.alloc(size, 1)
      const hex = written(writer => {
        writer.bytes(1, body)
        writer.message(2, () => writer.varint(3, 4))
      }, 1)
      assert.equal(hex, Buffer.concat([field(1, body), field(2, Buffer.from([3 << 3, 4]))]).toString('hex'))
    }
  })
})

/** One length-delimited field, from its definition. */
function field(tag: number, value: Buffer): Buffer {
  const length: number[] = []
  let rest = value.length
  for (; rest >= 0x80; rest >>= 7) length.push((rest & 0x7f) | 0x80)
  return Buffer.concat([Buffer.from([(tag << 3) | 2, ...length, rest]), value])
}
