import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { startTestControlPlane } from '../../test/support/controllers.ts'
import { addNamespace, command, inOwnNamespace } from '../../test/support/netns.ts'
import { silentLogger, systemClock, systemRandom, VirtualClock } from '../base/index.ts'
import { clusterClients } from './clients.ts'
import { startDns } from './index.ts'

if (inOwnNamespace(import.meta.url)) {
  test('pods of either family and the machine itself are clients, by whatever spelling', () => {
    const isClient = clusterClients(['10.244.0.0/16', 'fd00:1::/48'], systemClock)
    for (const address of ['10.244.255.7', '::ffff:10.244.0.2', 'fd00:1::2', '127.0.0.1', '::ffff:127.0.0.1', '::1'])
      assert.ok(isClient(address), address)
    for (const address of ['10.243.0.1', '192.0.2.1', '::ffff:192.0.2.1', 'fd00:2::1', '::10.244.0.2', ''])
      assert.ok(!isClient(address), address)
    assert.throws(() => clusterClients(['pods'], systemClock), /invalid CIDR address: pods/)
  })

  test('an address that the machine gets later is its own soon', async () => {
    const clock = new VirtualClock()
    const isClient = clusterClients([], clock)
    command('ip', 'addr', 'add', '198.51.100.1/32', 'dev', 'lo')
    assert.ok(!isClient('198.51.100.1'))
    await clock.advance(1000)
    assert.ok(isClient('198.51.100.1'))
  })

  test('questions of others are not answered', async t => {
    for (const [name, here, there] of [
      ['pod', '10.244.0.1', '10.244.0.2'],
      ['outside', '192.0.2.2', '192.0.2.1'],
    ] as const) {
      addNamespace(name, there, here)
      command('ip', 'addr', 'add', `${here}/24`, 'dev', `to-${name}`)
    }
    const { client } = await startTestControlPlane({ after })
    const dns = await startDns({
      client,
      address: '192.0.2.2',
      port: 0,
      clusterIp: '10.96.0.10',
      clusterCidr: '10.244.0.0/16',
      upstream: [],
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
    })
    t.after(() => dns.stop())
    const dig = async (namespace: string[], ...options: string[]) => {
      const question = ['@192.0.2.2', '-p', String(dns.port), '+short', '+time=1', '+tries=1', ...options]
      const words = [...namespace, 'dig', ...question, 'kubernetes.default.svc.cluster.local']
      return (await promisify(execFile)(words[0]!, words.slice(1))).stdout.trim()
    }
    const inside = (namespace: string) => ['ip', 'netns', 'exec', namespace]
    for (const transport of ['+notcp', '+tcp']) {
      assert.equal(await dig([], transport), '10.96.0.1')
      assert.equal(await dig(inside('pod'), transport), '10.96.0.1')
    }
    await assert.rejects(dig(inside('outside'), '+notcp'), { stdout: /timed out/ })
    await assert.rejects(dig(inside('outside'), '+tcp'), { stdout: /end of file|connection reset/ })
  })
}
