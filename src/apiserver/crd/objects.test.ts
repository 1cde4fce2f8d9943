import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { errors } from '../../api/index.ts'
import { DecodeError, type JsonSchema, schemaCodec } from '../../encoding/index.ts'
import { goRegexp, loadGoRegexp } from '../cel/go-regexp.ts'
import { embeddedMetadataProblems } from '../registry/metadata.ts'

/** Fields with all that a schema can say, and what kube-apiserver 1.36.3 says of objects that have them. */
interface Cases {
  fields: Record<string, JsonSchema>
  objects: [spec: Record<string, unknown>, problems: string[]][]
}

const { fields, objects }: Cases = JSON.parse(readFileSync(new URL('./testdata/objects.json', import.meta.url), 'utf8'))

const schema: JsonSchema = { type: 'object', properties: { spec: { type: 'object', properties: fields } } }

describe('the judgement of custom resources', () => {
  before(loadGoRegexp)

  it('is that of upstream', () => {
    const codec = schemaCodec(schema, { pattern: goRegexp, metadata: embeddedMetadataProblems })
    for (const [spec, problems] of objects) {
      const { object } = codec.decode({ apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a' }, spec })
      codec.default(object)
      const { details } = errors.invalid({ group: '', kind: 'Thing' }, 'a', codec.structural(object)).status
      const found = (details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`)
      // Where the number of replicas is: the scale is judged elsewhere.
      const wanted = problems.filter(problem => !problem.startsWith('.spec'))
      assert.deepEqual(found.sort(), wanted.sort(), JSON.stringify(spec))
    }
  })

  it('does not get to see what metadata cannot be', () => {
    const codec = schemaCodec(schema, { pattern: goRegexp })
    const embedded = (em: unknown) => () =>
      codec.decode({ apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a' }, spec: { em } })
    const says = (message: string) => (error: unknown) => {
      assert(error instanceof DecodeError)
      assert.equal(error.message, message)
      return true
    }
    assert.throws(
      embedded({ apiVersion: 1, kind: 'x' }),
      says('spec.em.apiVersion: Invalid value: 1: must be a string'),
    )
    assert.throws(
      embedded({ apiVersion: 'v1', kind: 'x', metadata: 'x' }),
      says('spec.em.metadata: Invalid value: "x": json: cannot unmarshal string into Go value of type v1.ObjectMeta'),
    )
  })

  it('tells of unknown fields in the order of upstream', () => {
    const codec = schemaCodec(schema, { pattern: goRegexp })
    const { strict } = codec.decode({
      apiVersion: 'example.com/v1',
      kind: 'Thing',
      metadata: { name: 'a', foo: 1 },
      zz: 1,
      spec: { b9: 1, a9: 1, em: { apiVersion: 'v1', kind: 'F', metadata: { foo: 1 } } },
    })
    assert.deepEqual(strict, [
      'unknown field "metadata.foo"',
      'unknown field "spec.a9"',
      'unknown field "spec.b9"',
      'unknown field "zz"',
      'unknown field "spec.em.metadata.foo"',
    ])
  })
})
