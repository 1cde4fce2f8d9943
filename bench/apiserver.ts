/**
 * The API server against a bare Node HTTPS server that sends the same bytes, and durable creates per second.
 * Each server is a process of its own, on one core where `taskset` is to be had; this process makes the load.
 *
 *     node bench/apiserver.ts [get] [list] [create] [start]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { connect, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { createTestPki } from '../test/support/pki.ts'
import type { Instructions } from './support/apiserver-process.ts'

interface Served {
  port: number
  ca: string
  cert: string
  key: string
  process: ChildProcess
  /** Milliseconds from the start of the process until it serves. */
  started: number
}

const SOURCE = fileURLToPath(new URL('./support/apiserver-process.ts', import.meta.url))
const SECONDS = Number(process.env.BENCH_SECONDS ?? 2)
const ROUNDS = 5
const PODS = Number(process.env.BENCH_PODS ?? 10_000)

const pki = await createTestPki()
const admin = await pki.identity('kubernetes-admin', ['system:masters'])

/** `body`: what the bare server sends; none to start the API server. */
async function start(body?: Buffer, program = SOURCE): Promise<Served> {
  const pinned = existsSync('/usr/bin/taskset') ? ['taskset', '-c', '0'] : []
  const [command, ...args] = [...pinned, process.execPath, ...process.execArgv, program]
  const { ca, serving, tokens } = pki
  const instructions: Instructions = { ca, serving, tokens, ...(body ? { body: body.toString('base64') } : {}) }
  const began = performance.now()
  const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin!.end(JSON.stringify(instructions))
  const [port] = (await once(createInterface(child.stdout!), 'line')) as [string]
  return { port: Number(port), ca, ...admin, process: child, started: performance.now() - began }
}

async function stop({ process: child }: Served): Promise<void> {
  child.kill()
  await once(child, 'exit')
}

/** One whole answer, through Node's own client. */
function fetchOnce(server: Served, method: string, path: string, body?: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { port, ca, cert, key } = server
    const sent = request({ host: '127.0.0.1', port, ca, cert, key, method, path, agent: false }, async response => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      const answer = Buffer.concat(chunks)
      if (response.statusCode! < 300) resolve(answer)
      else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`))
    })
    sent.on('error', reject)
    sent.setHeader('Content-Type', 'application/json')
    sent.end(body)
  })
}

const CONTENT_LENGTH = /content-length: (\d+)/i

/** One connection that asks again as soon as it is answered, by hand, so that the load costs less than the answer. */
class Worker {
  readonly #socket: TLSSocket
  #expected = 0
  #head = ''
  #done: (() => void) | undefined
  answered = 0

  constructor({ port, ca, cert, key }: Served) {
    this.#socket = connect({ host: '127.0.0.1', port, ca, cert, key, ALPNProtocols: ['http/1.1'] })
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  async run(makeRequest: () => string, until: () => boolean): Promise<void> {
    while (!until()) {
      const answer = new Promise<void>(resolve => {
        this.#done = resolve
      })
      this.#socket.write(makeRequest())
      await answer
      this.answered++
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    let rest = chunk.length
    if (this.#expected === 0) {
      const end = chunk.indexOf('\r\n\r\n')
      this.#head = chunk.toString('latin1', 0, end)
      if (!/^HTTP\/1.1 2/.test(this.#head)) throw new Error(this.#head + chunk.toString())
      this.#expected = Number(CONTENT_LENGTH.exec(this.#head)![1])
      rest -= end + 4
    }
    this.#expected -= rest
    if (this.#expected === 0) this.#done!()
  }
}

/** Answers per second at `clients` connections. */
async function load(server: Served, clients: number, makeRequest: () => string): Promise<number> {
  const workers = Array.from({ length: clients }, () => new Worker(server))
  const measure = async (seconds: number) => {
    const before = workers.reduce((sum, { answered }) => sum + answered, 0)
    const began = performance.now()
    const end = began + seconds * 1000
    await Promise.all(workers.map(worker => worker.run(makeRequest, () => performance.now() >= end)))
    const after = workers.reduce((sum, { answered }) => sum + answered, 0)
    return ((after - before) * 1000) / (performance.now() - began)
  }
  await measure(0.5)
  const rate = await measure(SECONDS)
  for (const worker of workers) worker.close()
  return rate
}

const PODS_PATH = '/api/v1/namespaces/default/pods'

const pod = (name: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'web', 'pod-template-hash': '5d4f8c7b9' } },
    spec: { containers: [{ name: 'web', image: 'k8ts.local/demo:latest', ports: [{ containerPort: 8080 }] }] },
  })

function post(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

const getRequest = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n`

const shown = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 2 : 0 })

async function prepare(server: Served): Promise<void> {
  const account = JSON.stringify({ metadata: { name: 'default' } })
  await fetchOnce(server, 'POST', '/api/v1/namespaces/default/serviceaccounts', account)
}

async function benchGet(): Promise<void> {
  const api = await start()
  await prepare(api)
  await fetchOnce(api, 'POST', PODS_PATH, pod('web'))
  const path = `${PODS_PATH}/web`
  const bare = await start(await fetchOnce(api, 'GET', path))
  const rounds: { ratio: number; rate: number; bareRate: number }[] = []
  // In turn, so that whatever else the machine does befalls both alike.
  for (let round = 0; round < ROUNDS; round++) {
    const bareRate = await load(bare, 32, () => getRequest(path))
    const rate = await load(api, 32, () => getRequest(path))
    rounds.push({ ratio: rate / bareRate, rate, bareRate })
  }
  const { ratio, rate, bareRate } = rounds.sort((a, b) => a.ratio - b.ratio)[ROUNDS >> 1]!
  console.log(
    `GET a pod: ${shown(rate)}/s, bare server ${shown(bareRate)}/s, ratio ${shown(ratio)} (goal: at least 0.5)`,
  )
  await Promise.all([stop(api), stop(bare)])
}

async function fill(server: Served, count: number): Promise<void> {
  let next = 0
  const workers = Array.from({ length: 32 }, () => new Worker(server))
  await Promise.all(
    workers.map(worker =>
      worker.run(
        () => post(PODS_PATH, pod(`web-${next++}`)),
        () => next >= count,
      ),
    ),
  )
  for (const worker of workers) worker.close()
}

async function timeList(server: Served): Promise<number> {
  const began = performance.now()
  await fetchOnce(server, 'GET', PODS_PATH)
  return performance.now() - began
}

async function benchList(): Promise<void> {
  const api = await start()
  await prepare(api)
  await fill(api, PODS)
  const bytes = await fetchOnce(api, 'GET', PODS_PATH)
  const bare = await start(bytes)
  const rounds: { ratio: number; time: number; bareTime: number }[] = []
  for (let round = 0; round < 2 * ROUNDS; round++) {
    const bareTime = await timeList(bare)
    const time = await timeList(api)
    // The first few only warm both up.
    if (round >= ROUNDS) rounds.push({ ratio: time / bareTime, time, bareTime })
  }
  const { ratio, time, bareTime } = rounds.sort((a, b) => a.ratio - b.ratio)[ROUNDS >> 1]!
  console.log(
    `LIST ${shown(PODS)} pods (${shown(bytes.length / 2 ** 20)} MiB): ${shown(time)} ms, bare server ${shown(bareTime)} ms, ratio ${shown(ratio)} (goal: at most 1.5)`,
  )
  await Promise.all([stop(api), stop(bare)])
}

async function benchCreate(): Promise<void> {
  const api = await start()
  await prepare(api)
  let next = 0
  const map = () => JSON.stringify({ metadata: { name: `map-${next++}` }, data: { key: 'value' } })
  const maps = await load(api, 64, () => post('/api/v1/namespaces/default/configmaps', map()))
  const pods = await load(api, 64, () => post(PODS_PATH, pod(`web-${next++}`)))
  console.log(`create, 64 clients, durable: ${shown(maps)} ConfigMaps/s, ${shown(pods)} Pods/s (goal: 4,000)`)
  await stop(api)
}

/** As it is shipped: one bundle, compiled before. */
async function benchStart(): Promise<void> {
  const directory = await mkdtemp(new URL('../node_modules/.bench-', import.meta.url).pathname)
  try {
    const program = join(directory, 'server.mjs')
    const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external' } as const
    await build({ ...options, entryPoints: [SOURCE], outfile: program })
    await copyFile(new URL('../src/api/model.json', import.meta.url), join(directory, 'model.json'))
    process.env.NODE_COMPILE_CACHE = join(directory, 'cache')
    const times: number[] = []
    for (let round = 0; round < 6; round++) {
      const api = await start(undefined, program)
      // The first fills the cache.
      if (round > 0) times.push(api.started)
      await stop(api)
    }
    const median = times.sort((a, b) => a - b)[2]!
    console.log(`process start to ready, bundled, on an empty store: ${shown(median)} ms (goal: 500)`)
  } finally {
    delete process.env.NODE_COMPILE_CACHE
    await rm(directory, { recursive: true })
  }
}

const benches: Record<string, () => Promise<void>> = {
  get: benchGet,
  list: benchList,
  create: benchCreate,
  start: benchStart,
}
const wanted = process.argv.slice(2)
for (const name of wanted.length ? wanted : Object.keys(benches)) await benches[name]!()
