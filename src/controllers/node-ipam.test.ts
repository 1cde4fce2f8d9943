import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestControlPlane } from '../../test/support/controllers.ts'
import { eventually } from '../../test/support/eventually.ts'
import { resources } from '../api/index.ts'
import type { Client } from '../client/index.ts'
import { formatCidr, parseCidr, subnet } from './cidr.ts'
import { startNodeIpamController } from './node-ipam.ts'

const OPTIONS = { clusterCidr: '10.1.0.0/22', nodeCidrMaskSize: 24 }

const cidrsOf = async (client: Client) =>
  Object.fromEntries(
    (await client.list(resources.nodes)).items.map(({ metadata, spec }) => [metadata.name, spec.podCIDR]),
  )

test('each node has a range of its own, which lasts and comes free with it', async t => {
  const { client, run } = await startTestControlPlane(t)
  const first = await run(context => [startNodeIpamController(context, OPTIONS)])
  await Promise.all(['a', 'b', 'c'].map(name => client.create(resources.nodes, { metadata: { name } })))
  const given = await eventually(async () => {
    const cidrs = await cidrsOf(client)
    const expected = ['10.1.0.0/24', '10.1.1.0/24', '10.1.2.0/24']
    assert.deepEqual(Object.values(cidrs).sort(), expected)
    return cidrs
  })
  await first.stop()
  await client.delete(resources.nodes, { name: 'b' })
  await run(context => [startNodeIpamController(context, OPTIONS)])
  for (const name of ['d', 'e', 'f']) await client.create(resources.nodes, { metadata: { name } })
  await eventually(async () => {
    const cidrs = await cidrsOf(client)
    assert.deepEqual([cidrs.a, cidrs.c], [given.a, given.c])
    const all = Object.values(cidrs).filter(Boolean)
    assert.equal(new Set(all).size, 4, 'all four ranges are given, none twice')
    const { items } = await client.list(resources.events)
    assert(items.some(({ reason }) => reason === 'CIDRNotAvailable'))
  })
})

test('ranges of addresses', () => {
  const at = (range: string, length: number, index: number) => formatCidr(subnet(parseCidr(range), length, index))
  assert.equal(at('10.244.0.0/16', 24, 255), '10.244.255.0/24')
  assert.equal(at('10.0.0.7/8', 9, 1), '10.128.0.0/9')
  assert.equal(at('fd00:10:244::/56', 64, 3), 'fd00:10:244:3::/64')
  for (const bad of ['10.0.0.0', '10.0.0.0/33', 'x/8', '10.0.0/8', '::/129']) assert.throws(() => parseCidr(bad), bad)
})
