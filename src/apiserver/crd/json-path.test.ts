import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { jsonPath } from './json-path.ts'

const object = {
  metadata: { name: 'a', labels: { 'a.b/c': 'x' } },
  spec: {
    ports: [
      { name: 'http', port: 80 },
      { name: 'https', port: 443 },
    ],
    args: ['x', 'y', 'z'],
  },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Other', status: 'False' },
    ],
  },
}

describe('jsonPath', () => {
  const cases: [path: string, found: unknown[]][] = [
    ['.metadata.name', ['a']],
    ['$.metadata.name', ['a']],
    ['.metadata.labels.a\\.b/c', ['x']],
    [`.metadata.labels['a.b/c']`, ['x']],
    ['.spec.ports[*].port', [80, 443]],
    ['.spec.ports.*.name', ['http', 'https']],
    ['.spec.ports[1].name', ['https']],
    ['.spec.ports[-1].name', ['https']],
    ['.spec.args[0:2]', ['x', 'y']],
    ['.spec.args[0,2]', ['x', 'z']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [`.status.conditions[?(@.type != 'Ready')].type`, ['Other']],
    ['.spec.ports[?(@.port>100)].name', ['https']],
    ['.spec.ports[?(@.name)].port', [80, 443]],
    ['..port', [80, 443]],
    ['.spec.missing.name', []],
    ['.metadata.constructor', []],
  ]
  for (const [path, found] of cases) it(`finds ${path}`, () => assert.deepEqual(jsonPath(path)(object), found))

  for (const path of ['.spec[', '.spec[x y]', '.a b', '.spec.ports[?(@.x==y)]'])
    it(`refuses ${path}`, () => assert.throws(() => jsonPath(path)))
})
