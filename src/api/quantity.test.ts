import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../base/index.ts'
import { canonicalQuantity, formatQuantity, parseQuantity, quantity } from './quantity.ts'

const written = (text: string) => formatQuantity(parseQuantity(text))

test('amounts are written in the one way', () => {
  const cases: [string, string][] = [
    ['0', '0'],
    ['0m', '0'],
    ['0Ki', '0'],
    ['100m', '100m'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['1.', '1'],
    ['1.5Gi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['1025Mi', '1025Mi'],
    ['1Ki', '1Ki'],
    ['0.5Ki', '512'],
    ['1500', '1500'],
    ['15000', '15k'],
    ['1e3', '1e3'],
    ['10e2', '1e3'],
    ['1E', '1E'],
    ['1E3', '1e3'],
    ['12e-1', '1200e-3'],
    ['-1.5', '-1500m'],
    ['+1', '1'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['-0.1n', '-1n'],
    ['1u', '1u'],
    ['1.5Ki', '1536'],
    ['0.1Ki', '102400m'],
    ['1048577', '1048577'],
    ['100Ei', '9223372036854775807'],
    ['123.456', '123456m'],
    ['.', '0'],
    ['Ki', '0'],
  ]
  for (const [text, expected] of cases) assert.equal(written(text), expected, text)
})

test("what is no quantity is refused in upstream's words", () => {
  const format = /^quantities must match the regular expression/
  for (const text of ['', 'x', '1x', '1..2', '1 ', '1e3x', '1.2.3', '1Ki1x'])
    assert.throws(() => parseQuantity(text), { message: format }, text)
  for (const text of ['1mm', '--1', '1e', '1K', '1Kim', '1eE3', '1e99999999999'])
    assert.throws(() => parseQuantity(text), { message: "unable to parse quantity's suffix" }, text)
})

test('an object keeps the texts that upstream takes for canonical', () => {
  const cases: [string, string][] = [
    ['+1', '+1'],
    ['01', '01'],
    ['1.500', '1.500'],
    ['1.5', '1500m'],
    ['1E3', '1E3'],
    ['100e3', '100e3'],
    ['1000', '1k'],
    ['0.500', '500m'],
    ['1024Ki', '1Mi'],
    ['1001Ki', '1001Ki'],
    ['128974848', '128974848'],
    ['129e6', '129e6'],
    ['129M', '129M'],
    ['123Mi', '123Mi'],
    ['8Gi', '8Gi'],
    ['00', '0'],
  ]
  for (const [text, expected] of cases) assert.equal(canonicalQuantity(text), expected, text)
})

test('value and milliValue round away from zero', () => {
  assert.equal(quantity.value('1001m'), 2)
  assert.equal(quantity.value('-1001m'), -2)
  assert.equal(quantity.value('1Ki'), 1024)
  assert.equal(quantity.milliValue('0.0001'), 1)
  assert.equal(quantity.milliValue('2'), 2000)
})

test('the sum is written as the first of the two, unless that is zero', () => {
  assert.equal(formatQuantity(quantity.add('1Gi', '1G')), '2073741824')
  assert.equal(formatQuantity(quantity.add('1Gi', '1Gi')), '2Gi')
  assert.equal(formatQuantity(quantity.add('0', '1Gi')), '1Gi')
  assert.equal(formatQuantity(quantity.subtract('1', '250m')), '750m')
})

test('random amounts keep their value and their text, and add and compare as numbers do', () => {
  const random = seededRandom(7)
  const suffixes = ['', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'e-2']
  const amount = () => {
    const digits = String(Math.floor(random.next() * 10 ** Math.ceil(random.next() * 6)))
    const fraction = random.next() < 0.3 ? `.${Math.floor(random.next() * 1000)}` : ''
    return `${random.next() < 0.2 ? '-' : ''}${digits}${fraction}${suffixes[Math.floor(random.next() * suffixes.length)]}`
  }
  for (let round = 0; round < 5000; round++) {
    const [a, b] = [amount(), amount()]
    const canonical = written(a)
    assert.equal(quantity.compare(a, canonical), 0, `${a} as ${canonical}`)
    assert.equal(written(canonical), canonical, a)
    assert.equal(quantity.compare(canonicalQuantity(a), a), 0, a)
    assert.equal(canonicalQuantity(canonicalQuantity(a)), canonicalQuantity(a), a)
    assert.equal(quantity.compare(quantity.subtract(quantity.add(a, b), b), a), 0, `${a} + ${b}`)
    assert.equal(quantity.compare(a, b), -quantity.compare(b, a) + 0, `${a} against ${b}`)
  }
})
