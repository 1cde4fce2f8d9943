/**
 * Long lists: 10,000 custom resources against as many ConfigMaps of the same size; and 100,000 pods, streamed again and again to
 * a client in a process of its own, while clients create pods: what memory it takes, and what is left of the rate of the creates.
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
import { type Reader, startReader } from './support/reader.ts'
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
/** How often it is read before anything is written. */
const LISTS = 3
const WRITE_ROUNDS = 25
/** Of creates, in milliseconds: short, so that a busy moment of the machine befalls few of many. */
const WRITE_ROUND = 600
/** Milliseconds between two looks at the memory. */
const LOOK = 10
/** Bytes in a megabyte. */
const MEGABYTE = 1_000_000

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
  const memory = watchMemory(api, stack)
  const idle = await memory.most()
  for (let count = 0; count < LISTS; count++) {
    const time = await timeOf(() => read(api, PODS))
    progress(`LIST: ${time.toFixed(0)} ms, ${((await memory.most()) - idle).toFixed(1)} MB more`)
  }
  const alone = (await memory.most()) - idle
  const { rate, more } = await measureBeside(api, memory)
  const target = { of: 'value', most: 100 } as const
  return [
    { name: 'LIST of 100,000 pods, memory', value: alone, unit: 'MB', target },
    { name: 'that list beside creates, memory', value: more, unit: 'MB', target },
    { name: 'create of pods beside that list', unit: '/s', ...rate, target: { of: 'ratio', least: 0.9 } },
  ]
}

/** Creates per second with and without a client that reads the list, in turn; and how many MB more are used with it. */
async function measureBeside(
  api: Server,
  memory: Memory,
): Promise<{ rate: Pick<Figure, 'value' | 'bare'>; more: number }> {
  let count = 0
  const post = () => postRequest(PODS, pod(`new-${count++}`))
  const most = { alone: 0, beside: 0 }
  const creates = async (how: keyof typeof most) => {
    const [began, before, work] = [performance.now(), count, await workOf(api)]
    memory.forget()
    const rate = await rateOf(api, WRITERS, post, WRITE_ROUND)
    most[how] = Math.max(most[how], await memory.most())
    const [took, worked] = [performance.now() - began, (await workOf(api)) - work]
    const [busy, each] = [(100 * worked) / took, (1000 * worked) / (count - before)]
    progress(
      `creates: ${rate.toFixed(0)}/s; the server works ${busy.toFixed(0)} % of the time, ${each.toFixed(0)} µs for each`,
    )
    return rate
  }
  const usual: number[] = []
  const rates: number[] = []
  const reader = await startReader({ server: api, path: PODS })
  reader.pause()
  for (let round = 0; round < 1 + WRITE_ROUNDS; round++) {
    const [alone, beside] = [await creates('alone'), await whileReading(reader, () => creates('beside'))]
    progress(`memory: at most ${most.alone.toFixed(0)} MB, beside a list ${most.beside.toFixed(0)} MB`)
    if (round < 1) continue
    usual.push(alone)
    rates.push(beside)
  }
  await reader.stop()
  return { rate: against('without the list', rates, usual), more: Math.max(most.beside - most.alone, 0) }
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

async function whileReading<T>(reader: Reader, work: () => Promise<T>): Promise<T> {
  reader.resume()
  const [before, began] = [reader.bytes(), performance.now()]
  const done = await work()
  const [bytes, seconds] = [reader.bytes() - before, (performance.now() - began) / 1000]
  reader.pause()
  if (bytes === 0) throw new Error('nothing of the list came while others wrote')
  progress(`the list beside them: ${(bytes / MEGABYTE / seconds).toFixed(1)} MB/s`)
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

/** How much memory a server has. */
interface Memory {
  /** The most of late, in MB. */
  most(): Promise<number>
  /** What was so far does not count any more. */
  forget(): void
}

function watchMemory(server: Server, stack: AsyncDisposableStack): Memory {
  let most = 0
  const look = async () => {
    most = Math.max(most, await residentMemory(server))
    return most
  }
  const timer = setInterval(look, LOOK)
  stack.defer(() => clearInterval(timer))
  return {
    most: look,
    forget() {
      most = 0
    },
  }
}

/** Milliseconds that the server's process has worked so far. */
async function workOf({ pid }: Server): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // In hundredths of a second, for itself and for the system, counted from behind the name.
  const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12)
  return (Number(user) + Number(system)) * 10
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
