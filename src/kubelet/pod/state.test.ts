import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../base/index.ts'
import { type ContainerStatus, labels, type Runtime } from '../runtime/runtime.ts'
import { StateReader } from './state.ts'
import { container, exited, pod } from './testing.ts'

const limited = pod({ containers: [container('main', { resources: { limits: { memory: '16Mi' } } })] })

/** A runtime with one container, which ended at this moment as `end` says. */
function runtimeWith(clock: VirtualClock, end: Partial<ContainerStatus>) {
  const status = exited('main', 137, { labels: { [labels.containerName]: 'main' }, finishedAt: clock.now(), ...end })
  const parts: Partial<Runtime> = {
    listSandboxes: async () => [],
    listContainers: async () => [status],
    containerStatus: async () => ({ ...status }),
    stopContainer: async () => {},
  }
  const reader = new StateReader(parts as Runtime, clock)
  const look = async (of = limited) => {
    const [found] = (await reader.read(of)).containers
    return found?.settling ? 'settling' : `${found?.state} ${found?.reason}`
  }
  return { status, reader, look }
}

test('a container with a memory limit that was killed is looked at again before its end is final', async () => {
  const clock = new VirtualClock()
  const { status, look } = runtimeWith(clock, {})
  assert.equal(await look(), 'settling')
  status.reason = 'OOMKilled'
  assert.equal(await look(), 'exited OOMKilled')
})

test('a container that somebody else killed ends soon after', async () => {
  const clock = new VirtualClock()
  const { status, look } = runtimeWith(clock, {})
  assert.equal(await look(), 'settling')
  await clock.advance(500)
  assert.equal(await look(), 'exited Error')
  status.reason = 'OOMKilled'
  assert.equal(await look(), 'exited Error', 'what is final is not asked for again')
})

test('all other ends are final at once', async () => {
  const clock = new VirtualClock()
  assert.equal(await runtimeWith(clock, { exitCode: 1 }).look(), 'exited Error')
  assert.equal(await runtimeWith(clock, { reason: 'OOMKilled' }).look(), 'exited OOMKilled')
  assert.equal(await runtimeWith(clock, { finishedAt: clock.now() - 60_000 }).look(), 'exited Error')
  assert.equal(await runtimeWith(clock, {}).look(pod()), 'exited Error', 'it has no limit')
  const stopped = runtimeWith(clock, {})
  await stopped.reader.stop('main-id', 1)
  assert.equal(await stopped.look(), 'exited Error', 'the kubelet killed it')
})
