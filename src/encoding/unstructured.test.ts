import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { conversionProblem } from './unstructured.ts'

const problem = (spec: unknown) => conversionProblem('apps/v1.Deployment', { kind: 'Deployment', spec })
const inContainer = (container: unknown) => problem({ template: { spec: { containers: [{}, container] } } })

describe('conversionProblem', () => {
  it('finds nothing in what fits, fields that are unknown included', () => {
    assert.equal(problem({ replicas: 3, paused: true, selector: { matchLabels: { a: 'b' } }, foo: 1 }), undefined)
    assert.equal(problem(null), undefined)
    assert.equal(inContainer({ resources: { limits: { cpu: 1, memory: '1Gi' } } }), undefined)
    assert.equal(inContainer({ livenessProbe: { httpGet: { port: 'http' } } }), undefined)
  })

  it('names what a scalar should be', () => {
    assert.equal(problem({ replicas: 'x' }), 'unrecognized type: int32')
    assert.equal(problem({ replicas: {} }), 'unrecognized type: int32')
    assert.equal(problem({ paused: 1 }), 'unrecognized type: bool')
    assert.equal(inContainer({ image: ['a'] }), 'unrecognized type: string')
    assert.equal(inContainer({ image: 1.5 }), 'unrecognized type: string')
  })

  it('says which conversions of numbers there are not', () => {
    assert.equal(problem({ replicas: 1.5 }), 'cannot convert float64 to int32')
    assert.equal(inContainer({ image: 5 }), 'cannot convert int64 to string')
    assert.equal(inContainer({ imagePullPolicy: 5 }), 'cannot convert int64 to v1.PullPolicy')
  })

  it('says what stands where a struct, a list or a map should', () => {
    assert.equal(problem(5), 'cannot restore struct from: int64')
    assert.equal(problem([]), 'cannot restore struct from: slice')
    assert.equal(problem({ template: { spec: { containers: 'x' } } }), 'cannot restore slice from string')
    assert.equal(problem({ selector: { matchLabels: true } }), 'cannot restore map from bool')
    assert.equal(problem({ selector: { matchLabels: { a: 1 } } }), 'cannot convert int64 to string')
    assert.equal(
      conversionProblem('core/v1.Secret', { data: { a: '%' } }),
      'error decoding from json: illegal base64 data at input byte 0',
    )
    assert.equal(conversionProblem('core/v1.Secret', { data: { a: {} } }), 'cannot restore slice from map')
  })

  it('gives the words of types that read themselves, and the first of several in the order of the type', () => {
    const quantity = inContainer({ resources: { limits: { cpu: 'x' } } })
    assert.match(quantity!, /^quantities must match the regular expression/)
    assert.equal(problem({ paused: 'x', replicas: 'x' }), 'unrecognized type: int32')
  })
})
