import assert from 'node:assert/strict'
import { it } from 'node:test'
import { indented } from './indent.ts'

it('indents JSON as others do', () => {
  const values = [
    {},
    [],
    null,
    'a "b" \\ {}[],:',
    { a: [], b: {}, c: [{}, [1, -2.5e30]], 'd:e': { f: 'ü\\', g: [[[]]] }, h: true },
    [{ deep: Array.from({ length: 100 }).reduce((inner: unknown) => ({ inner: [inner, ''] }), 0) }],
  ]
  for (const value of values)
    assert.equal(indented(Buffer.from(`${JSON.stringify(value)}\n`)).toString(), JSON.stringify(value, null, 2))
})

it('keeps numbers and the order of keys', () => {
  assert.equal(
    indented(Buffer.from('{"b":12345678901234567890,"1":1.0}')).toString(),
    '{\n  "b": 12345678901234567890,\n  "1": 1.0\n}',
  )
})
