import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '../api/index.ts'
import type { Client } from '../client/index.ts'
import { Cache } from './cache.ts'
import { fitMessage } from './fit-message.ts'
import { defaultPlugins } from './plugins/index.ts'
import { Profile } from './profile.ts'
import { testContainer, testNode, testPod } from './testing.ts'

const profile = () => new Profile(defaultPlugins({} as Client))

function cacheOf(...nodes: core.Node[]): Cache {
  const cache = new Cache()
  for (const node of nodes) cache.setNode(node)
  return cache
}

/** The node's name, or the message of failure as FailedScheduling has it. */
function find(pod: core.Pod, cache: Cache, using = profile()): string {
  const state = new Map()
  const outcome = using.findNode(state, pod, cache)
  if ('node' in outcome) return outcome.node
  return [fitMessage(outcome.failure), ...using.postFilter(state, pod, outcome.failure)].join(' ')
}

const asking = (name: string, requests: Record<string, string>) =>
  testPod(name, { containers: [testContainer(requests)] })
const noVictims = (nodes: number) =>
  `preemption: 0/${nodes} nodes are available: ${nodes} No preemption victims found for incoming pod.`
const unhelpful = (nodes: number) =>
  `preemption: 0/${nodes} nodes are available: ${nodes} Preemption is not helpful for scheduling.`

test('a pod fits until the requests of all pods on the node exceed what it has', () => {
  const cache = cacheOf(testNode('a'))
  cache.setPod(asking('first', { cpu: '3', memory: '1Gi' }), 'a')
  assert.equal(find(asking('fits', { cpu: '1' }), cache), 'a')
  assert.equal(
    find(asking('big', { cpu: '1001m', memory: '8Gi' }), cache),
    `0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. ${noVictims(1)}`,
  )
  cache.removePod('uid-first')
  assert.equal(find(asking('big', { cpu: '1001m', memory: '8Gi' }), cache), 'a')
})

test('what even the empty node cannot give, preemption cannot give either', () => {
  assert.equal(
    find(asking('huge', { cpu: '100' }), cacheOf(testNode('a'))),
    `0/1 nodes are available: 1 Insufficient cpu. ${unhelpful(1)}`,
  )
})

test('extended resources and the number of pods are limits too', () => {
  const cache = cacheOf(testNode('a', {}, { cpu: '4', memory: '8Gi', pods: '1' }))
  assert.match(find(asking('gpu', { 'example.com/gpu': '1' }), cache), /1 Insufficient example\.com\/gpu\./)
  cache.setPod(testPod('first'), 'a')
  assert.equal(find(testPod('second'), cache), `0/1 nodes are available: 1 Too many pods. ${noVictims(1)}`)
})

test('init containers count by their peak, sidecars beside the others', () => {
  const cache = cacheOf(testNode('a'))
  const pod = (sidecar: string, init: string, main: string) =>
    testPod('p', {
      initContainers: [
        testContainer({ cpu: sidecar }, { restartPolicy: 'Always' }),
        testContainer({ cpu: init }),
      ] as core.Container[],
      containers: [testContainer({ cpu: main })],
    })
  assert.equal(find(pod('1', '3', '3'), cache), 'a')
  assert.match(find(pod('1', '3001m', '1'), cache), /Insufficient cpu/)
  assert.match(find(pod('1', '1', '3001m'), cache), /Insufficient cpu/)
})

test('each node says its own reason, and the reasons are counted and sorted', () => {
  const cache = cacheOf(
    testNode('cordoned', { unschedulable: true }),
    testNode('tainted', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] }),
    testNode('small', {}, { cpu: '1', memory: '8Gi', pods: '110' }),
    testNode('full'),
  )
  cache.setPod(asking('other', { cpu: '4' }), 'full')
  assert.equal(
    find(asking('pod', { cpu: '2' }), cache),
    '0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 Insufficient cpu. ' +
      'preemption: 0/4 nodes are available: 1 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling.',
  )
})

test('tolerations open tainted and cordoned nodes', () => {
  const tainted = cacheOf(testNode('a', { taints: [{ key: 'k', value: 'v', effect: 'NoExecute' }] }))
  const tolerating = (...tolerations: core.Toleration[]) => testPod('p', { tolerations })
  assert.equal(find(tolerating({ key: 'k', operator: 'Equal', value: 'v' }), tainted), 'a')
  assert.equal(find(tolerating({ key: 'k', operator: 'Exists', effect: 'NoExecute' }), tainted), 'a')
  assert.equal(find(tolerating({ operator: 'Exists' }), tainted), 'a')
  assert.match(find(tolerating({ key: 'k', operator: 'Equal', value: 'w' }), tainted), /untolerated taint\(s\)/)
  assert.match(
    find(tolerating({ key: 'k', operator: 'Exists', effect: 'NoSchedule' }), tainted),
    /untolerated taint\(s\)/,
  )
  const cordoned = cacheOf(testNode('a', { unschedulable: true }))
  assert.equal(find(tolerating({ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }), cordoned), 'a')
})

test('nodes with PreferNoSchedule taints come last', () => {
  const cache = cacheOf(testNode('a', { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] }), testNode('b'))
  const using = profile()
  assert.deepEqual([find(testPod('p'), cache, using), find(testPod('q'), cache, using)], ['b', 'b'])
})

test('nodeSelector and every operator of node affinity', () => {
  const node = testNode('a')
  node.metadata.labels = { zone: 'z1', cores: '8' }
  const cache = cacheOf(node)
  const matches = (key: string, operator: string, values?: string[]) => {
    const nodeSelectorTerms = [{ matchExpressions: [{ key, operator, values }] }] as core.NodeSelectorTerm[]
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } }
    return find(testPod('p', { affinity }), cache) === 'a'
  }
  assert.ok(matches('zone', 'In', ['z0', 'z1']))
  assert.ok(!matches('zone', 'NotIn', ['z1']))
  assert.ok(matches('absent', 'NotIn', ['z1']))
  assert.ok(matches('zone', 'Exists'))
  assert.ok(matches('absent', 'DoesNotExist'))
  assert.ok(matches('cores', 'Gt', ['7']) && !matches('cores', 'Gt', ['8']) && matches('cores', 'Lt', ['9']))
  assert.ok(!matches('zone', 'Gt', ['1']))
  assert.equal(find(testPod('p', { nodeSelector: { zone: 'z1' } }), cache), 'a')
  assert.equal(
    find(testPod('p', { nodeSelector: { zone: 'z2' } }), cache),
    `0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. ${unhelpful(1)}`,
  )
})

test("a DaemonSet's pod looks at its own node only", () => {
  const nodeSelectorTerms = [{ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: ['b'] }] }]
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } }
  const pod = testPod('p', { affinity, containers: [testContainer({ cpu: '4' })] })
  const cache = cacheOf(testNode('a'), testNode('b'), testNode('c'))
  assert.equal(find(pod, cache), 'b')
  cache.setPod(asking('other', { cpu: '1' }), 'b')
  assert.match(
    find(pod, cache),
    /^0\/3 nodes are available: 1 Insufficient cpu, 2 node\(s\) didn't satisfy plugin\(s\) \[NodeAffinity\]\./,
  )
})

test('host ports clash by protocol and address', () => {
  const cache = cacheOf(testNode('a'))
  const pod = (name: string, hostPort: number, protocol = 'TCP', hostIP?: string) =>
    testPod(name, {
      containers: [
        testContainer({}, { ports: [{ containerPort: 80, hostPort, protocol, hostIP } as core.ContainerPort] }),
      ],
    })
  cache.setPod(pod('first', 8080, 'TCP', '10.0.0.1'), 'a')
  assert.equal(find(pod('udp', 8080, 'UDP'), cache), 'a')
  assert.equal(find(pod('elsewhere', 8080, 'TCP', '10.0.0.2'), cache), 'a')
  assert.equal(
    find(pod('anywhere', 8080), cache),
    `0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. ${noVictims(1)}`,
  )
})

test('the emptier node is better, and equal nodes take turns', () => {
  const cache = cacheOf(testNode('a'), testNode('b'), testNode('c'))
  const using = profile()
  const three = ['1', '2', '3'].map(name => find(testPod(name), cache, using))
  assert.deepEqual(three.toSorted(), ['a', 'b', 'c'])
  cache.setPod(asking('x', { cpu: '2', memory: '4Gi' }), 'a')
  cache.setPod(asking('y', { cpu: '1', memory: '2Gi' }), 'b')
  assert.equal(find(asking('p', { cpu: '100m' }), cache, using), 'c')
})

test('a node that has the image is better than one that does not', () => {
  const having = testNode('b')
  having.status.images = [{ names: ['example.com/big:latest'], sizeBytes: 900 * 1024 * 1024 }]
  const cache = cacheOf(testNode('a'), having)
  const pod = testPod('p', { containers: [testContainer({}, { image: 'example.com/big' })] })
  const using = profile()
  assert.deepEqual([find(pod, cache, using), find(pod, cache, using)], ['b', 'b'])
})

test('preferred affinity outweighs emptiness', () => {
  const node = testNode('a')
  node.metadata.labels = { disk: 'ssd' }
  const cache = cacheOf(node, testNode('b'))
  cache.setPod(asking('x', { cpu: '1', memory: '2Gi' }), 'a')
  const preference = { matchExpressions: [{ key: 'disk', operator: 'In' as const, values: ['ssd'] }] }
  const preferred = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }] }
  assert.equal(find(testPod('p', { affinity: { nodeAffinity: preferred } }), cache), 'a')
})

test('in a large cluster only a part of the nodes is looked at, and all get their turn', () => {
  const cache = cacheOf(...Array.from({ length: 300 }, (_, index) => testNode(`n${index}`)))
  const using = profile()
  const found = new Set<string>()
  for (let index = 0; index < 300; index++) {
    const pod = testPod(`p${index}`)
    const node = find(pod, cache, using)
    cache.setPod(pod, node)
    found.add(node)
  }
  assert.ok(found.size > 200, `${found.size} nodes were used`)
})

test('preemptionPolicy Never is said, and possible victims are not denied', () => {
  const cache = cacheOf(testNode('a'))
  cache.setPod(asking('low', { cpu: '4' }), 'a')
  const pod = asking('high', { cpu: '1' })
  pod.spec.priority = 10
  assert.equal(find(pod, cache), '0/1 nodes are available: 1 Insufficient cpu.')
  pod.spec.preemptionPolicy = 'Never'
  assert.equal(
    find(pod, cache),
    '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.',
  )
})
