import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '../../api/index.ts'
import { podStatus, type StatusView } from './status.ts'
import { statusPatch } from './status-writer.ts'
import { container, exited, nothing, pod, run, state } from './testing.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)

const view = (more: Partial<StatusView> = {}): StatusView => ({
  reasons: new Map(),
  ready: () => true,
  started: () => true,
  ending: false,
  runtimeName: 'containerd',
  now: NOW,
  nodeIps: ['192.0.2.1'],
  ...more,
})

const condition = (status: core.PodStatus, type: string) => status.conditions?.find(found => found.type === type)

test('a pod before its containers', () => {
  const status = podStatus(pod(), nothing, view())
  assert.equal(status.phase, 'Pending')
  assert.equal(status.qosClass, 'BestEffort')
  assert.equal(status.hostIP, '192.0.2.1')
  assert.equal(status.startTime, '2026-01-02T03:04:05Z')
  assert.equal(status.observedGeneration, 3)
  assert.deepEqual(status.containerStatuses?.[0]?.state, { waiting: { reason: 'ContainerCreating' } })
  assert.equal(condition(status, 'Ready')?.message, 'containers with unready status: [main]')
  assert.equal(condition(status, 'PodReadyToStartContainers')?.status, 'False')
})

test('a pod that runs', () => {
  const status = podStatus(pod(), state(run('main')), view())
  assert.equal(status.phase, 'Running')
  assert.equal(status.podIP, '10.1.0.7')
  assert.deepEqual(status.podIPs, [{ ip: '10.1.0.7' }])
  const [main] = status.containerStatuses!
  assert.equal(main?.containerID, 'containerd://main-id')
  assert.equal(main?.ready, true)
  for (const type of ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'])
    assert.equal(condition(status, type)?.status, 'True', type)
})

test('phases of pods whose containers ended', () => {
  const phase = (restartPolicy: 'Always' | 'OnFailure' | 'Never', code: number, ending = false) =>
    podStatus(pod({ restartPolicy }), state(exited('main', code)), view({ ending })).phase
  assert.equal(phase('Never', 0), 'Succeeded')
  assert.equal(phase('Never', 1), 'Failed')
  assert.equal(phase('OnFailure', 1), 'Running')
  assert.equal(phase('OnFailure', 0), 'Succeeded')
  assert.equal(phase('Always', 0), 'Running')
  assert.equal(phase('Always', 0, true), 'Succeeded')
  assert.equal(phase('Always', 137, true), 'Failed')
})

test('a phase that is final stays', () => {
  const status = podStatus(pod({}, { phase: 'Failed' }), state(run('main')), view())
  assert.equal(status.phase, 'Failed')
})

test('a container that waits to be restarted says why, and how it ended', () => {
  const reasons = new Map([['main', { reason: 'CrashLoopBackOff', message: 'back-off 10s' }]])
  const [main] = podStatus(pod(), state(exited('main', 1, { restartCount: 2 })), view({ reasons })).containerStatuses!
  assert.deepEqual(main?.state, { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } })
  assert.equal(main?.lastState.terminated?.exitCode, 1)
  assert.equal(main?.restartCount, 2)
})

test('init containers hold the pod back', () => {
  const waiting = pod({ initContainers: [container('i')] })
  const status = podStatus(waiting, state(run('i')), view())
  assert.equal(status.phase, 'Pending')
  assert.deepEqual(status.containerStatuses?.[0]?.state, { waiting: { reason: 'PodInitializing' } })
  assert.equal(condition(status, 'Initialized')?.message, 'containers with incomplete status: [i]')
  const never = pod({ initContainers: [container('i')], restartPolicy: 'Never' })
  assert.equal(podStatus(never, state(exited('i', 1)), view()).phase, 'Failed')
})

test('readiness gates', () => {
  const gated = pod({ readinessGates: [{ conditionType: 'example.com/up' }] })
  const status = podStatus(gated, state(run('main')), view())
  assert.equal(condition(status, 'Ready')?.reason, 'ReadinessGatesNotReady')
  const open = { conditions: [{ type: 'example.com/up', status: 'True' }] }
  const opened = podStatus({ ...gated, status: open }, state(run('main')), view())
  assert.equal(condition(opened, 'Ready')?.status, 'True')
  assert.ok(condition(opened, 'example.com/up'), 'conditions of others are kept')
})

test('a condition that did not change keeps the time of its last transition', () => {
  const first = podStatus(pod(), state(run('main')), view())
  const later = podStatus(pod({}, first), state(run('main')), view({ now: NOW + 60_000 }))
  assert.deepEqual(later, first)
})

test('the patch names what changed, and takes away what no longer holds', () => {
  const before = podStatus(pod(), nothing, view())
  const after = podStatus(pod({}, before), state(run('main')), view())
  assert.equal(statusPatch(after, after), undefined)
  const patch = statusPatch(before, after) as Record<string, unknown>
  assert.deepEqual(Object.keys(patch).sort(), ['conditions', 'containerStatuses', 'phase', 'podIP', 'podIPs'])
  const ready = (patch.conditions as Record<string, unknown>[]).find(({ type }) => type === 'Ready')
  assert.equal(ready?.status, 'True')
  assert.equal(ready?.reason, null)
  assert.equal(ready?.message, null)
})
