import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { resources, StatusError } from '../../api/index.ts'
import { codecFor } from '../../encoding/index.ts'
import { decodeValue } from '../pipeline/decode.ts'
import { readPatch } from './patch.ts'
import type { Served } from './served.ts'

const resource = resources.deployments
const served = { resource } as unknown as Served
const object = { kind: 'Deployment', apiVersion: 'apps/v1', metadata: { name: 'web' }, spec: { replicas: 1 } }

/** Patches a Deployment as a request does, all strictly. */
function patch(kind: 'json' | 'merge' | 'strategic-merge', text: string, warnings?: string[]) {
  const body = Buffer.from(text)
  const validation = warnings ? 'Warn' : 'Strict'
  const { apply, noticed, refuse } = readPatch(served, body, `application/${kind}-patch+json`, validation)
  const value = apply(structuredClone(object) as never)
  const parsed = { value, duplicates: [], noticed }
  return decodeValue(parsed, resource, codecFor(resource), validation, warnings ?? [], body, detail =>
    refuse(value, detail),
  )
}

const answer = (code: number, message: string) => (error: unknown) => {
  assert.ok(error instanceof StatusError)
  assert.deepEqual([error.code, error.message], [code, message])
  return true
}

describe('a patch', () => {
  it('that gives a field of a wrong type is itself what is invalid', () => {
    assert.throws(
      () => patch('strategic-merge', '{"spec":{"replicas":"x"}}'),
      answer(422, ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32'),
    )
    const made =
      '{\\"apiVersion\\":\\"apps/v1\\",\\"kind\\":\\"Deployment\\",\\"metadata\\":{\\"name\\":\\"web\\"},\\"spec\\":{\\"replicas\\":\\"x\\"}}'
    const wanted = `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`
    for (const apply of [
      () => patch('merge', '{"spec":{"replicas":"x"}}'),
      () => patch('json', '[{"op":"replace","path":"/spec/replicas","value":"x"}]'),
    ])
      assert.throws(apply, answer(422, ` "" is invalid: patch: Invalid value: "${made}": ${wanted}`))
  })

  it('with fields that are unknown or given twice is refused or warned about', () => {
    assert.throws(
      () => patch('strategic-merge', '{"spec":{"foo":1,"paused":true,"paused":true}}'),
      answer(
        422,
        ' "" is invalid: patch: Invalid value: "map[spec:map[foo:1 paused:true]]": strict decoding error: duplicate field "spec.paused", unknown field "spec.foo"',
      ),
    )
    const warnings: string[] = []
    patch('merge', '{"spec":{"foo":1,"paused":true,"paused":true}}', warnings)
    assert.deepEqual(warnings, ['duplicate field "spec.paused"', 'unknown field "spec.foo"'])
  })

  it('that is no JSON is a bad request', () => {
    assert.throws(() => patch('strategic-merge', '{'), answer(400, 'unexpected end of JSON input'))
    assert.throws(() => patch('merge', '{'), answer(400, 'error decoding patch: unexpected end of JSON input'))
  })

  it('of another form is a bad request', () => {
    const wrong = (name: string, goType: string) => `json: cannot unmarshal ${name} into Go value of type ${goType}`
    assert.throws(() => patch('strategic-merge', '[]'), answer(400, wrong('array', 'map[string]interface {}')))
    const decoding = (message: string) => answer(400, `error decoding patch: ${message}`)
    assert.throws(() => patch('merge', '5'), decoding(wrong('number', 'map[string]interface {}')))
    assert.throws(() => patch('json', '{}'), decoding(wrong('object', '[]handlers.jsonPatchOp')))
  })

  it('of a kind that is not known is refused', () => {
    assert.throws(
      () => readPatch(served, Buffer.from('{}'), 'application/json', 'Warn'),
      (error: unknown) => error instanceof StatusError && error.code === 415,
    )
  })
})
