import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

/** What a process that runs `script` with a logger `log` writes to stderr. */
function logged(script: string, env = {}): Record<string, unknown>[] {
  const module = join(import.meta.dirname, 'logger.ts')
  const program = `import { createLogger } from ${JSON.stringify(module)}; const log = createLogger('kubelet'); ${script}`
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  return stderr
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}

test('a line has its time, level, component, fields and message, even if the process dies right after', () => {
  const [line] = logged(
    "log.child({ pod: 'web' }).warn({ attempt: 2 }, 'back-off'); process.kill(process.pid, 'SIGKILL')",
  )
  const { time, ...rest } = line ?? {}
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  assert.deepEqual(rest, { level: 'warn', component: 'kubelet', pod: 'web', attempt: 2, msg: 'back-off' })
})

test('an error shows where it came from', () => {
  const [line] = logged("log.error({ error: new Error('no luck') }, 'failed')")
  assert.match(String(line?.error), /^Error: no luck\n\s+at /)
})

test('lines below the level are left out', () => {
  const script = "log.debug({}, 'a'); log.info({}, 'b'); log.error({}, 'c')"
  assert.deepEqual(
    logged(script).map(line => line.msg),
    ['b', 'c'],
  )
  assert.deepEqual(
    logged(script, { K8TS_LOG_LEVEL: 'error' }).map(line => line.msg),
    ['c'],
  )
})
