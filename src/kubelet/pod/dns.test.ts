import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { core } from '../../api/index.ts'
import { dnsConfigOf, parseResolvConf } from './dns.ts'
import { pod } from './testing.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'k8ts-dns-'))
  await writeFile(
    join(folder, 'resolv.conf'),
    'search corp.example. svc.cluster.local\nnameserver 192.0.2.53\noptions timeout:1\n',
  )
})
after(() => rm(folder, { recursive: true }))

const of = (spec: Partial<core.PodSpec>) =>
  dnsConfigOf(pod(spec), {
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    resolvConf: join(folder, 'resolv.conf'),
  })

const HOST = { servers: ['192.0.2.53'], searches: ['corp.example', 'svc.cluster.local'], options: ['timeout:1'] }

test('ClusterFirst asks the cluster, searches it first, and then what the node searches', async () => {
  assert.deepEqual(await of({}), {
    servers: ['10.96.0.10'],
    searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'],
    options: ['ndots:5'],
  })
})

test('the other policies', async () => {
  assert.deepEqual(await of({ dnsPolicy: 'Default' }), HOST)
  assert.deepEqual(await of({ hostNetwork: true }), HOST)
  assert.deepEqual((await of({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' })).servers, ['10.96.0.10'])
  const dnsConfig = { nameservers: ['192.0.2.1'], searches: ['a.example'], options: [{ name: 'ndots', value: '2' }] }
  assert.deepEqual(await of({ dnsPolicy: 'None', dnsConfig }), {
    servers: ['192.0.2.1'],
    searches: ['a.example'],
    options: ['ndots:2'],
  })
  assert.deepEqual((await of({ dnsConfig })).options, ['ndots:2'])
})

test('the last search line of a resolver file counts, and comments do not', () => {
  assert.deepEqual(parseResolvConf('# nameserver 1.1.1.1\nsearch a\nsearch b c\nnameserver\t::1\n'), {
    servers: ['::1'],
    searches: ['b', 'c'],
    options: [],
  })
})
