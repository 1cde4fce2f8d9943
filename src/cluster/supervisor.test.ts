import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { type Component, silentLogger, systemClock } from '../base/index.ts'
import { readJson } from './files.ts'
import { type Layout, layout } from './layout.ts'
import { isAlive, waitUntil } from './process.ts'
import type { Program } from './programs.ts'
import { type ProgramState, type State, startSupervisor } from './supervisor.ts'

let directory: string
let paths: Layout
let supervisor: Component
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'k8ts-supervisor-'))
  mkdirSync(join(directory, 'run'))
  paths = { ...layout('test', directory), state: join(directory, 'run', 'state.json') }
})
afterEach(async () => {
  await supervisor.stop()
  rmSync(directory, { recursive: true })
})

/** A program of the shell; `$0` is a file of its own to write to. */
const shell = (name: string, script: string, needs: string[] = []): Program => ({
  name,
  components: [{ name, address: '-' }],
  command: ['sh', '-c', script, join(directory, name)],
  needs,
  ready: 'line',
})

const start = (programs: Program[], beforeLast?: () => Promise<void>) => {
  supervisor = startSupervisor({ programs, paths, beforeLast, clock: systemClock, log: silentLogger })
}
const state = () => readJson<State>(paths.state)?.programs ?? {}
const until = async (condition: (state: Record<string, ProgramState>) => boolean | undefined) =>
  assert.ok(await waitUntil(() => condition(state()) ?? false, 10_000, systemClock), JSON.stringify(state()))

const READY_AND_WAIT = 'echo >&3; exec sleep 1000'

test('a program waits for what it needs', async () => {
  start([
    shell('second', `cat ${join(directory, 'first')} > $0; ${READY_AND_WAIT}`, ['first']),
    shell('first', `echo there > $0; ${READY_AND_WAIT}`),
  ])
  await until(({ first, second }) => first?.phase === 'ready' && second?.phase === 'ready')
  assert.equal(readFileSync(join(directory, 'second'), 'utf8'), 'there\n')
})

test('a program that is killed comes back at first at once, then ever slower', async () => {
  start([shell('fragile', READY_AND_WAIT)])
  await until(({ fragile }) => fragile?.phase === 'ready')
  for (const restarts of [1, 2]) {
    const { process: id } = state().fragile ?? {}
    assert.ok(id)
    const killed = performance.now()
    process.kill(id.pid, 'SIGKILL')
    await until(({ fragile }) => fragile?.phase === 'ready' && fragile.restarts === restarts)
    const took = performance.now() - killed
    assert.equal(state().fragile?.lastExit, 'signal SIGKILL')
    if (restarts === 1) assert.ok(took < 900, `the first time took ${took} ms`)
    else assert.ok(took >= 1000, `the second time took ${took} ms`)
  }
})

test('a program that ends before it is ready is never called ready', async () => {
  start([shell('broken', 'exit 3'), shell('dependent', READY_AND_WAIT, ['broken'])])
  await until(({ broken }) => broken?.restarts === 2)
  assert.equal(state().broken?.lastExit, 'exit code 3')
  assert.equal(state().dependent?.phase, 'waiting')
})

test('a program that is not there is told as such', async () => {
  start([{ ...shell('missing', ''), command: [join(directory, 'no-such-program')] }])
  await until(({ missing }) => missing?.phase === 'backoff')
  assert.match(state().missing?.lastExit ?? '', /ENOENT/)
})

test('stop ends every program, the container runtime after all others', async () => {
  const order: string[] = []
  const alive = (name: string) => {
    const id = state()[name]?.process
    return id !== undefined && isAlive(id)
  }
  start([shell('containerd', READY_AND_WAIT), shell('kubelet', READY_AND_WAIT, ['containerd'])], async () => {
    order.push(`kubelet ${alive('kubelet')}`, `containerd ${alive('containerd')}`)
  })
  await until(({ kubelet }) => kubelet?.phase === 'ready')
  const processes = Object.values(state()).map(program => program.process)
  await supervisor.stop()
  assert.deepEqual(order, ['kubelet false', 'containerd true'])
  for (const id of processes) assert.ok(id && !isAlive(id))
  assert.ok(Object.values(state()).every(program => program.phase === 'stopped'))
})

test('what a program prints is in its log', async () => {
  start([shell('loud', `echo hello; echo trouble >&2; ${READY_AND_WAIT}`)])
  await until(({ loud }) => loud?.phase === 'ready')
  assert.equal(readFileSync(join(paths.logs, 'loud.log'), 'utf8'), 'hello\ntrouble\n')
})
