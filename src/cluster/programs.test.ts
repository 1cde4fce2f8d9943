import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layout } from './layout.ts'
import { networkNames, programs } from './programs.ts'
import type { Settings } from './settings.ts'

const settings: Settings = {
  name: 'test',
  dataDirectory: '/data',
  nodeName: 'node-1',
  nodeIp: '192.0.2.7',
  podCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/16',
  domain: 'cluster.local',
  ports: { api: 1, kubelet: 2, kubeletHealth: 3, controllerManager: 4, scheduler: 5, proxyHealth: 6, dns: 7 },
  kubeconfig: '/root/.kube/config',
}

test('a device name has at most 15 characters, and no two clusters share one', () => {
  const names = ['k8ts', 'a'.repeat(11), 'a'.repeat(12), 'a'.repeat(30), `${'a'.repeat(29)}b`]
  const bridges = names.map(name => networkNames(name).bridge)
  for (const bridge of bridges) assert.ok(bridge.length <= 15, bridge)
  assert.equal(new Set(bridges).size, names.length)
  assert.equal(bridges[0], 'cni-k8ts')
})

test('every program needs only programs that there are, and none in a circle', () => {
  const all = programs(settings, layout('test', '/data'), ['node', 'k8ts.js'])
  const started = new Set<string>()
  for (let round = 0; round < all.length; round++) {
    for (const { name, needs } of all) if (needs.every(need => started.has(need))) started.add(name)
  }
  assert.deepEqual(
    all.map(({ name }) => name).filter(name => !started.has(name)),
    [],
  )
})

test('every component appears once', () => {
  const names = programs(settings, layout('test', '/data'), []).flatMap(({ components }) =>
    components.map(({ name }) => name),
  )
  assert.deepEqual(names.sort(), [
    'apiserver',
    'containerd',
    'controller-manager',
    'dns',
    'kubelet',
    'network',
    'proxy',
    'scheduler',
  ])
})
