import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, test } from 'node:test'
import { systemClock } from '../base/index.ts'
import { findProcess, isAlive, run, signalProcess, stopProcess } from './process.ts'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

async function start(script: string) {
  const child = spawn('sh', ['-c', `${script}`], { stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(child)
  if (child.stdout) await once(child.stdout, 'data')
  const id = findProcess(child.pid ?? 0)
  assert.ok(id)
  return { child, id }
}

test('a process is told apart from a later one with its number', async () => {
  const { child, id } = await start('echo; exec sleep 1000')
  assert.ok(isAlive(id))
  const former = { ...id, startTime: id.startTime - 1 }
  assert.ok(!isAlive(former))
  signalProcess(former, 'SIGKILL')
  assert.ok(isAlive(id), 'the later one was not killed')
  child.kill()
  await once(child, 'exit')
  assert.ok(!isAlive(id))
  assert.equal(findProcess(id.pid), undefined)
})

test('a process that ignores SIGTERM is killed after its grace', async () => {
  const { child, id } = await start("trap '' TERM; echo; while :; do sleep 0.1; done")
  const exited = once(child, 'exit')
  await stopProcess(id, 100, systemClock)
  const [, signal] = await exited
  assert.equal(signal, 'SIGKILL')
})

test('run rejects with what the program complained about', async () => {
  assert.equal(await run('echo', ['hello']), 'hello\n')
  await assert.rejects(run('sh', ['-c', 'echo no luck >&2; exit 4']), /sh -c .*: no luck/)
  await assert.rejects(run('sleep', ['1000'], 50), /sleep 1000/)
})
