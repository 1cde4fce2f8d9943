import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { addressIn, checkName, checkPortFree } from './settings.ts'

test('addresses are counted from the start of the network', () => {
  assert.equal(addressIn('10.96.0.0/16', 1), '10.96.0.1')
  assert.equal(addressIn('10.97.0.0/16', 10), '10.97.0.10')
})

test('a cluster has a name that devices and files can bear', () => {
  for (const name of ['k8ts', 'a', 'test-1', 'a'.repeat(30)]) checkName(name)
  for (const name of ['', 'A', '-a', 'a-', 'a_b', '../x', 'a'.repeat(31)])
    assert.throws(() => checkName(name), /--name/)
})

test('a port that someone listens on is refused with advice', async () => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, resolve))
  const { port } = server.address() as { port: number }
  await assert.rejects(checkPortFree(port), /in use.*--api-port/)
  await new Promise(resolve => server.close(resolve))
  await checkPortFree(port)
})
