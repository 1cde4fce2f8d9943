/**
 * Long lists: 10,000 custom resources against as many ConfigMaps of the same size; and 100,000 pods, streamed again and again
 * while clients create pods: what memory it takes, and what is left of the rate of the creates.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLogger, systemClock } from '../src/base/index.ts'
import { openLmdb } from '../src/store/index.ts'
import { against, type Figure } from './support/figures.ts'
import { postRequest, rateOf, sendAll } from './support/load.ts'
import { main, progress } from './support/main.ts'
import { fetchOnce, type Server, startServer } from './support/server.ts'

const WARM_UP = 2
const ROUNDS = 9
const WRITERS = 64
const NAMESPACE = '/api/v1/namespaces/default'
const PODS = `${NAMESPACE}/pods`

const OBJECTS = 10_000
/** Bytes of each object as GET shows it. */
const SIZE = 1_500
const WIDGETS = '/apis/bench.k8ts.local/v1/namespaces/default/widgets'

const STORED_PODS = 100_000
const WRITE_ROUNDS = 5
/** Of creates, in milliseconds. */
const WRITE_ROUND = 1_500
/** Milliseconds between two looks at the memory. */
const LOOK = 10

async function measure(stack: AsyncDisposableStack): Promise<Figure[]> {
  return [await measureCustom(stack), ...(await measureStreamed(stack))]
}

async function measureCustom(outer: AsyncDisposableStack): Promise<Figure> {
  await using stack = outer.use(new AsyncDisposableStack())
  const api = await startServer({ kind: 'apiserver' }, stack)
  await defineWidgets(api)
  const configMaps = `${NAMESPACE}/configmaps`
  await fill(api, configMaps, (name, text) => ({ metadata: { name }, data: { text } }))
  await fill(api, WIDGETS, (name, text) => ({
    apiVersion: 'bench.k8ts.local/v1',
    kind: 'Widget',
    metadata: { name },
    spec: { text },
  }))
  const limits: number[] = []
  const times: number[] = []
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const [limit, time] = [await timeOf(() => read(api, configMaps)), await timeOf(() => read(api, WIDGETS))]
    progress(`LIST: ConfigMaps ${limit.toFixed(1)} ms, custom resources ${time.toFixed(1)} ms`)
    if (round < WARM_UP) continue
    limits.push(limit)
    times.push(time)
  }
  const figure = against('ConfigMaps of that size', times, limits)
  return { name: 'LIST of 10,000 custom resources', unit: 'ms', ...figure, target: { of: 'ratio', most: 1.1 } }
}

async function defineWidgets(api: Server): Promise<void> {
  const names = { kind: 'Widget', plural: 'widgets', singular: 'widget' }
  const spec = { type: 'object', properties: { text: { type: 'string' } } }
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } }
  const versions = [{ name: 'v1', served: true, storage: true, schema }]
  const definition = {
    metadata: { name: 'widgets.bench.k8ts.local' },
    spec: { group: 'bench.k8ts.local', scope: 'Namespaced', names, versions },
  }
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  await fetchOnce(api, 'POST', definitions, JSON.stringify(definition))
  while (!(await fetchOnce(api, 'GET', WIDGETS).catch(() => undefined))) await sleep(LOOK)
}

/** Creates objects that all have the same size. */
async function fill(api: Server, path: string, make: (name: string, text: string) => object): Promise<void> {
  const body = (index: number, text: string) => JSON.stringify(make(`object-${String(index).padStart(6, '0')}`, text))
  const { length } = await fetchOnce(api, 'POST', path, body(0, ''))
  const text = 'x'.repeat(SIZE - length)
  const posts = Array.from({ length: OBJECTS }, (_, index) => postRequest(path, body(index + 1, text)))
  await sendAll(api, WRITERS, posts)
}

async function measureStreamed(outer: AsyncDisposableStack): Promise<Figure[]> {
  await using stack = outer.use(new AsyncDisposableStack())
  const path = await storePods(stack)
  // A server that has just read its store: nothing that filling it would have left in memory hides what the list takes.
  const api = await startServer({ kind: 'apiserver', path }, stack)
  await addAccount(api)
  const memory = await watchMemory(api, stack)
  let count = 0
  const post = () => postRequest(PODS, pod(`new-${count++}`))
  const creates = () => rateOf(api, WRITERS, post, WRITE_ROUND)
  const usual: number[] = []
  const rates: number[] = []
  for (let round = 0; round < 1 + WRITE_ROUNDS; round++) {
    const [alone, beside] = [await creates(), await whileReading(api, creates)]
    progress(`creates: ${alone.toFixed(0)}, beside a list ${beside.toFixed(0)}, ${memory.growth().toFixed(1)} MB more`)
    if (round < 1) continue
    usual.push(alone)
    rates.push(beside)
  }
  const rate = against('without the list', rates, usual)
  return [
    { name: 'LIST of 100,000 pods, memory', value: memory.growth(), unit: 'MB', target: { of: 'value', most: 100 } },
    { name: 'create of pods beside that list', unit: '/s', ...rate, target: { of: 'ratio', least: 0.9 } },
  ]
}

/** Pods need their namespace's account, which the controllers would have made. */
const addAccount = (api: Server) =>
  fetchOnce(api, 'POST', `${NAMESPACE}/serviceaccounts`, JSON.stringify({ metadata: { name: 'default' } }))

/** The directory of a store that holds as many copies of a pod, in the form that the API server keeps. */
async function storePods(stack: AsyncDisposableStack): Promise<string> {
  const kept = await keptPod()
  const path = await mkdtemp(join(tmpdir(), 'k8ts-bench-lists-'))
  stack.defer(() => rm(path, { recursive: true }))
  const store = await openLmdb({ path, clock: systemClock, log: silentLogger })
  for (let first = 0; first < STORED_PODS; first += 1000) {
    const names = Array.from({ length: 1000 }, (_, index) => `web-${first + index}`)
    const value = (name: string) => Buffer.from(kept.replace('"name":"web"', `"name":"${name}"`))
    await Promise.all(names.map(name => store.create(`/registry/pods/default/${name}`, value(name))))
  }
  await store.close()
  return path
}

async function keptPod(): Promise<string> {
  await using stack = new AsyncDisposableStack()
  const api = await startServer({ kind: 'apiserver' }, stack)
  await addAccount(api)
  const shown = await fetchOnce(api, 'POST', PODS, pod('web'))
  return shown
    .toString()
    .trimEnd()
    .replace(/"resourceVersion":"\d+",/, '')
}

/** Does the work while a client reads the list, as often as it can. */
async function whileReading<T>(api: Server, work: () => Promise<T>): Promise<T> {
  let over = false
  const readOn = async () => {
    while (!over) await read(api, PODS)
  }
  const stop = async () => {
    const done = await work()
    over = true
    return done
  }
  const [done] = await Promise.all([stop(), readOn()])
  return done
}

/** Takes an answer and keeps nothing of it. Rejects unless it is success, and whole. */
function read(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...server, host: '127.0.0.1', path, agent: false }, response => {
      response.on('error', reject)
      response.on('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`GET ${path}: ${response.statusCode}`)),
      )
      response.resume()
    })
    sent.on('error', reject)
    sent.end()
  })
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

interface Memory {
  /** The most that it has had so far above what it began with, in MB. */
  growth(): number
}

async function watchMemory(server: Server, stack: AsyncDisposableStack): Promise<Memory> {
  const idle = await residentMemory(server)
  let most = idle
  const timer = setInterval(async () => {
    most = Math.max(most, await residentMemory(server))
  }, LOOK)
  stack.defer(() => clearInterval(timer))
  return { growth: () => most - idle }
}

/** In MB, without the pages of the store's file, which are the kernel's cache and not the process's own. */
async function residentMemory({ pid }: Server): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^RssAnon:\s+(\d+)/m.exec(status)![1]) / 1024
}

const pod = (name: string) =>
  JSON.stringify({
    metadata: { name, labels: { app: 'web', 'pod-template-hash': '5d4f8c7b9' } },
    spec: { containers: [{ name: 'web', image: 'k8ts.local/demo:latest', ports: [{ containerPort: 8080 }] }] },
  })

if (import.meta.main) await main(measure)
