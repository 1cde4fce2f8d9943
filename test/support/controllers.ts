import { type core, formatTime, resources } from '../../src/api/index.ts'
import { type Clock, type Component, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts'
import { type Client, connect, Informers } from '../../src/client/index.ts'
import type { Context } from '../../src/controllers/context.ts'
import { startTestApiServer, type TestApiServer } from './apiserver.ts'

export interface TestControlPlane {
  api: TestApiServer
  client: Client
  /** Starts controllers, with informers of their own; they stop with the test, or when told to. */
  run(start: (context: Context) => Component[], clock?: Clock): Promise<Component>
}

/**
 * An API server, an administrator's client, and the controllers that a test starts on it. No scheduler, no kubelet. It
 * lives as long as the test; given `after` of node:test, as long as the file's tests.
 */
export async function startTestControlPlane(
  t: { after(stop: () => Promise<void>): void },
  options: Parameters<typeof startTestApiServer>[0] = {},
): Promise<TestControlPlane> {
  const api = await startTestApiServer(options)
  const client = connect({ server: api.url, ca: api.ca, ...api.admin })
  // Pods need one, and its controller may not be among those that the test starts.
  await client.create(resources.serviceAccounts, { metadata: { namespace: 'default', name: 'default' } })
  const running = new Set<Component>()
  t.after(async () => {
    for (const component of running) await component.stop()
    await client.close()
    await api.stop()
  })
  return {
    api,
    client,
    async run(start, clock = systemClock) {
      const informers = new Informers(client, { clock: systemClock, random: systemRandom, log: silentLogger })
      const components = start({ client, informers, clock, random: systemRandom, log: silentLogger })
      const component = {
        async stop() {
          running.delete(component)
          for (const each of components) await each.stop()
          await informers.stop()
        },
      }
      running.add(component)
      await informers.synced()
      return component
    },
  }
}

/** Holds for as long as nothing that was set going by now could still change it. */
export async function steadily(check: () => Promise<void> | void): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await check()
    await systemClock.sleep(30)
  }
}

export interface PodState {
  phase?: string
  ready?: boolean
  podIP?: string
}

/** What a kubelet would report. */
export async function setPodStatus(client: Client, pod: core.Pod, state: PodState): Promise<void> {
  const { phase = 'Running', ready = true, podIP } = state
  const condition = {
    type: 'Ready',
    status: ready ? 'True' : 'False',
    lastTransitionTime: formatTime(systemClock.now()),
  }
  const status = { phase, conditions: [condition], ...(podIP ? { podIP, podIPs: [{ ip: podIP }] } : {}) }
  await client.patch(resources.pods, pod.metadata, { type: 'strategic', body: { status } }, { subresource: 'status' })
}

export async function podsOf(client: Client, namespace = 'default', labelSelector?: string): Promise<core.Pod[]> {
  return (await client.list(resources.pods, { namespace, labelSelector })).items
}

export async function makeReady(client: Client, namespace = 'default'): Promise<void> {
  for (const pod of await podsOf(client, namespace)) {
    if (pod.status.phase === 'Running' || pod.metadata.deletionTimestamp) continue
    await setPodStatus(client, pod, {}).catch(() => {})
  }
}

/** In place of a kubelet: every pod becomes ready soon. */
export function keepReady(client: Client): Component {
  const stopping = new AbortController()
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await makeReady(client)
      await systemClock.sleep(20, stopping.signal).catch(() => {})
    }
  })()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}

export const podTemplate = (labels: Record<string, string>, image = 'demo:1') => ({
  metadata: { labels },
  spec: { containers: [{ name: 'main', image }] },
})

export const names = (objects: { metadata: { name: string } }[]): string[] =>
  objects.map(({ metadata }) => metadata.name).sort()
