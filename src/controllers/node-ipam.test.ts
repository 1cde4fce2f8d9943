import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestControlPlane } from '../../test/support/controllers.ts'
import { eventually } from '../../test/support/eventually.ts'
import { resources } from '../api/index.ts'
import type { Client } from '../client/index.ts'
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
