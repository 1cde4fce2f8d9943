import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '../../api/index.ts'
import {
  ContainerConfigError,
  type EnvSources,
  environment,
  expand,
  podField,
  resourceField,
  subPathOf,
} from './env.ts'
import { container, pod } from './testing.ts'

const service = (name: string, namespace: string, spec: Partial<core.ServiceSpec>): core.Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace, uid: '', resourceVersion: '', creationTimestamp: '' },
  spec,
  status: { loadBalancer: {} },
})

const meta = { namespace: 'shop', uid: '', resourceVersion: '', creationTimestamp: '' }

const sources = (more: Partial<EnvSources> = {}): EnvSources => ({
  configMap: async name =>
    name === 'settings'
      ? { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...meta, name }, data: { colour: 'red', size: 'L' } }
      : undefined,
  secret: async name =>
    name === 'keys'
      ? { apiVersion: 'v1', kind: 'Secret', metadata: { ...meta, name }, data: { token: 'czNjcmV0' } }
      : undefined,
  services: [],
  podIps: ['10.1.0.7'],
  nodeIps: ['192.0.2.1'],
  nodeName: 'n1',
  allocatable: { cpu: '4', memory: '8Gi' },
  ...more,
})

const of = (env: core.EnvVar[], more: Partial<core.Container> = {}, from = sources()) =>
  environment(pod(), container('main', { env, ...more }), from)

test('$(NAME) is replaced, $$ is one dollar, the unknown stays', () => {
  const values: Record<string, string> = { A: 'x', B: '$(A)' }
  const value = (name: string) => values[name]
  assert.equal(expand('$(A)-$(B)-$(C)', value), 'x-$(A)-$(C)')
  assert.equal(expand('$$(A) $$ $', value), '$(A) $ $')
  assert.equal(expand('$(A', value), '$(A')
})

test('a variable may use those before it', async () => {
  const result = await of([
    { name: 'HOST', value: 'db' },
    { name: 'URL', value: 'http://$(HOST):$(PORT)/' },
    { name: 'PORT', value: '80' },
  ])
  assert.equal(result.get('URL'), 'http://db:$(PORT)/')
})

test('values from ConfigMaps, Secrets, the pod and its resources', async () => {
  const result = await of([
    { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } },
    { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
    { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
    { name: 'NOTHING', valueFrom: { configMapKeyRef: { name: 'gone', key: 'x', optional: true } } },
  ])
  assert.deepEqual(Object.fromEntries(result), { COLOUR: 'red', TOKEN: 's3cret', IP: '10.1.0.7', CPU: '4' })
})

test('what is missing is said as upstream says it', async () => {
  const missing = (env: core.EnvVar) => of([env])
  await assert.rejects(missing({ name: 'A', valueFrom: { configMapKeyRef: { name: 'gone', key: 'x' } } }), {
    name: ContainerConfigError.name,
    message: 'configmap "gone" not found',
    reason: 'CreateContainerConfigError',
  })
  await assert.rejects(missing({ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'x' } } }), {
    message: "couldn't find key x in ConfigMap shop/settings",
  })
})

test('envFrom comes first, so that env wins', async () => {
  const envFrom = [{ prefix: 'CM_', configMapRef: { name: 'settings' } }, { secretRef: { name: 'keys' } }]
  const result = await of([{ name: 'CM_size', value: 'XL' }], { envFrom })
  assert.deepEqual(Object.fromEntries(result), { CM_colour: 'red', CM_size: 'XL', token: 's3cret' })
})

test('Services of the namespace, and the API wherever the pod is', async () => {
  const services = [
    service('kubernetes', 'default', { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443 }] }),
    service('my-db', 'shop', { clusterIP: '10.96.0.9', ports: [{ port: 5432, protocol: 'TCP' }] }),
    service('headless', 'shop', { clusterIP: 'None', ports: [{ port: 1 }] }),
    service('other', 'elsewhere', { clusterIP: '10.96.0.8', ports: [{ port: 1 }] }),
  ]
  const result = await of([], {}, sources({ services }))
  assert.equal(result.get('KUBERNETES_SERVICE_HOST'), '10.96.0.1')
  assert.equal(result.get('KUBERNETES_SERVICE_PORT_HTTPS'), '443')
  assert.equal(result.get('MY_DB_PORT_5432_TCP'), 'tcp://10.96.0.9:5432')
  assert.equal(result.has('HEADLESS_SERVICE_HOST'), false)
  assert.equal(result.has('OTHER_SERVICE_HOST'), false)
})

test('the downward API', () => {
  const from = { podIps: ['10.1.0.7'], nodeIps: ['192.0.2.1'], nodeName: 'n1' }
  assert.equal(podField(pod(), "metadata.labels['app']", from), 'web')
  assert.equal(podField(pod(), 'metadata.labels', from), 'app="web"')
  assert.throws(() => podField(pod(), 'status.phase', from), ContainerConfigError)
  const main = container('main', { resources: { limits: { cpu: '1500m', memory: '64Mi' } } })
  const whole = pod({ containers: [main] })
  assert.equal(resourceField(whole, { resource: 'limits.cpu' }, main, {}), '2')
  assert.equal(resourceField(whole, { resource: 'limits.cpu', divisor: '1m' }, main, {}), '1500')
  assert.equal(resourceField(whole, { resource: 'requests.memory', divisor: '1Mi' }, main, {}), '64')
})

test('the place that a mount shows inside its volume, which lies in it', () => {
  const variables = new Map([
    ['POD', 'web'],
    ['EMPTY', ''],
    ['ROOT', '/tmp'],
    ['UP', '..'],
  ])
  const place = (subPathExpr: string) => subPathOf({ name: 'data', mountPath: '/data', subPathExpr }, variables)
  assert.equal(subPathOf({ name: 'data', mountPath: '/data' }, variables), '')
  assert.equal(subPathOf({ name: 'data', mountPath: '/data', subPath: '$(POD)' }, variables), '$(POD)')
  assert.equal(place('logs/$(POD)'), 'logs/web')
  for (const [written, message] of [
    ['$(NONE)/$(EMPTY)/$(POD)', 'missing value for EMPTY, NONE'],
    ['$(ROOT)', 'error SubPath `/tmp` must not be an absolute path'],
    ['a/$(UP)/b', "unable to provision SubPath `a/../b`: must not contain '..'"],
  ] as const)
    assert.throws(() => place(written), { name: ContainerConfigError.name, message }, written)
})
