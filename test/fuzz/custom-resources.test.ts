import assert from 'node:assert/strict'
import { type KubeObject, resources } from '../../src/api/index.ts'
import { check } from '../../src/apiserver/cel/checker/check.ts'
import { declaredType } from '../../src/apiserver/cel/checker/declared.ts'
import { goRegexp } from '../../src/apiserver/cel/go-regexp.ts'
import { CelError, CompileError, compile, loadCel, toCel } from '../../src/apiserver/cel/index.ts'
import type { Definition } from '../../src/apiserver/crd/conversion.ts'
import { define } from '../../src/apiserver/crd/define.ts'
import { definitionStrategy } from '../../src/apiserver/crd/definition-strategy.ts'
import { rulesOf } from '../../src/apiserver/crd/rules/rules.ts'
import {
  codecFor,
  DecodeError,
  type JsonSchema,
  parseJson,
  SyntaxProblem,
  schemaCodec,
} from '../../src/encoding/index.ts'
import type { Store } from '../../src/store/index.ts'
import { corpus, fuzz } from '../support/fuzz.ts'

await loadCel()

const string: JsonSchema = { type: 'string' }
const integer: JsonSchema = { type: 'integer' }

/** Something of everything that a schema can say. */
const spec: JsonSchema = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { ...integer, minimum: 1, maximum: 100, multipleOf: 1, default: 2 },
    name: { ...string, minLength: 1, maxLength: 10, pattern: '^[a-z]+$' },
    mode: { ...string, enum: ['on', 'off'], default: 'on' },
    ratio: { type: 'number', exclusiveMinimum: true, minimum: 0 },
    port: { 'x-kubernetes-int-or-string': true, anyOf: [integer, string] },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    tags: { type: 'array', items: string, maxItems: 4, 'x-kubernetes-list-type': 'set' },
    items: {
      type: 'array',
      items: { type: 'object', required: ['key'], properties: { key: string, value: { ...integer, default: 1 } } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['key'],
    },
    map: { type: 'object', additionalProperties: integer, maxProperties: 3 },
    template: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    when: { ...string, format: 'date-time' },
    maybe: { ...string, nullable: true },
  },
  oneOf: [{ required: ['tags'] }, { not: { required: ['tags'] } }],
  'x-kubernetes-validations': [
    { rule: 'self.size < 50' },
    { rule: '!has(self.tags) || self.tags.all(t, t.size() < 5)' },
  ],
}
const schema: JsonSchema = { type: 'object', properties: { spec, status: { type: 'object' } } }
const codec = schemaCodec(schema, { pattern: goRegexp, rules: () => rulesOf(schema) })

/** The same, but for the rules. */
const unruled = schemaCodec(schema, { pattern: goRegexp })

function parsed(input: Buffer): unknown {
  try {
    return parseJson(input).value
  } catch (error) {
    assert.ok(error instanceof SyntaxProblem)
    return undefined
  }
}

fuzz('custom-resource', input => {
  let object: KubeObject
  try {
    object = codec.decode(parsed(input)).object
  } catch (error) {
    assert.ok(error instanceof DecodeError, error as Error)
    return
  }
  Object.assign(object, { kind: 'Widget', apiVersion: 'example.com/v1' })
  codec.default(object)
  codec.structural(object)
  // What stays as it was is let through, but for the kind of an embedded object.
  const kept = unruled.structural(object, object).filter(({ field }) => !/^(spec\.template|<nil>)/.test(field))
  assert.deepEqual(kept, [])
  // Read again, it is the same.
  const bytes = codec.encode(object)
  const again = codec.decode(parseJson(bytes).value).object
  codec.default(again)
  assert.equal(codec.encode(again).toString(), bytes.toString())
  assert.deepEqual(Object.keys(Object.prototype), [])
})

const definitions = codecFor<Definition>(resources.customResourceDefinitions as never)
const sample = parsed([...corpus('custom-resource').values()][0]!) as KubeObject

fuzz('definition', async input => {
  let definition: Definition
  try {
    definition = definitions.decode(parsed(input)).object
  } catch (error) {
    assert.ok(error instanceof DecodeError, error as Error)
    return
  }
  definitionStrategy.defaults!(definition)
  const problems = definitionStrategy.validate!(definition)
  if (problems.length) return
  // What is found good can be served.
  const status = { ...definition.status, acceptedNames: definition.spec.names }
  const shared = { isTerminating: () => false, watches: new Set<() => void>() }
  const options = { store: {} as Store, convert: () => [], freshSince: () => 0, ...shared }
  for (const served of await define({ ...definition, status }, options)) {
    const { object } = served.codec.decode(sample)
    served.codec.default(object)
    served.codec.structural(object)
    for (const column of served.custom!.columns) column.cell(object, 0)
  }
})

const self = declaredType(spec)
const values = { self: toCel((sample as KubeObject & { spec: object }).spec, spec as never), oldSelf: null }

fuzz('rule', input => {
  const text = input.toString()
  try {
    const program = compile(text, { variables: ['self', 'oldSelf'] })
    check(text, { self, oldSelf: self })
    program.evaluate(values)
  } catch (error) {
    assert.ok(error instanceof CompileError || error instanceof CelError, error as Error)
  }
})
