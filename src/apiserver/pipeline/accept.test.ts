import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseAccept, takesIn } from './accept.ts'

describe('parseAccept', () => {
  const types = (header: string) => parseAccept(header).map(({ type }) => type)

  it('puts the most wanted first', () => {
    assert.deepEqual(types('text/html;q=0.5, application/json;as=Table ;g=meta.k8s.io, */*;q=0.1'), [
      'application/json',
      'text/html',
      '*/*',
    ])
    assert.deepEqual(parseAccept('application/json;as=Table;g=x')[0]!.parameters, { as: 'Table', g: 'x' })
    assert.deepEqual(parseAccept(undefined), [{ type: '*/*', parameters: {} }])
  })

  it('puts what is named before what is not, and leaves the rest as it came', () => {
    assert.deepEqual(types('*/*, application/*, b/b, a/a'), ['b/b', 'a/a', 'application/*', '*/*'])
  })
})

it('tells which types a range takes in', () => {
  const taken = (range: string) =>
    ['application/json', 'application/yaml', 'text/plain'].filter(type => takesIn(range, type))
  assert.deepEqual(taken('*/*'), ['application/json', 'application/yaml', 'text/plain'])
  assert.deepEqual(taken('application/*'), ['application/json', 'application/yaml'])
  assert.deepEqual(taken('application/yaml'), ['application/yaml'])
  assert.deepEqual(taken('app/*'), [])
})
