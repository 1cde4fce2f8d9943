import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { startTestControlPlane } from '../../test/support/controllers.ts'
import { eventually } from '../../test/support/eventually.ts'
import { type core, is, resources } from '../api/index.ts'
import { seededRandom, silentLogger, systemClock } from '../base/index.ts'
import { type Dns, startDns } from './index.ts'
import { startServer } from './server.ts'

let dns: Dns
let upstream: Awaited<ReturnType<typeof startUpstream>>
// Hooks run in the order of their calls.
after(async () => {
  await dns.stop()
  await upstream.stop()
})
const { client } = await startTestControlPlane({ after })

const service = (name: string, spec: Partial<core.ServiceSpec>) =>
  client.create(resources.services, { metadata: { namespace: 'default', name }, spec })

const slice = (
  name: string,
  endpoints: object[],
  ports = [{ name: 'http', protocol: 'TCP' as const, port: 8080 }],
  addressType = 'IPv4',
) =>
  client.create(resources.endpointSlices, {
    metadata: {
      namespace: 'default',
      name: `${name}-${addressType.toLowerCase()}`,
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType,
    endpoints: endpoints as [],
    ports,
  })

/** A resolver of the outside world: any name has the address 203.0.113.7 for 60 s, `silent` names get no answer. */
async function startUpstream() {
  const asked: string[] = []
  const server = await startServer({
    address: '127.0.0.1',
    port: 0,
    log: silentLogger,
    async handle(message) {
      const name = message.toString('latin1', 12, message.indexOf(0, 12)).toLowerCase()
      asked.push(name)
      if (name.includes('silent')) return undefined
      const end = message.indexOf(0, 12) + 5
      const answer = Buffer.concat([
        message.subarray(0, end),
        Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 7]),
      ])
      answer.writeUInt16BE(0x8180, 2)
      answer.writeUInt16BE(1, 6)
      answer.writeUInt16BE(0, 10)
      return answer
    },
  })
  return { ...server, asked }
}

/** Runs dig, and gives the lines that matter: `+short` ones, unless something else is asked for. */
async function dig(...args: string[]): Promise<string[]> {
  const options = args.some(arg => arg.startsWith('+')) ? args : ['+short', ...args]
  // It lines columns up by blanks or tabs.
  return (await header(...options))
    .split('\n')
    .map(line => line.replaceAll(/\s+/g, ' '))
    .filter(line => line && !line.startsWith(';;'))
}

/** All that dig prints: its header has `status: NXDOMAIN` and flags. */
const header = (...args: string[]): Promise<string> => ask(dns, ...args)

async function ask({ port }: Dns, ...args: string[]): Promise<string> {
  const server = ['@127.0.0.1', '-p', String(port), '+time=6', '+tries=1']
  const { stdout } = await promisify(execFile)('dig', [...server, ...args])
  return stdout
}

const options = () => ({
  address: '127.0.0.1',
  port: 0,
  upstream: [{ address: '127.0.0.1', port: upstream.port }],
  clock: systemClock,
  random: seededRandom(1),
  log: silentLogger,
})

before(async () => {
  await service('web', {
    clusterIP: '10.96.0.5',
    ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
  })
  await service('db', { clusterIP: 'None', ports: [{ name: 'http', protocol: 'TCP', port: 8080 }] })
  await slice('db', [
    { addresses: ['10.244.0.2'], hostname: 'db-0', conditions: { ready: true } },
    { addresses: ['10.244.0.3'], conditions: {} },
    { addresses: ['10.244.0.4'], hostname: 'db-2', conditions: { ready: false } },
  ])
  await slice('db', [{ addresses: ['fd00:1::2'], hostname: 'db-0', conditions: { ready: true } }], undefined, 'IPv6')
  await service('empty', { clusterIP: 'None' })
  await service('large', { clusterIP: 'None' })
  await slice(
    'large',
    Array.from({ length: 100 }, (_, index) => ({ addresses: [`10.244.1.${index}`], conditions: {} })),
  )
  await service('outside', { type: 'ExternalName', externalName: 'example.com' })
  await service('alias', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' })
  await service('loop', { type: 'ExternalName', externalName: 'loop.default.svc.cluster.local' })
  upstream = await startUpstream()
  dns = await startDns({ client, clusterIp: '10.96.0.10', clusterCidr: '10.244.0.0/16', ...options() })
})

test('a Service has its cluster IPs, by both transports and in any case', async () => {
  assert.deepEqual(await dig('web.default.svc.cluster.local', 'A'), ['10.96.0.5'])
  assert.deepEqual(await dig('+tcp', '+short', 'web.default.svc.cluster.local', 'A'), ['10.96.0.5'])
  assert.deepEqual(await dig('+noall', '+answer', 'WEB.Default.svc.CLUSTER.local'), [
    'WEB.Default.svc.CLUSTER.local. 5 IN A 10.96.0.5',
  ])
})

test('a headless Service has the addresses of what is ready, and a name for each', async () => {
  assert.deepEqual((await dig('db.default.svc.cluster.local')).sort(), ['10.244.0.2', '10.244.0.3'])
  assert.deepEqual(await dig('db.default.svc.cluster.local', 'AAAA'), ['fd00:1::2'])
  assert.deepEqual(await dig('db-0.db.default.svc.cluster.local'), ['10.244.0.2'])
  assert.deepEqual(await dig('10-244-0-3.db.default.svc.cluster.local'), ['10.244.0.3'])
  assert.match(await header('db-2.db.default.svc.cluster.local'), /NXDOMAIN/)
})

test('SRV names port and host, and brings the addresses along', async () => {
  assert.deepEqual(await dig('_http._tcp.web.default.svc.cluster.local', 'SRV'), [
    '0 100 80 web.default.svc.cluster.local.',
  ])
  const srv = await dig('+noall', '+answer', '+additional', '_http._tcp.db.default.svc.cluster.local', 'SRV')
  assert.equal(
    srv.filter(line => /SRV 0 50 8080 (db-0|10-244-0-3)\.db\.default\.svc\.cluster\.local\.$/.test(line)).length,
    2,
  )
  assert.ok(srv.includes('db-0.db.default.svc.cluster.local. 5 IN A 10.244.0.2'), srv.join('\n'))
  assert.match(await header('_https._tcp.web.default.svc.cluster.local', 'SRV'), /NXDOMAIN/)
})

test('pods are named by their addresses', async () => {
  assert.deepEqual(await dig('10-244-0-9.default.pod.cluster.local'), ['10.244.0.9'])
  assert.match(await header('10-244-0-9.absent.pod.cluster.local'), /NXDOMAIN/)
  assert.match(await header('nonsense.default.pod.cluster.local'), /NXDOMAIN/)
})

test('addresses lead back to names', async () => {
  assert.deepEqual(await dig('-x', '10.96.0.5'), ['web.default.svc.cluster.local.'])
  assert.deepEqual(await dig('-x', '10.244.0.2'), ['db-0.db.default.svc.cluster.local.'])
  assert.deepEqual(await dig('-x', 'fd00:1::2'), ['db-0.db.default.svc.cluster.local.'])
})

test('Services of IPv6 have their addresses as well', async t => {
  const { client } = await startTestControlPlane(t, { serviceClusterIpRange: 'fd00::/112' })
  const ports = [{ port: 80 }]
  await client.create(resources.services, {
    metadata: { namespace: 'default', name: 'web' },
    spec: { clusterIP: 'fd00::5', ports },
  })
  const dns = await startDns({ client, clusterIp: 'fd00::a', clusterCidr: 'fd01::/48', ...options() })
  try {
    const name = 'web.default.svc.cluster.local'
    assert.equal(await ask(dns, '+short', name, 'AAAA'), 'fd00::5\n')
    assert.match(await ask(dns, name, 'A'), /status: NOERROR.*ANSWER: 0, AUTHORITY: 1/s)
    assert.equal(await ask(dns, '+short', '-x', 'fd00::5'), `${name}.\n`)
  } finally {
    await dns.stop()
  }
})

test('aliases are followed, here and outside, but not for ever', async () => {
  assert.deepEqual(await dig('alias.default.svc.cluster.local'), ['web.default.svc.cluster.local.', '10.96.0.5'])
  assert.deepEqual(await dig('outside.default.svc.cluster.local'), ['example.com.', '203.0.113.7'])
  assert.deepEqual(await dig('outside.default.svc.cluster.local', 'CNAME'), ['example.com.'])
  assert.match(await header('loop.default.svc.cluster.local'), /SERVFAIL/)
})

test('what is not there does not exist; what is there without such a record is empty; both say for how long', async () => {
  for (const name of [
    'absent.default.svc',
    'web.absent.svc',
    'x.y.z.web.default.svc',
    'empty.default.svc',
    'nonsense',
  ]) {
    const answer = await header(`${name}.cluster.local`)
    assert.match(answer, /status: NXDOMAIN/, name)
    assert.match(
      answer,
      /^cluster\.local\.\s+5\s+IN\s+SOA\s+ns\.dns\.cluster\.local\. hostmaster\.cluster\.local\. \d+ 7200 1800 86400 5$/m,
    )
  }
  for (const [name, type] of [
    ['web.default.svc', 'MX'],
    ['db-0.db.default.svc', 'TXT'],
    ['default.svc', 'A'],
    ['svc', 'A'],
    ['_tcp.web.default.svc', 'A'],
  ] as const) {
    const answer = await header(`${name}.cluster.local`, type)
    assert.match(answer, /status: NOERROR/, name)
    assert.match(answer, /ANSWER: 0, AUTHORITY: 1/, name)
  }
})

test('the zone itself', async () => {
  assert.deepEqual(await dig('dns-version.cluster.local', 'TXT'), ['"1.1.0"'])
  assert.deepEqual(await dig('cluster.local', 'NS'), ['ns.dns.cluster.local.'])
  assert.deepEqual(await dig('ns.dns.cluster.local'), ['10.96.0.10'])
  assert.match((await dig('cluster.local', 'SOA'))[0]!, /^ns\.dns\.cluster\.local\. hostmaster\.cluster\.local\. /)
  assert.match(await header('web.default.svc.cluster.local'), /flags: qr aa rd ra;/)
})

test('what is too long is cut, and whole by TCP or with EDNS', async () => {
  const name = 'large.default.svc.cluster.local'
  const plain = await header('+noedns', '+ignore', name)
  assert.match(plain, /flags: qr aa tc rd ra; QUERY: 1, ANSWER: 28,/)
  assert.match(await header('+bufsize=1232', '+ignore', name), /flags: qr aa tc rd ra; QUERY: 1, ANSWER: 7\d,/)
  assert.match(await header('+noedns', name), /flags: qr aa rd ra; QUERY: 1, ANSWER: 100,/)
})

test('the order changes from answer to answer', async () => {
  const firsts = new Set<string>()
  for (let index = 0; index < 8; index++) firsts.add((await dig('db.default.svc.cluster.local'))[0]!)
  assert.equal(firsts.size, 2)
})

test('the rest of the world is asked once, and remembered', async () => {
  assert.deepEqual(await dig('www.example.org'), ['203.0.113.7'])
  assert.deepEqual(await dig('WWW.example.org'), ['203.0.113.7'])
  assert.deepEqual(await dig('+tcp', '+short', 'tcp.example.org'), ['203.0.113.7'])
  assert.equal(upstream.asked.filter(name => name.includes('www')).length, 1)
  const [line] = await dig('+noall', '+answer', '+noedns', 'ttl.example.org')
  assert.match(line!, /^ttl\.example\.org\.\s+60\s+IN\s+A/)
})

test('a resolver that is silent costs a SERVFAIL in time', async () => {
  const started = performance.now()
  assert.match(await header('silent.example.org'), /status: SERVFAIL/)
  assert.ok(performance.now() - started < 5000)
})

test('nonsense is refused or ignored, and the server lives on', async () => {
  const socket = createSocket('udp4')
  socket.bind()
  await once(socket, 'listening')
  const say = async (hex: string) => {
    socket.send(Buffer.from(hex, 'hex'), dns.port, '127.0.0.1')
    const [answer] = (await once(socket, 'message')) as [Buffer]
    return answer.toString('hex')
  }
  socket.send(Buffer.from('00', 'hex'), dns.port, '127.0.0.1')
  socket.send(Buffer.from('123480000001000000000000', 'hex'), dns.port, '127.0.0.1')
  assert.equal(await say('123401000001000000000000'), '123481010000000000000000')
  assert.equal(await say('123401000000000000000000'), '123481010000000000000000')
  assert.equal(await say(`123401000001000000000000${'c00c'.repeat(20)}`), '123481010000000000000000')
  assert.equal(await say('123428000001000000000000'), '1234a8040000000000000000')
  socket.close()
  const broken = connect(dns.port, '127.0.0.1')
  broken.write(Buffer.from('000100', 'hex'))
  await once(broken, 'close')
  assert.match(await header('web.default.svc.cluster.local', '-c', 'CH'), /REFUSED/)
  assert.deepEqual(await dig('web.default.svc.cluster.local'), ['10.96.0.5'])
})

test('many questions on one connection', async () => {
  const socket = connect(dns.port, '127.0.0.1')
  const header = Buffer.from('123401000001000000000000', 'hex')
  const name = Buffer.from('\x03web\x07default\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01', 'latin1')
  const message = Buffer.concat([header, name])
  const length = Buffer.from([0, message.length])
  const count = 500
  socket.write(Buffer.concat(Array.from({ length: count }, () => [length, message]).flat()))
  let bytes = 0
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
  await eventually(() => bytes === count * (2 + message.length + 16))
  socket.destroy()
})

test('the Service and its EndpointSlice are kept, whatever happens to them', async () => {
  const ref = { namespace: 'kube-system', name: 'kube-dns' }
  const kept = await eventually(() => client.get(resources.services, ref))
  assert.equal(kept.spec.clusterIP, '10.96.0.10')
  assert.equal(kept.metadata.labels?.['k8s-app'], 'kube-dns')
  const found = await eventually(() => client.get(resources.endpointSlices, ref))
  assert.deepEqual(
    found.ports?.map(({ port }) => port),
    [dns.port, dns.port],
  )
  await client.delete(resources.services, ref)
  await client.delete(resources.endpointSlices, ref)
  await eventually(() => client.get(resources.services, ref))
  await eventually(() => client.get(resources.endpointSlices, ref))
  await client.update(resources.endpointSlices, { ...(await client.get(resources.endpointSlices, ref)), endpoints: [] })
  await eventually(async () => (await client.get(resources.endpointSlices, ref)).endpoints?.length === 1)
  await client.patch(resources.services, ref, { type: 'merge', body: { spec: { selector: { app: 'other' } } } })
  await eventually(() => assert.rejects(client.get(resources.endpointSlices, ref), error => is(error, 'NotFound')))
})
