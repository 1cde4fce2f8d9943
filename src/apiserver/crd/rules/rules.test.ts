import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { errors, type FieldError, type KubeObject } from '../../../api/index.ts'
import type { JsonSchema, ValidationRule } from '../../../encoding/index.ts'
import { loadGoRegexp } from '../../cel/go-regexp.ts'
import { rulesOf } from './rules.ts'

const texts = (problems: FieldError[]): string[] =>
  problems.map(problem => {
    const { message } = errors.invalid({ group: '', kind: 'K' }, 'n', [problem])
    return message.slice('K "n" is invalid: '.length)
  })

const integer: JsonSchema = { type: 'integer' }
const string: JsonSchema = { type: 'string' }

/** A schema whose spec has these fields and these rules. */
const schemaOf = (properties: Record<string, JsonSchema>, ...rules: (string | ValidationRule)[]): JsonSchema => ({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties,
      'x-kubernetes-validations': rules.map(rule => (typeof rule === 'string' ? { rule } : rule)),
    },
  },
})

const objectOf = (spec: unknown) =>
  ({ apiVersion: 'a/v1', kind: 'K', metadata: { name: 'n' }, spec }) as unknown as KubeObject

const judged = (schema: JsonSchema, spec: unknown, old?: unknown) =>
  texts(rulesOf(schema)!(objectOf(spec), old === undefined ? undefined : objectOf(old)))

describe('rules', () => {
  before(loadGoRegexp)

  it('say nothing of what fits, and what is wrong with what does not', () => {
    const schema = schemaOf({ min: integer, max: integer }, 'self.min <= self.max')
    assert.deepEqual(judged(schema, { min: 1, max: 2 }), [])
    assert.deepEqual(judged(schema, { min: 3, max: 2 }), ['spec: Invalid value: failed rule: self.min <= self.max'])
    assert.deepEqual(judged(schema, { min: 3 }), [
      'spec: Invalid value: "object": no such key: max evaluating rule: self.min <= self.max',
    ])
  })

  it('say it in their own words, about the field that they name', () => {
    const schema = schemaOf(
      { a: integer },
      { rule: 'self.a > 0', message: 'a must be positive', reason: 'FieldValueForbidden', fieldPath: '.a' },
      { rule: 'self.a < 10', message: 'too much', messageExpression: '"a is %d".format([self.a])' },
    )
    assert.deepEqual(judged(schema, { a: 0 }), ['spec.a: Forbidden: a must be positive'])
    assert.deepEqual(judged(schema, { a: 11 }), ['spec: Invalid value: a is 11'])
  })

  it('compare with what was there before, if it was', () => {
    const schema = schemaOf({ a: integer }, { rule: 'self.a >= oldSelf.a', message: 'must not shrink' })
    assert.deepEqual(judged(schema, { a: 1 }), [])
    assert.deepEqual(judged(schema, { a: 1 }, { a: 2 }), ['spec: Invalid value: must not shrink'])
    const optional = schemaOf(
      { a: integer },
      { rule: 'oldSelf.hasValue() || self.a == 1', optionalOldSelf: true, message: 'starts at 1' },
    )
    assert.deepEqual(judged(optional, { a: 2 }), ['spec: Invalid value: starts at 1'])
    assert.deepEqual(judged(optional, { a: 2 }, { a: 1 }), [])
  })

  it('find the items of a list again by their keys', () => {
    const item: JsonSchema = {
      type: 'object',
      properties: { name: string, size: integer },
      'x-kubernetes-validations': [{ rule: 'self.size == oldSelf.size', message: 'fixed' }],
    }
    const list: JsonSchema = {
      type: 'array',
      items: item,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    }
    const schema = schemaOf({ list })
    const before = {
      list: [
        { name: 'a', size: 1 },
        { name: 'b', size: 2 },
      ],
    }
    const after = {
      list: [
        { name: 'b', size: 3 },
        { name: 'c', size: 4 },
      ],
    }
    assert.deepEqual(judged(schema, after, before), ['spec.list[0]: Invalid value: fixed'])
  })

  it('are not asked again about what stayed as it was', () => {
    const schema = schemaOf({ a: integer }, 'self.a > 5')
    assert.deepEqual(judged(schema, { a: 1 }, { a: 1 }), [])
  })

  it('have the libraries of Kubernetes', () => {
    const cases = [
      'self.s.matches("^a+$")',
      '"a1b22".findAll("[0-9]+") == ["1", "22"]',
      '[1, 2, 3].isSorted() && [1, 2].sum() == 3',
      'isURL("https://example.com:80/x") && url("https://example.com/x").getHost() == "example.com"',
      'quantity("1Gi").isGreaterThan(quantity("1M"))',
      'ip("10.0.0.1").family() == 4 && cidr("10.0.0.0/8").containsIP("10.1.2.3")',
      'semver("1.2.3").isLessThan(semver("1.3.0"))',
      'format.dns1123Label().validate("a").hasValue() == false',
      'self.?missing.orValue("x") == "x"',
      'self.odd__dash__name == 1',
      '[1, 2].all(i, v, v > i)',
      'self.d < duration("2m")',
    ]
    const schema = schemaOf(
      { s: string, missing: string, 'odd-name': integer, d: { type: 'string', format: 'duration' } },
      ...cases,
    )
    assert.deepEqual(judged(schema, { s: 'aa', 'odd-name': 1, d: '1m' }), [])
  })

  it('are stopped when they cost too much', () => {
    const schema = schemaOf(
      { list: { type: 'array', items: integer } },
      'self.list.all(a, self.list.all(b, a + b >= 0))',
    )
    const list = Array.from({ length: 2000 }, (_, index) => index)
    const [text] = judged(schema, { list })
    assert.match(text!, /operation cancelled: actual cost limit exceeded': no further validation rules will be run/)
    // Each is cheap enough, and all together are not.
    const item: JsonSchema = {
      type: 'array',
      items: integer,
      'x-kubernetes-validations': [{ rule: 'self.all(a, a + 1 > 0)' }],
    }
    const all = schemaOf({ lists: { type: 'array', items: item } }, 'true')
    const problems = judged(all, { lists: Array.from({ length: 20_000 }, () => list.slice(0, 200)) })
    assert.equal(problems.length, 1)
    assert.match(
      problems[0]!,
      /^spec\.lists\[\d+\]: Invalid value: "array": validation failed due to running out of cost/,
    )
  })
})
