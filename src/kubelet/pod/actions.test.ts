import assert from 'node:assert/strict'
import { test } from 'node:test'
import { computeActions, type ProbeView } from './actions.ts'
import { container, exited, nothing, pod, run, state } from './testing.ts'

const healthy: ProbeView = { started: () => true, failed: () => undefined }
const names = (containers: { name: string }[]) => containers.map(({ name }) => name)

test('a new pod gets a sandbox and then its containers', () => {
  const actions = computeActions(pod({ containers: [container('a'), container('b')] }), nothing, healthy)
  assert.deepEqual(actions.createSandbox, { attempt: 0 })
  assert.deepEqual(names(actions.start), ['a', 'b'])
  assert.equal(actions.killPod, false)
})

test('a pod that runs as it should needs nothing', () => {
  const actions = computeActions(pod(), state(run('main')), healthy)
  assert.deepEqual(actions, { killPod: false, createSandbox: undefined, start: [], kill: [] })
})

test('init containers run one after another, and the others after them', () => {
  const spec = { initContainers: [container('i1'), container('i2')] }
  assert.deepEqual(names(computeActions(pod(spec), nothing, healthy).start), ['i1'])
  assert.deepEqual(names(computeActions(pod(spec), state(run('i1')), healthy).start), [])
  assert.deepEqual(names(computeActions(pod(spec), state(exited('i1', 0)), healthy).start), ['i2'])
  const both = state(exited('i2', 0), exited('i1', 0))
  assert.deepEqual(names(computeActions(pod(spec), both, healthy).start), ['main'])
})

test('an init container that fails is tried again, unless the pod never restarts', () => {
  const spec = { initContainers: [container('i1')] }
  assert.deepEqual(names(computeActions(pod(spec), state(exited('i1', 1)), healthy).start), ['i1'])
  const never = computeActions(pod({ ...spec, restartPolicy: 'Never' }), state(exited('i1', 1)), healthy)
  assert.deepEqual(names(never.start), [])
  assert.equal(never.killPod, true)
})

test('a sidecar must have started before what follows it', () => {
  const spec = { initContainers: [container('s', { restartPolicy: 'Always' })] }
  const starting: ProbeView = { ...healthy, started: () => false }
  assert.deepEqual(names(computeActions(pod(spec), state(run('s')), starting).start), [])
  assert.deepEqual(names(computeActions(pod(spec), state(run('s')), healthy).start), ['main'])
  const died = computeActions(pod(spec), state(run('main'), exited('s', 1)), healthy)
  assert.deepEqual(names(died.start), ['s'])
})

test('sidecars are ended when nobody is left to serve', () => {
  const spec = { restartPolicy: 'Never' as const, initContainers: [container('s', { restartPolicy: 'Always' })] }
  const actions = computeActions(pod(spec), state(exited('main', 0), run('s')), healthy)
  assert.equal(actions.killPod, true)
})

test('restart policies', () => {
  const restarts = (restartPolicy: 'Always' | 'OnFailure' | 'Never', exitCode: number) =>
    computeActions(pod({ restartPolicy }), state(exited('main', exitCode)), healthy).start.length > 0
  assert.equal(restarts('Always', 0), true)
  assert.equal(restarts('OnFailure', 0), false)
  assert.equal(restarts('OnFailure', 1), true)
  assert.equal(restarts('Never', 1), false)
})

test('a container whose probe failed, or whose image changed, is replaced with upstream’s words', () => {
  const sick: ProbeView = { ...healthy, failed: () => 'LivenessProbe' }
  const [killed] = computeActions(pod(), state(run('main')), sick).kill
  assert.equal(killed?.message, 'Container main failed liveness probe, will be restarted')
  const changed = pod({ containers: [container('main', { image: 'web:2' })] })
  const actions = computeActions(changed, state(run('main')), healthy)
  assert.equal(actions.kill[0]?.message, 'Container main definition changed, will be restarted')
})

test('a sandbox that died takes the pod with it; one that is done is not made anew', () => {
  const dead = { ...state(exited('main', 137)), sandbox: { ...state().sandbox!, ready: false } }
  const actions = computeActions(pod(), dead, healthy)
  assert.equal(actions.killPod, true)
  assert.deepEqual(actions.createSandbox, { attempt: 1 })
  assert.deepEqual(names(actions.start), ['main'])
  assert.equal(computeActions(pod({ restartPolicy: 'Never' }), dead, healthy).createSandbox, undefined)
})
