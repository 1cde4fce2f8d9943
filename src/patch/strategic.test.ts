import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applyStrategicMergePatch, PatchError } from './index.ts'

type Case = [title: string, type: string, document: unknown, patch: unknown, expected: unknown]

const [pod, spec] = ['core/v1.Pod', 'core/v1.PodSpec']
const named = (...names: string[]) => names.map(name => ({ name }))
const containers = (...names: string[]) => ({ containers: named(...names) })

/** The examples of upstream's strategic-merge-patch.md and of its proposals, and what kubectl sends. */
const cases: Case[] = [
  // Maps
  [
    'merges maps',
    pod,
    { metadata: { labels: { a: '1', b: '2' } } },
    { metadata: { labels: { b: '3', c: '4' } } },
    { metadata: { labels: { a: '1', b: '3', c: '4' } } },
  ],
  [
    'deletes by null',
    pod,
    { metadata: { labels: { a: '1', b: '2' } } },
    { metadata: { labels: { a: null, z: null } } },
    { metadata: { labels: { b: '2' } } },
  ],
  ['adds without nulls', spec, {}, { nodeSelector: { a: '1', b: null } }, { nodeSelector: { a: '1' } }],
  [
    'replaces a map',
    spec,
    { nodeSelector: { a: '1' } },
    { nodeSelector: { $patch: 'replace', b: '2' } },
    { nodeSelector: { b: '2' } },
  ],
  ['empties a map', spec, { nodeSelector: { a: '1' } }, { nodeSelector: { $patch: 'delete' } }, { nodeSelector: {} }],
  ['replaces the whole', spec, { hostNetwork: true }, { $patch: 'replace', nodeName: 'n' }, { nodeName: 'n' }],
  [
    'changes type',
    pod,
    { metadata: { labels: { a: '1' } } },
    { metadata: { labels: ['x'] } },
    { metadata: { labels: ['x'] } },
  ],
  [
    'a map of quantities',
    'core/v1.ResourceRequirements',
    { limits: { cpu: '1', memory: '1Gi' } },
    { limits: { cpu: '2' } },
    { limits: { cpu: '2', memory: '1Gi' } },
  ],
  // Lists that replace
  ['replaces an atomic list', 'core/v1.Container', { command: ['a', 'b'] }, { command: ['c'] }, { command: ['c'] }],
  [
    'replaces a list of maps without a key',
    spec,
    { tolerations: [{ key: 'a' }] },
    { tolerations: [{ key: 'b' }] },
    { tolerations: [{ key: 'b' }] },
  ],
  // Lists that merge by key
  [
    'merges an item by its key',
    spec,
    { containers: [{ name: 'nginx', image: 'nginx-1.0', tty: true }] },
    { containers: [{ name: 'nginx', image: 'nginx-1.1' }] },
    { containers: [{ name: 'nginx', image: 'nginx-1.1', tty: true }] },
  ],
  [
    'adds an item with a new key first, as the order of the patch says nothing of the others',
    spec,
    containers('nginx'),
    { containers: [{ name: 'log-tailer', image: 'log' }] },
    { containers: [{ name: 'log-tailer', image: 'log' }, { name: 'nginx' }] },
  ],
  ['deletes an item', spec, containers('a', 'b'), { containers: [{ name: 'a', $patch: 'delete' }] }, containers('b')],
  [
    'deletes an item that is not there',
    spec,
    containers('a'),
    { containers: [{ name: 'x', $patch: 'delete' }] },
    containers('a'),
  ],
  [
    'does not add what it deletes',
    spec,
    {},
    { containers: [{ name: 'x', $patch: 'delete' }, { name: 'y' }] },
    containers('y'),
  ],
  [
    'replaces a list that merges',
    spec,
    containers('a', 'b'),
    { containers: [{ name: 'c' }, { $patch: 'replace' }] },
    containers('c'),
  ],
  ['deletes a list', spec, { ...containers('a'), volumes: named('v') }, { volumes: null }, containers('a')],
  [
    'merges lists within lists',
    'apps/v1.Deployment',
    {
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: 'a',
                env: [
                  { name: 'X', value: '1' },
                  { name: 'Y', value: '2' },
                ],
                ports: [{ containerPort: 80 }],
              },
            ],
          },
        },
      },
    },
    {
      spec: {
        template: {
          spec: {
            containers: [{ name: 'a', env: [{ name: 'Y', value: '3' }], ports: [{ containerPort: 80, name: 'web' }] }],
          },
        },
      },
    },
    {
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: 'a',
                env: [
                  { name: 'X', value: '1' },
                  { name: 'Y', value: '3' },
                ],
                ports: [{ containerPort: 80, name: 'web' }],
              },
            ],
          },
        },
      },
    },
  ],
  // Lists of plain values that merge
  [
    'adds to a set',
    pod,
    { metadata: { finalizers: ['a', 'b'] } },
    { metadata: { finalizers: ['b', 'c'] } },
    { metadata: { finalizers: ['a', 'b', 'c'] } },
  ],
  [
    'deletes from a set',
    pod,
    { metadata: { finalizers: ['a', 'b', 'c'] } },
    { metadata: { '$deleteFromPrimitiveList/finalizers': ['a', 'z'] } },
    { metadata: { finalizers: ['b', 'c'] } },
  ],
  [
    'deletes from no set',
    pod,
    { metadata: {} },
    { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } },
    { metadata: {} },
  ],
  [
    'deletes from and adds to a set',
    pod,
    { metadata: { finalizers: ['a', 'b'] } },
    {
      metadata: {
        finalizers: ['c'],
        '$deleteFromPrimitiveList/finalizers': ['a'],
        '$setElementOrder/finalizers': ['c', 'b'],
      },
    },
    { metadata: { finalizers: ['c', 'b'] } },
  ],
  // $retainKeys
  [
    'clears what retainKeys does not name',
    'apps/v1.DeploymentSpec',
    { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
    { strategy: { type: 'Recreate', rollingUpdate: null, $retainKeys: ['type'] } },
    { strategy: { type: 'Recreate' } },
  ],
  [
    'keeps what retainKeys names',
    spec,
    { volumes: [{ name: 'v', hostPath: { path: '/a' } }] },
    { volumes: [{ name: 'v', emptyDir: {}, hostPath: null, $retainKeys: ['name', 'emptyDir'] }] },
    { volumes: [{ name: 'v', emptyDir: {} }] },
  ],
  [
    'drops retainKeys of what it adds',
    spec,
    {},
    { volumes: [{ name: 'v', emptyDir: {}, $retainKeys: ['name', 'emptyDir'] }] },
    { volumes: [{ name: 'v', emptyDir: {} }] },
  ],
  // $setElementOrder
  [
    'orders a list',
    spec,
    containers('a', 'b', 'c'),
    { '$setElementOrder/containers': named('c', 'a', 'b') },
    containers('c', 'a', 'b'),
  ],
  [
    'keeps what only the server has where it stood',
    spec,
    containers('a', 'b', 'c', 'd'),
    { '$setElementOrder/containers': named('d', 'a') },
    containers('b', 'c', 'd', 'a'),
  ],
  [
    'adds in the order given',
    spec,
    containers('a', 'c'),
    { containers: [{ name: 'b', image: 'x' }], '$setElementOrder/containers': named('a', 'b', 'c') },
    { containers: [{ name: 'a' }, { name: 'b', image: 'x' }, { name: 'c' }] },
  ],
  [
    'deletes and orders, as kubectl apply does',
    spec,
    containers('a', 'b', 'c'),
    { containers: [{ name: 'b', $patch: 'delete' }], '$setElementOrder/containers': named('c', 'a') },
    containers('c', 'a'),
  ],
  [
    'orders a new list',
    spec,
    {},
    { containers: named('b', 'a'), '$setElementOrder/containers': named('b', 'a') },
    containers('b', 'a'),
  ],
  ['orders nothing', spec, { nodeName: 'n' }, { '$setElementOrder/containers': named('b', 'a') }, { nodeName: 'n' }],
  [
    'two ports of one number stay two',
    'core/v1.ServiceSpec',
    {
      ports: [
        { port: 53, protocol: 'UDP' },
        { port: 53, protocol: 'TCP' },
      ],
    },
    { ports: [{ port: 80 }], '$setElementOrder/ports': [{ port: 53 }, { port: 53 }, { port: 80 }] },
    { ports: [{ port: 53, protocol: 'UDP' }, { port: 53, protocol: 'TCP' }, { port: 80 }] },
  ],
]

const fails: [title: string, document: unknown, patch: unknown, code: number, message: string][] = [
  [
    'an item without its key',
    containers('a'),
    { containers: [{ image: 'x', tty: true }] },
    500,
    'map: map[image:x tty:true] does not contain declared merge key: name',
  ],
  [
    'an unknown directive',
    { nodeSelector: {} },
    { nodeSelector: { $patch: 'spam' } },
    500,
    'unknown patch type: spam in map: map[$patch:spam]',
  ],
  [
    'an unknown directive in a list',
    containers('a'),
    { containers: [{ name: 'a', $patch: 'spam' }] },
    500,
    'unknown patch type: spam in map: map[$patch:spam name:a]',
  ],
  [
    'a merge directive in a list',
    containers('a'),
    { containers: [{ name: 'a', $patch: 'merge' }] },
    500,
    'merging lists cannot yet be specified in the patch',
  ],
  [
    'retainKeys that are no list',
    {},
    { securityContext: null, $retainKeys: 'x' },
    400,
    'invalid patch format of retainKeys',
  ],
  [
    'retainKeys that leave out a field of the patch',
    {},
    { nodeName: 'n', $retainKeys: ['hostname'] },
    400,
    'invalid patch format of retainKeys',
  ],
  [
    'a deletion list of nothing',
    {},
    { $deleteFromPrimitiveList: ['x'] },
    400,
    'invalid patch format of primitive list',
  ],
  ['an order of nothing', {}, { $setElementOrder: ['x'] }, 400, 'invalid patch format of setElementOrder list'],
  [
    'an order that the patch does not keep',
    {},
    { containers: named('a', 'b'), '$setElementOrder/containers': named('b', 'a') },
    500,
    "The order in patch list:\n[map[name:a] map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:b] map[name:a]]\n",
  ],
  [
    'an order of an unknown field',
    {},
    { '$setElementOrder/spam': [] },
    500,
    'unable to find api field in struct PodSpec for the json field "spam"',
  ],
  [
    'lists of lists',
    { containers: [] },
    { containers: [[]] },
    422,
    'the server rejected our request due to an error in our request',
  ],
  [
    'items of two types',
    containers('a'),
    { containers: ['x'] },
    500,
    'list element types are not identical: [[map[name:a]] [x]]',
  ],
  ['a list for an object', {}, [], 400, 'invalid JSON document'],
]

describe('applyStrategicMergePatch', () => {
  for (const [title, type, document, patch, expected] of cases)
    it(title, () => {
      const before = structuredClone([document, patch])
      assert.deepEqual(applyStrategicMergePatch(document, patch, type), expected)
      assert.deepEqual([document, patch], before)
    })

  for (const [title, document, patch, code, message] of fails)
    it(`refuses ${title}`, () => {
      assert.throws(
        () => applyStrategicMergePatch(document, patch, spec),
        (error: unknown) => {
          assert.ok(error instanceof PatchError, String(error))
          assert.deepEqual([error.code, error.message], [code, message])
          return true
        },
      )
    })
})
