import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SyntaxProblem } from './json.ts'
import { parseYaml } from './yaml.ts'

const parse = (text: string) => parseYaml(Buffer.from(text))

test('values are those of JSON', async () => {
  const { value, duplicates } = await parse(`
kind: ConfigMap
data:
  1: one
  on: x
count: 0x10
port: 8080
yes: no
quoted: "yes"
time: 2026-01-02
version: 1.10
text: |
  line
base: &base {a: 1}
derived: {<<: *base, b: 2}
nothing:
`)
  assert.deepEqual(duplicates, [])
  assert.deepEqual(value, {
    kind: 'ConfigMap',
    data: { '1': 'one', true: 'x' },
    count: 16,
    port: 8080,
    true: false,
    quoted: 'yes',
    time: '2026-01-02',
    version: 1.1,
    text: 'line\n',
    base: { a: 1 },
    derived: { a: 1, b: 2 },
    nothing: null,
  })
})

test('JSON is YAML too', async () => {
  assert.deepEqual((await parse('{"a": [1, "2", null]}')).value, { a: [1, '2', null] })
})

test('repeated keys are named', async () => {
  assert.deepEqual((await parse('a: 1\nb:\n- c: 1\n  c: 2\na: 3\n')).repeated, [
    'line 4: key "c" already set in map',
    'line 5: key "a" already set in map',
  ])
})

test('only the first document counts, and nothing is null', async () => {
  assert.deepEqual((await parse('a: 1\n---\nb: 2\n')).value, { a: 1 })
  assert.equal((await parse('')).value, null)
})

test('what is not YAML is refused', async () => {
  for (const text of ['a: b: c', 'a: [1', '\ta: 1', 'a: *missing', 'a: .inf', '~: a', '? [a]\n: b'])
    await assert.rejects(parse(text), SyntaxProblem, text)
})

test('aliases that expand beyond reason are refused', async () => {
  const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]']
  for (let level = 1; level < 10; level++) {
    const aliases = Array.from({ length: 10 }, () => `*a${level - 1}`).join(',')
    lines.push(`a${level}: &a${level} [${aliases}]`)
  }
  await assert.rejects(parse(lines.join('\n')), { message: /document contains excessive aliasing/ })
  await assert.rejects(parse('a: &a [*a]'), SyntaxProblem)
  const large = `a: &a ${'x'.repeat(100_000)}\nb: [${Array(200).fill('*a').join(',')}]`
  await assert.rejects(parse(large), { message: /excessive aliasing/ })
})

test('size and depth are bounded', async () => {
  await assert.rejects(parseYaml(Buffer.alloc(3 * 1024 * 1024 + 1, 'a')), SyntaxProblem)
  await assert.rejects(parse('['.repeat(50_000)), SyntaxProblem)
  await assert.rejects(parse(`${'- '.repeat(20_000)}a`), SyntaxProblem)
})
