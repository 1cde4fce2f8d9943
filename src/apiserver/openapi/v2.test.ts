import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { OpenApiV3 } from './documents.ts'
import { encodeGnostic } from './gnostic.ts'
import type { Schema } from './schema.ts'
import { openApiV2 } from './v2.ts'

function definitionOf(schema: object): Schema {
  const document = openApiV2({
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.36.0' },
    paths: {},
    components: { schemas: { A: schema as Schema }, securitySchemes: {} },
  } satisfies OpenApiV3)
  assert.ok(encodeGnostic(document).length > 0)
  return (document as { definitions: Record<string, Schema> }).definitions.A!
}

describe('OpenAPI v2', () => {
  it('leaves out what only version 3 has words for', () => {
    const port = {
      nullable: true,
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      'x-kubernetes-int-or-string': true,
    }
    const schema = { type: 'object', properties: { port }, not: { required: ['b'] }, externalDocs: { url: 'u' } }
    assert.deepEqual(definitionOf(schema), {
      type: 'object',
      properties: { port: { 'x-kubernetes-int-or-string': true } },
      externalDocs: { url: 'u' },
    })
  })

  it('gives references as they are, and no defaults that are zero', () => {
    const field = { description: 'What.', default: {}, allOf: [{ $ref: '#/components/schemas/B' }] }
    assert.deepEqual(definitionOf({ properties: { field, count: { type: 'integer', default: 0 } } }), {
      properties: { field: { description: 'What.', $ref: '#/definitions/B' }, count: { type: 'integer' } },
    })
  })
})
