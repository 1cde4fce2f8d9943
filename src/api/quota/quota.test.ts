import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { core, ResourceList } from '../index.ts'
import { evaluatorOf, inScopes, isTerminating } from './index.ts'

/** What upstream's quotas count; seen in the status of quotas that its controller keeps. */

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
const podEvaluator = evaluatorOf({ group: '', resource: 'pods' })
const container = (requests?: ResourceList, limits?: ResourceList, more: object = {}) => ({
  name: 'main',
  resources: { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) },
  ...more,
})
const podOf = (spec: object, status: object = {}, metadata: object = {}) =>
  ({ metadata, spec: { containers: [container()], ...spec }, status }) as unknown as core.Pod
const usageOf = (pod: core.Pod) => {
  const { 'count/pods': count, pods, ...rest } = podEvaluator.usage(pod, NOW)
  assert.equal(count, '1')
  return { ...rest, ...(pods === '1' ? {} : { none: pods }) }
}
const resizing = (resources: object, allocatedResources: ResourceList, conditions: object[] = []) => ({
  containerStatuses: [{ name: 'main', resources, allocatedResources }],
  conditions,
})
const SIDECAR = { name: 'sidecar', restartPolicy: 'Always' }
const onlyCounted = { none: undefined }

describe('what a pod uses', () => {
  const cases: Record<string, [core.Pod, object]> = {
    nothing: [podOf({}), {}],
    'requests and limits': [
      podOf({
        containers: [container({ cpu: '500m', memory: '1Gi' }), container({ cpu: '0.5' }, { memory: '512Mi' })],
      }),
      { cpu: '1', memory: '1Gi', 'requests.cpu': '1', 'requests.memory': '1Gi', 'limits.memory': '512Mi' },
    ],
    'huge pages and other resources': [
      podOf({
        containers: [container({ 'hugepages-2Mi': '4Mi', 'example.com/gpu': '2' }, { 'example.com/gpu': '2' })],
      }),
      { 'hugepages-2Mi': '4Mi', 'requests.hugepages-2Mi': '4Mi', 'requests.example.com/gpu': '2' },
    ],
    'init containers': [
      podOf({
        containers: [container({ cpu: '100m' })],
        initContainers: [container({ cpu: '100m' }, undefined, SIDECAR), container({ cpu: '200m' })],
      }),
      { cpu: '300m', 'requests.cpu': '300m' },
    ],
    'the pod as a whole': [
      podOf({
        containers: [container({ cpu: '2', 'example.com/gpu': '1' })],
        resources: { requests: { cpu: '1' }, limits: { cpu: '3' } },
      }),
      { cpu: '1', 'requests.cpu': '1', 'limits.cpu': '3', 'requests.example.com/gpu': '1' },
    ],
    overhead: [
      podOf({ containers: [container({ cpu: '1' }, { cpu: '2' })], overhead: { cpu: '100m', memory: '1Mi' } }),
      { cpu: '1100m', 'requests.cpu': '1100m', 'limits.cpu': '2100m', memory: '1Mi', 'requests.memory': '1Mi' },
    ],
    'a resize that goes on': [
      podOf(
        { containers: [container({ cpu: '1' }, { cpu: '2' })] },
        resizing({ requests: { cpu: '2' }, limits: { cpu: '4' } }, { cpu: '3' }),
      ),
      { cpu: '3', 'requests.cpu': '3', 'limits.cpu': '4' },
    ],
    'a resize that cannot be': [
      podOf(
        { containers: [container({ cpu: '8' }, { cpu: '9' })] },
        resizing({ requests: { cpu: '1' }, limits: { cpu: '4' } }, { cpu: '2' }, [
          { type: 'PodResizePending', reason: 'Infeasible' },
        ]),
      ),
      { cpu: '2', 'requests.cpu': '2', 'limits.cpu': '4' },
    ],
    'a pod that is over': [podOf({ containers: [container({ cpu: '1' })] }, { phase: 'Succeeded' }), onlyCounted],
    'a pod that goes': [
      podOf({}, {}, { deletionTimestamp: '2026-01-02T03:04:00Z', deletionGracePeriodSeconds: 30 }),
      {},
    ],
    'a pod that should long be gone': [
      podOf({}, {}, { deletionTimestamp: '2026-01-02T03:03:00Z', deletionGracePeriodSeconds: 30 }),
      onlyCounted,
    ],
  }
  for (const [name, [pod, used]] of Object.entries(cases)) test(name, () => assert.deepEqual(usageOf(pod), used))
})

test('what a pod has to speak of', () => {
  const lacks = (names: string[], spec: object) => podEvaluator.lacks?.(podOf(spec), names)
  const containers = [container({ cpu: '1' }, { memory: '1' }), container({}, {}, { name: 'other' })]
  assert.equal(
    lacks(['requests.cpu', 'pods', 'limits.memory', 'cpu'], { containers }),
    'must specify cpu for: other; limits.memory for: other; requests.cpu for: other',
  )
  assert.equal(lacks(['ephemeral-storage', 'requests.example.com/gpu', 'pods'], { containers }), undefined)
  assert.equal(lacks(['cpu'], { containers, resources: { requests: { memory: '1' } } }), undefined)
  assert.equal(lacks(['cpu'], { initContainers: [container()] }), 'must specify cpu for: main')
})

test('what a service, a claim for storage and one for devices use', () => {
  const used = (resource: string, spec: object, status: object = {}, group = '') =>
    evaluatorOf({ group, resource }).usage({ metadata: {}, spec, status } as never, NOW)
  const ports = [{ port: 1 }, { port: 2, nodePort: 30_000 }]
  const service = (spec: object) => Object.values(used('services', { ports, ...spec })).join()
  assert.equal(service({ type: 'ClusterIP' }), '1,1,0,0')
  assert.equal(service({ type: 'NodePort' }), '1,1,2,0')
  assert.equal(service({ type: 'LoadBalancer' }), '1,1,2,1')
  assert.equal(service({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false }), '1,1,1,1')

  const claim = (storage: string, status: object = {}) =>
    used('persistentvolumeclaims', { storageClassName: 'gold', resources: { requests: { storage } } }, status)
  assert.deepEqual(claim('1Gi', { allocatedResources: { storage: '2Gi' } }), {
    'count/persistentvolumeclaims': '1',
    persistentvolumeclaims: '1',
    'requests.storage': '2Gi',
    'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
    'gold.storageclass.storage.k8s.io/requests.storage': '2Gi',
  })
  assert.equal(claim('1500m')['requests.storage'], '2')

  const ofClass = (deviceClassName: string, allocationMode: string, count?: number) => ({
    deviceClassName,
    allocationMode,
    count,
  })
  const requests = [
    { exactly: ofClass('gpu', 'ExactCount', 3) },
    { firstAvailable: [ofClass('gpu', 'ExactCount', 2), ofClass('gpu', 'ExactCount', 4), ofClass('nic', 'All')] },
  ]
  assert.deepEqual(used('resourceclaims', { devices: { requests } }, {}, 'resource.k8s.io'), {
    'count/resourceclaims.resource.k8s.io': '1',
    'gpu.deviceclass.resource.k8s.io/devices': '7',
    'nic.deviceclass.resource.k8s.io/devices': '32',
  })
})

test('all else is counted, some of it by two names', () => {
  const used = (group: string, resource: string) => evaluatorOf({ group, resource }).usage({} as never, NOW)
  assert.deepEqual(used('example.com', 'widgets'), { 'count/widgets.example.com': '1' })
  assert.deepEqual(used('', 'secrets'), { 'count/secrets': '1', secrets: '1' })
  assert.deepEqual(used('', 'endpoints'), { 'count/endpoints': '1' })
})

test('which resources of a quota pods use', () => {
  const measured = (names: string[]) => names.filter(podEvaluator.measures)
  const ofPods = [
    'pods',
    'count/pods',
    'limits.cpu',
    'hugepages-2Mi',
    'requests.hugepages-2Mi',
    'requests.example.com/a',
  ]
  assert.deepEqual(measured(ofPods), ofPods)
  assert.deepEqual(measured(['services', 'count/deployments.apps', 'requests.storage', 'limits.example.com/a']), [])
})

test('which scopes a pod is in', () => {
  const scopes = (pod: core.Pod) =>
    ['Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'PriorityClass', 'CrossNamespacePodAffinity']
      .filter(scope => inScopes(podEvaluator, { spec: { scopes: [scope] } } as core.ResourceQuota, pod))
      .join()
  assert.equal(scopes(podOf({}, { qosClass: 'BestEffort' })), 'NotTerminating,BestEffort')
  assert.equal(
    scopes(podOf({ activeDeadlineSeconds: 0, priorityClassName: 'high' }, { qosClass: 'Burstable' })),
    'Terminating,NotBestEffort,PriorityClass',
  )
  const beyond = { topologyKey: 'zone', namespaceSelector: {} }
  const affinity = {
    podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ podAffinityTerm: beyond }] },
  }
  assert.equal(scopes(podOf({ affinity })), 'NotTerminating,NotBestEffort,CrossNamespacePodAffinity')
  assert.ok(isTerminating(podOf({ activeDeadlineSeconds: 0 })))
})

test('a scope that names values', () => {
  const matches = (operator: string, priorityClassName?: string) => {
    const matchExpressions = [{ scopeName: 'PriorityClass', operator, values: ['high'] }]
    const quota = { spec: { scopeSelector: { matchExpressions } } } as core.ResourceQuota
    return inScopes(podEvaluator, quota, podOf({ priorityClassName }))
  }
  const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist']
  const matching = (name?: string) => operators.filter(operator => matches(operator, name)).join()
  assert.equal(matching('high'), 'In,Exists')
  assert.equal(matching('low'), 'NotIn,Exists')
  assert.equal(matching(), 'NotIn,DoesNotExist')
})

test('a claim is in a scope by any of its classes, and other objects are in none', () => {
  const matchExpressions = [{ scopeName: 'VolumeAttributesClass', operator: 'In', values: ['fast'] }]
  const quota = { spec: { scopeSelector: { matchExpressions } } } as core.ResourceQuota
  const claims = evaluatorOf({ group: '', resource: 'persistentvolumeclaims' })
  const claim = (spec: object, status: object) => ({ spec, status }) as never
  assert.ok(inScopes(claims, quota, claim({ volumeAttributesClassName: 'fast' }, {})))
  assert.ok(
    inScopes(claims, quota, claim({ volumeAttributesClassName: 'slow' }, { currentVolumeAttributesClassName: 'fast' })),
  )
  assert.ok(!inScopes(claims, quota, claim({}, {})))
  assert.ok(!inScopes(evaluatorOf({ group: '', resource: 'secrets' }), quota, claim({}, {})))
})
