import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { errors, type KubeObject } from '../../api/index.ts'
import { schemaCodec } from './codec.ts'
import type { JsonSchema } from './schema.ts'

const pattern = (text: string) => new RegExp(text)
const of = (spec: JsonSchema, root: JsonSchema = {}) =>
  schemaCodec({ type: 'object', properties: { spec, status: { type: 'object' } }, ...root }, { pattern })

const sent = (spec: unknown, rest: object = {}) => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name: 'a' },
  spec,
  ...rest,
})

/** What is wrong with a spec, as the API would say it. */
function problems(spec: JsonSchema, value: unknown, old?: unknown): string[] {
  const codec = of(spec)
  const { object } = codec.decode(sent(value))
  codec.default(object)
  const before = old === undefined ? undefined : codec.decode(sent(old)).object
  return codec.structural(object, before).map(problem => {
    const { message } = errors.invalid({ group: '', kind: 'K' }, 'n', [problem])
    return message.slice('K "n" is invalid: '.length)
  })
}

const object = (properties: Record<string, JsonSchema>, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  properties,
  ...more,
})

describe('decoding by a schema', () => {
  it('leaves out what the schema does not know, and says so', () => {
    const codec = of(object({ list: { type: 'array', items: object({ a: { type: 'string' } }) } }))
    const { object: decoded, strict } = codec.decode(
      sent({ list: [{ a: 'x', b: 1 }], other: true }, { extra: 1, metadata: { name: 'a', foo: 'bar' } }),
    )
    assert.deepEqual((decoded as KubeObject & { spec: unknown }).spec, { list: [{ a: 'x' }] })
    assert.deepEqual(strict.sort(), [
      'unknown field "extra"',
      'unknown field "metadata.foo"',
      'unknown field "spec.list[0].b"',
      'unknown field "spec.other"',
    ])
  })

  it('keeps what it is told to keep', () => {
    const free: JsonSchema = {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { known: object({}) },
    }
    const value = { any: { thing: [null, 1] }, known: { lost: 1 } }
    const { object: decoded } = of(free).decode(sent(value))
    assert.deepEqual((decoded as KubeObject & { spec: unknown }).spec, { any: { thing: [null, 1] }, known: {} })
  })

  it('reads the metadata of embedded objects as that of every object', () => {
    const template: JsonSchema = {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    }
    const value = { template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', nope: 1 }, spec: { a: 1 } } }
    const { object: decoded, strict } = of(object({ template })).decode(sent(value))
    const { spec } = decoded as KubeObject & { spec: { template: KubeObject } }
    assert.equal('nope' in spec.template.metadata, false)
    assert.deepEqual(strict, ['unknown field "spec.template.metadata.nope"'])
    assert.throws(() => of(object({})).decode(sent({}, { metadata: { labels: { a: 1 } } })), {
      message: 'json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
    })
  })

  it('drops a null where none is allowed, and fills in the default', () => {
    const schema = object({
      plain: { type: 'string' },
      filled: { type: 'string', default: 'x' },
      free: { type: 'string', nullable: true },
      deep: object({ port: { type: 'integer', default: 80 } }, { default: {} }),
    })
    const codec = of(schema)
    const { object: decoded } = codec.decode(sent({ plain: null, filled: null, free: null }))
    codec.default(decoded)
    assert.deepEqual((decoded as KubeObject & { spec: unknown }).spec, { filled: 'x', free: null, deep: { port: 80 } })
  })
})

describe('encoding by a schema', () => {
  it('writes kind, version and metadata first, the rest in the order of its keys, and no resourceVersion', () => {
    const codec = of({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })
    const { object: decoded } = codec.decode(
      sent({ b: 1, a: [{ z: 1, y: null }] }, { status: {}, metadata: { name: 'a', resourceVersion: '5' } }),
    )
    assert.equal(
      codec.encode(decoded).toString(),
      '{"kind":"Widget","apiVersion":"example.com/v1","metadata":{"name":"a"},"spec":{"a":[{"y":null,"z":1}],"b":1},"status":{}}',
    )
  })
})

describe('validating by a schema', () => {
  const cases: [name: string, schema: JsonSchema, value: unknown, expected: string[]][] = [
    [
      'type',
      { type: 'integer' },
      'x',
      ['spec: Invalid value: "string": spec in body must be of type integer: "string"'],
    ],
    [
      'whole numbers',
      { type: 'integer' },
      1.5,
      [
        'spec: Invalid value: "number": spec in body must be of type integer: "number"',
        '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec',
      ],
    ],
    ['numbers', { type: 'number' }, 1, []],
    [
      'nulls in lists',
      { type: 'array', items: { type: 'string' } },
      [null],
      ['spec[0]: Invalid value: "null": spec[0] in body must be of type string: "null"'],
    ],
    [
      'int or string',
      { 'x-kubernetes-int-or-string': true },
      true,
      ['spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean"'],
    ],
    ['required', object({ a: { type: 'string' } }, { required: ['a', 'b'] }), { a: 'x' }, ['spec.b: Required value']],
    ['enum', { type: 'string', enum: ['a', 'b'] }, 'c', ['spec: Unsupported value: "c": supported values: "a", "b"']],
    [
      'minimum',
      { type: 'integer', minimum: 1 },
      0,
      ['spec: Invalid value: 0: spec in body should be greater than or equal to 1'],
    ],
    [
      'exclusive minimum',
      { type: 'integer', minimum: 1, exclusiveMinimum: true },
      1,
      ['spec: Invalid value: 1: spec in body should be greater than 1'],
    ],
    [
      'maximum',
      { type: 'number', maximum: 1.5 },
      2,
      ['spec: Invalid value: 2: spec in body should be less than or equal to 1.5'],
    ],
    [
      'multipleOf',
      { type: 'integer', multipleOf: 5 },
      7,
      ['spec: Invalid value: 7: spec in body should be a multiple of 5'],
    ],
    [
      'int32',
      { type: 'integer', format: 'int32' },
      3e9,
      ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec'],
    ],
    [
      'minLength',
      { type: 'string', minLength: 2 },
      '😀',
      ['spec: Invalid value: "😀": spec in body should be at least 2 chars long'],
    ],
    ['maxLength', { type: 'string', maxLength: 1 }, 'ab', ['spec: Too long: may not be more than 1 bytes']],
    [
      'pattern',
      { type: 'string', pattern: '^a+$' },
      'b',
      [`spec: Invalid value: "b": spec in body should match '^a+$'`],
    ],
    [
      'format',
      { type: 'string', format: 'ipv4' },
      'x',
      ['spec: Invalid value: "x": spec in body must be of type ipv4: "x"'],
    ],
    [
      'minItems',
      { type: 'array', items: {}, minItems: 1 },
      [],
      ['spec: Invalid value: 0: spec in body should have at least 1 items'],
    ],
    ['maxItems', { type: 'array', items: {}, maxItems: 1 }, [1, 2], ['spec: Too many: 2: must have at most 1 item']],
    [
      'maxProperties',
      { type: 'object', additionalProperties: true, maxProperties: 1 },
      { a: 1, b: 2 },
      ['spec: Too many: 2: must have at most 1 item'],
    ],
    [
      'additionalProperties',
      { type: 'object', additionalProperties: { type: 'integer' } },
      { a: 'x' },
      ['spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"'],
    ],
    [
      'not',
      { type: 'string', not: { enum: ['a'] } },
      'a',
      ['<nil>: Invalid value: "": "spec" must not validate the schema (not)'],
    ],
    [
      'oneOf',
      object({ a: { type: 'integer' }, b: { type: 'integer' } }, { oneOf: [{ required: ['a'] }, { required: ['b'] }] }),
      {},
      [
        '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid',
        'spec.a: Required value',
      ],
    ],
    ['anyOf', { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }, '5%', []],
    [
      'sets',
      { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      ['a', 'a'],
      ['spec[1]: Duplicate value: "a"'],
    ],
    [
      'maps of lists',
      {
        type: 'array',
        items: object({ k: { type: 'string' } }),
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
      },
      [{ k: 'a' }, { k: 'a' }],
      ['spec[1]: Duplicate value: {"k":"a"}'],
    ],
  ]
  for (const [name, schema, value, expected] of cases)
    it(`checks ${name}`, () => assert.deepEqual(problems(schema, value), expected))

  it('lets through what an update leaves as it was', () => {
    const schema = object({ a: { type: 'integer', maximum: 5 }, b: { type: 'integer' } })
    assert.deepEqual(problems(schema, { a: 9, b: 2 }, { a: 9, b: 1 }), [])
    assert.deepEqual(problems(schema, { a: 8, b: 2 }, { a: 9, b: 1 }).length, 1)
  })
})
