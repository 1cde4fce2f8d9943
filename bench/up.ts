/**
 * How long a start takes: `up` on an installed machine until the node is Ready, of a new cluster and of one that was down,
 * against as many Node processes that do nothing as wait for one another there (the command, the supervisor, the API server,
 * the kubelet); and the API server from the start of its process until /readyz says ok, against a Node process with an
 * HTTPS server that does nothing else.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type RequestOptions, request } from 'node:https'
import { setTimeout } from 'node:timers/promises'
import { type Kubeconfig, loadKubeconfig } from '../src/client/index.ts'
import type { TestCluster } from '../test/support/cluster.ts'
import { createCluster, processesOf } from './support/cluster.ts'
import { against, type Figure } from './support/figures.ts'
import { main, progress } from './support/main.ts'

const ROUNDS = 5
const CHAIN = 4
const LONGEST_START = 30_000

async function measure(stack: AsyncDisposableStack): Promise<Figure[]> {
  const nodes = await repeat('Node processes', () => timed(startNodes))
  const fresh = await repeat('up', () => startNew(stack))
  const cluster = await createCluster(stack)
  await cluster.k8ts('up')
  const command = commandOf(processesOf(cluster).get('apiserver')!)
  const again = await repeat('up after down', async () => {
    await cluster.k8ts('down')
    return await timed(() => cluster.k8ts('up'))
  })
  const limit = `${CHAIN} Node processes in a row`
  const target = { of: 'value', most: 3_000 } as const
  return [
    { name: 'up, a new cluster', unit: 'ms', ...against(limit, fresh, nodes), target },
    { name: 'up, after down', unit: 'ms', ...against(limit, again, nodes), target },
    await measureApiServer(cluster, command, stack),
  ]
}

/** The first time warms the machine's caches and does not count. */
async function repeat(what: string, round: () => Promise<number>): Promise<number[]> {
  const times: number[] = []
  for (let count = 0; count <= ROUNDS; count++) {
    const took = await round()
    progress(`${what} ${took.toFixed(0)} ms`)
    if (count > 0) times.push(took)
  }
  return times
}

async function timed(work: () => unknown): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

async function startNew(stack: AsyncDisposableStack): Promise<number> {
  const cluster = await createCluster(stack)
  const took = await timed(() => cluster.k8ts('up'))
  await cluster.purge()
  return took
}

function startNodes(): void {
  for (let count = 0; count < CHAIN; count++) execFileSync(process.execPath, ['--eval', ''])
}

async function measureApiServer(cluster: TestCluster, command: string[], stack: AsyncDisposableStack): Promise<Figure> {
  const admin = await loadKubeconfig(cluster.kubeconfig)
  const ready = () => answers(admin)
  await cluster.k8ts('down')
  const bare = await repeat('bare server', () => timeStart(bareCommand(admin), ready, stack))
  const times = await repeat('API server', () => timeStart(command, ready, stack))
  const figure = against('a bare HTTPS server', times, bare)
  return { name: 'API server, start to /readyz', unit: 'ms', ...figure, target: { of: 'value', most: 500 } }
}

/** From the start of the process until `ready`; the process has ended when this resolves. */
async function timeStart(
  [program = '', ...args]: string[],
  ready: () => Promise<boolean>,
  stack: AsyncDisposableStack,
): Promise<number> {
  const began = performance.now()
  const child = spawn(program, args, { stdio: 'ignore' })
  stack.defer(() => stop(child))
  try {
    while (!(await ready())) {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`)
      if (performance.now() - began > LONGEST_START) throw new Error(`${program} was not ready in time`)
      await setTimeout(2)
    }
    return performance.now() - began
  } finally {
    await stop(child)
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill()
  await exit
}

const commandOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)

function bareCommand({ server, cert, key }: Kubeconfig): string[] {
  const script = `import { createServer } from 'node:https'
    const options = ${JSON.stringify({ cert, key })}
    createServer(options, (_, response) => response.end('ok')).listen(${new URL(server).port}, '127.0.0.1')`
  return [process.execPath, '--input-type=module', '--eval', script]
}

function answers({ server, cert, key }: Kubeconfig): Promise<boolean> {
  const options: RequestOptions = { cert, key, rejectUnauthorized: false, agent: false }
  return new Promise(resolve => {
    const sent = request(new URL('/readyz', server), options, response => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    sent.once('error', () => resolve(false)).end()
  })
}

if (import.meta.main) await main(measure)
