import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeGnostic } from './gnostic.ts'

/** What stands at the end of a path of field numbers: one entry for each time that it is there. */
function at(message: Buffer, ...[tag, ...rest]: number[]): Buffer[] {
  const found = fieldsOf(message)
    .filter(field => field.tag === tag)
    .map(({ value }) => value)
  return rest.length ? found.flatMap(value => at(value, ...rest)) : found
}

const texts = (message: Buffer, ...path: number[]) => at(message, ...path).map(String)

/** Of a varint the one byte that it has in these tests. */
function fieldsOf(message: Buffer): { tag: number; value: Buffer }[] {
  const fields: { tag: number; value: Buffer }[] = []
  let offset = 0
  const varint = () => {
    let value = 0
    for (let shift = 1; ; shift *= 0x80) {
      const byte = message.readUInt8(offset++)
      value += (byte & 0x7f) * shift
      if (byte < 0x80) return value
    }
  }
  while (offset < message.length) {
    const key = varint()
    const type = key % 8
    const size = type === 2 ? varint() : type === 1 ? 8 : 1
    fields.push({ tag: (key - type) / 8, value: message.subarray(offset, offset + size) })
    offset += size
  }
  return fields
}

const schema = {
  description: 'What it is.',
  type: 'object',
  required: ['a', 'b'],
  properties: {
    a: { type: 'integer', format: 'int32', default: 7, maximum: 1.5 },
    b: { type: 'array', items: { $ref: '#/definitions/B' }, 'x-kubernetes-list-type': 'map' },
    c: { type: 'object', additionalProperties: { type: 'string', enum: ['x', 'y'] } },
    'x-odd': { additionalProperties: true },
  },
  'x-kubernetes-group-version-kind': [{ group: '', kind: 'A', version: 'v1' }],
}

const document = encodeGnostic({
  swagger: '2.0',
  info: { title: 'Kubernetes', version: 'v1.36.0' },
  paths: {
    '/a/{name}': {
      parameters: [{ name: 'name', in: 'path', required: true, type: 'string', uniqueItems: true }],
      put: {
        tags: ['t'],
        operationId: 'replaceA',
        consumes: ['*/*'],
        parameters: [
          { name: 'body', in: 'body', required: true, schema: { $ref: '#/definitions/A' } },
          { name: 'pretty', in: 'query', type: 'string' },
        ],
        responses: { 200: { description: 'OK', schema: { $ref: '#/definitions/A' } } },
        'x-kubernetes-action': 'put',
      },
    },
  },
  definitions: { A: schema, B: {} },
  securityDefinitions: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } },
  security: [{ BearerToken: [] }],
})

describe('OpenAPI v2 in protobuf', () => {
  it('has the document’s own fields', () => {
    assert.deepEqual(texts(document, 1), ['2.0'])
    assert.deepEqual([...texts(document, 2, 1), ...texts(document, 2, 2)], ['Kubernetes', 'v1.36.0'])
    assert.deepEqual(texts(document, 12, 1, 1), ['BearerToken'])
    assert.deepEqual(texts(document, 13, 1, 2, 2, 2), ['authorization'])
  })

  it('has schemas by name, and what is free JSON as YAML', () => {
    assert.deepEqual(texts(document, 9, 1, 1), ['A', 'B'])
    const [a] = at(document, 9, 1, 2)
    assert.ok(a)
    assert.deepEqual(texts(a, 4), ['What it is.'])
    assert.deepEqual(texts(a, 22, 1), ['object'])
    assert.deepEqual(texts(a, 19), ['a', 'b'])
    assert.deepEqual(texts(a, 31, 1), ['x-kubernetes-group-version-kind'])
    assert.deepEqual(texts(a, 31, 2, 2), ['[{"group":"","kind":"A","version":"v1"}]\n'])
    assert.deepEqual(texts(a, 25, 1, 1), ['a', 'b', 'c', 'x-odd'])
    assert.deepEqual(texts(a, 25, 1, 2, 5, 2), ['7\n'])
    assert.equal(at(a, 25, 1, 2, 7)[0]?.readDoubleLE(), 1.5)
    assert.deepEqual(texts(a, 25, 1, 2, 23, 1, 1), ['#/definitions/B'])
    assert.deepEqual(texts(a, 25, 1, 2, 21, 1, 20, 2), ['"x"\n', '"y"\n'])
    assert.deepEqual(at(a, 25, 1, 2, 21, 2), [Buffer.from([1])])
  })

  it('has operations, and each parameter as what it is by its place', () => {
    assert.deepEqual(texts(document, 8, 2, 1), ['/a/{name}'])
    const [item] = at(document, 8, 2, 2)
    assert.ok(item)
    assert.deepEqual(texts(item, 9, 1, 2, 4, 4), ['name'])
    assert.deepEqual(at(item, 9, 1, 2, 4, 19), [Buffer.from([1])])
    assert.deepEqual(texts(item, 3, 5), ['replaceA'])
    assert.deepEqual(texts(item, 3, 7), ['*/*'])
    assert.deepEqual(texts(item, 3, 8, 1, 1, 5, 1), ['#/definitions/A'])
    assert.deepEqual(texts(item, 3, 8, 1, 2, 3, 4), ['pretty'])
    assert.deepEqual(texts(item, 3, 9, 1, 1), ['200'])
    assert.deepEqual(texts(item, 3, 9, 1, 2, 1, 2, 1, 1), ['#/definitions/A'])
    assert.deepEqual(texts(item, 3, 13, 1), ['x-kubernetes-action'])
  })

  it('fails rather than leave something out', () => {
    assert.throws(() => encodeGnostic({ definitions: { A: { oneOf: [] } } }), /Schema of OpenAPI v2 has no oneOf/)
  })
})
