import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { type core, errors } from '../api/index.ts'
import type { Entry } from '../store/index.ts'
import { nodeHttp } from './node-http.ts'
import { streamList } from './pipeline/stream.ts'
import type { Registry } from './registry/registry.ts'
import { type Served, unkept } from './registry/served.ts'
import { answer, type Verb } from './registry/verbs.ts'
import { chooseView } from './views/choose.ts'

/** Milliseconds. */
const PATIENCE = 2000

type Probe = (registry: Registry) => Promise<string>

/** What upstream looks at, where it does. Source: k8s.io/kubernetes/pkg/registry/core/rest storage_core.go */
const COMPONENTS: Record<string, Probe> = {
  'controller-manager': () => ask('http://127.0.0.1:10257/healthz'),
  'etcd-0': async ({ store }) => {
    await store.revision()
    return 'ok'
  },
  scheduler: () => ask('http://127.0.0.1:10259/healthz'),
}

/** ComponentStatuses are nowhere kept: whoever reads one has the component asked. */
export const componentStatusVerbs: Record<string, Verb> = {
  async get(registry, call, context) {
    const probe = COMPONENTS[call.name]
    if (!probe) throw errors.notFound(call.served.resource, call.name)
    const view = chooseView(registry, context, call)
    return answer(view, 200, await entryOf(registry, call.served, call.name, probe))
  },

  async list(registry, call, context) {
    const view = chooseView(registry, context, call)
    const probed = Object.entries(COMPONENTS).map(([name, probe]) => entryOf(registry, call.served, name, probe))
    const chunks = [await Promise.all(probed)]
    return streamList(context, view, { meta: {}, chunks, whole: true }, registry)
  },
}

async function entryOf(registry: Registry, served: Served, name: string, probe: Probe): Promise<Entry> {
  const status: core.ComponentStatus = {
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name } as core.ComponentStatus['metadata'],
    conditions: [await conditionOf(registry, probe)],
  }
  return unkept(served, status)
}

async function conditionOf(registry: Registry, probe: Probe): Promise<core.ComponentCondition> {
  try {
    return { type: 'Healthy', status: 'True', message: await probe(registry) }
  } catch (error) {
    return { type: 'Healthy', status: 'False', message: (error as Error).message }
  }
}

/** The answer's text; rejects unless it is a good one. */
async function ask(url: string): Promise<string> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = nodeHttp().get(url, { agent: false, timeout: PATIENCE }, resolve)
    sent.once('error', error => reject(new Error(`Get "${url}": ${error.message}`)))
    sent.once('timeout', () => sent.destroy(new Error('context deadline exceeded')))
  })
  const message = await text(answer)
  if (answer.statusCode !== 200) throw new Error(message)
  return message
}
