import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serveHealth } from './health.ts'

test('a well component answers ok and an unwell one says what is wrong', async t => {
  let wrong: string | undefined
  const health = await serveHealth({
    port: 0,
    checks: {
      'informer-sync': () => {
        if (wrong) throw new Error(wrong)
      },
    },
  })
  t.after(() => health.stop())
  const read = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${health.port}${path}`)
    return [response.status, await response.text()]
  }
  assert.deepEqual(await read('/healthz'), [200, 'ok'])
  assert.deepEqual(await read('/livez?verbose'), [200, '[+]ping ok\n[+]informer-sync ok\nlivez check passed\n'])
  wrong = 'not yet synced'
  assert.deepEqual(await read('/readyz'), [
    500,
    '[+]ping ok\n[-]informer-sync failed: not yet synced\nreadyz check failed\n',
  ])
  assert.equal((await read('/metrics'))[0], 404)
})
