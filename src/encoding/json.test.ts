import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../base/index.ts'
import { MAX_DEPTH, parseJson, SyntaxProblem } from './json.ts'
import { scanJson } from './scan.ts'

const parse = (text: string) => parseJson(Buffer.from(text))

test('faults have the texts of Go', () => {
  const cases: [string, string][] = [
    ['', 'unexpected end of JSON input'],
    ['  ', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{"a":', 'unexpected end of JSON input'],
    ['"a', 'unexpected end of JSON input'],
    ['nul', 'unexpected end of JSON input'],
    ['{"a":}', "invalid character '}' looking for beginning of value"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['"\n"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['01', "invalid character '1' after top-level value"],
    ['-a', "invalid character 'a' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['nule', "invalid character 'e' in literal null (expecting 'l')"],
    ['\ufeff{}', "invalid character 'ï' looking for beginning of value"],
    ['[😀]', "invalid character 'ð' looking for beginning of value"],
    ['<html>', "invalid character '<' looking for beginning of value"],
  ]
  for (const [text, message] of cases)
    assert.throws(
      () => parse(text),
      error => error instanceof SyntaxProblem && error.message === message,
      text,
    )
})

test('depth is bounded, and no text exhausts the stack', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  assert.doesNotThrow(() => parse(nested(MAX_DEPTH)))
  for (const text of [nested(MAX_DEPTH + 1), nested(1_000_000), '{"a":'.repeat(500_000), '['.repeat(2_000_000)])
    assert.throws(() => parse(text), SyntaxProblem)
})

test('what is no UTF-8 becomes the replacement character, as in Go', () => {
  assert.equal(parseJson(Buffer.from([0x22, 0x61, 0xff, 0x22])).value, 'a\ufffd')
  assert.equal(parse('"ü😀"').value, 'ü😀')
})

test('repeated keys are named', () => {
  assert.deepEqual(parse('{"a":1,"b":{"c":[{"d":1},{"d":1,"d":2}]},"a":2}').duplicates, ['b.c[1].d', 'a'])
  assert.deepEqual(parse('{"a":":::","b:":1}').duplicates, [])
  assert.deepEqual(parse('{"\\u0061":1,"a":2}').duplicates, ['a'])
  // A colon that is lost with the first value and one that its escape hides must not cancel out.
  assert.deepEqual(parse('{"a":1,"a":"\\u003a"}').duplicates, ['a'])
  assert.deepEqual(parse('{"__proto__":1,"__proto__":2}').duplicates, ['__proto__'])
})

test('random documents: what was repeated is found, and nothing else', () => {
  const random = seededRandom(5)
  const keys = ['a', 'b:', 'c"d', '', '__proto__', 'ü', 'e\n']
  const text = (depth: number): string => {
    const chance = random.next()
    if (depth === 0 || chance < 0.3)
      return ['1', '-0.5e3', '"x:y"', 'null', 'true', '"\\u003a"', '""'][Math.floor(random.next() * 7)]!
    const items = Array.from({ length: Math.floor(random.next() * 4) }, () => text(depth - 1))
    if (chance < 0.5) return `[${items.join(' , ')}]`
    return `{${items.map(item => `${JSON.stringify(keys[Math.floor(random.next() * keys.length)])} : ${item}`).join(',')}}`
  }
  let repeated = 0
  for (let round = 0; round < 3000; round++) {
    const document = text(4)
    const { value, duplicates } = parse(document)
    const slow = scanJson(document, MAX_DEPTH)
    assert.equal(slow.problem, undefined, document)
    assert.deepEqual(duplicates, slow.duplicates, document)
    assert.deepEqual(value, JSON.parse(document))
    assert.deepEqual(parse(JSON.stringify(value)).duplicates, [])
    if (duplicates.length) repeated++
  }
  assert.ok(repeated > 100)
})

test('random damage: the scanner finds a fault exactly where JSON.parse does', () => {
  const random = seededRandom(6)
  const sound = '{"a":[1,-2.5e+3,"x\\n\\u00e9",true,false,null],"b":{"c":{}}}'
  for (let round = 0; round < 5000; round++) {
    const at = Math.floor(random.next() * sound.length)
    const put = ['', '{', '}', '"', ',', ':', '0', '-', 'e', '\\', ' ', 'n'][Math.floor(random.next() * 12)]!
    const damaged = sound.slice(0, at) + put + sound.slice(at + Math.floor(random.next() * 2))
    let parses = true
    try {
      JSON.parse(damaged)
    } catch {
      parses = false
    }
    assert.equal(scanJson(damaged, MAX_DEPTH).problem === undefined, parses, damaged)
  }
})
