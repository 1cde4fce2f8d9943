import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bool, bytes, int, ints, list, message, string, stringMap, strings, sub } from './protobuf.ts'

const Inner = message({ name: string(1), size: int(2) })
const Outer = message({
  text: string(1),
  flag: bool(2),
  number: int(3),
  inner: sub(4, Inner),
  inners: list(5, Inner),
  words: strings(6),
  numbers: ints(7),
  map: stringMap(8),
  raw: bytes(16),
})

test('what is encoded is decoded again', () => {
  const value = {
    text: 'grüße',
    flag: true,
    number: 1_795_444_777_046_000_000,
    inner: { name: 'a', size: 2 },
    inners: [
      { name: 'b', size: 0 },
      { name: '', size: 300 },
    ],
    words: ['x', ''],
    numbers: [0, 1, 70_000],
    map: { key: 'value', empty: '' },
    raw: Buffer.from([0, 255]),
  }
  assert.deepEqual(Outer.decode(Outer.encode(value)), value)
})

test('what is left out has the default of proto3', () => {
  assert.equal(Outer.encode({ text: '', flag: false, number: 0 }).length, 0)
  const empty = Outer.decode(new Uint8Array())
  assert.equal(empty.inner, undefined)
  assert.deepEqual([empty.text, empty.flag, empty.number, empty.words, empty.map], ['', false, 0, [], {}])
})

test('the bytes are those of other implementations', () => {
  assert.equal(Buffer.from(Inner.encode({ name: 'hi', size: 300 })).toString('hex'), '0a02686910ac02')
  assert.equal(Buffer.from(Inner.encode({ size: -1 })).toString('hex'), '10ffffffffffffffffff01')
  assert.equal(Inner.decode(Buffer.from('10ffffffffffffffffff01', 'hex')).size, -1)
})

test('unknown fields and fields of another kind are passed over, and packed numbers are read', () => {
  const Other = message({ name: int(1), extra: string(9), size: int(2) })
  const decoded = Inner.decode(Other.encode({ name: 5, extra: 'x', size: 7 }))
  assert.deepEqual(decoded, { name: '', size: 7 })
  assert.deepEqual(Outer.decode(Buffer.from('3a03000102', 'hex')).numbers, [0, 1, 2])
})

test('bytes that end too soon are refused', () => {
  assert.throws(() => Inner.decode(Buffer.from('0a05686900', 'hex')), RangeError)
})
