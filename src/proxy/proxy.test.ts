import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { startTestControlPlane } from '../../test/support/controllers.ts'
import { eventually } from '../../test/support/eventually.ts'
import { addNamespace, command, commandWith, inOwnNamespace, nodeIn } from '../../test/support/netns.ts'
import { type core, type Resource, resources } from '../api/index.ts'
import { type Component, silentLogger, systemClock, systemRandom } from '../base/index.ts'
import { removeProxy, startProxy } from './index.ts'
import { testService, testSlice } from './testing.ts'

/** Answers every connection and every datagram at port 8080 with its name and who it sees. */
const SERVER = `
  const [,name] = process.argv
  require('net').createServer(socket => socket.on('error', () => {}).end(name + ' ' + socket.remoteAddress)).listen(8080, '0.0.0.0', () => {
    const udp = require('dgram').createSocket('udp4')
    udp.on('message', (_, peer) => udp.send(name + ' ' + peer.address, peer.port, peer.address))
    udp.bind(8080, () => console.log('up'))
  })`
/** Prints what the server at address and port says, or how connecting failed. */
const CLIENT = `
  const [,host, port] = process.argv
  require('net').connect({ host, port, timeout: 1000 })
    .on('data', data => process.stdout.write(data))
    .on('error', error => process.stdout.write(error.code))
    .on('timeout', () => { process.stdout.write('timeout'); process.exit() })`
/** Sends a datagram for each line read, always from the same port, and prints the answers. */
const UDP_CLIENT = `
  const [,host, port] = process.argv
  const udp = require('dgram').createSocket('udp4')
  udp.on('message', data => console.log(String(data)))
  udp.on('error', error => console.log(error.code))
  process.stdin.on('data', () => udp.send('x', port, host))`

if (inOwnNamespace(import.meta.url)) {
  const children: ChildProcess[] = []
  const { client } = await startTestControlPlane({ after })
  let proxy: Component | undefined

  before(async () => {
    for (const sysctl of ['net/ipv4/ip_forward', 'net/bridge/bridge-nf-call-iptables'])
      writeFileSync(`/proc/sys/${sysctl}`, '1')
    command('ip', 'link', 'add', 'cni0', 'type', 'bridge')
    command('ip', 'addr', 'add', '10.244.0.1/24', 'dev', 'cni0')
    command('ip', 'link', 'set', 'cni0', 'up')
    for (const [name, address] of [
      ['a', '10.244.0.2'],
      ['b', '10.244.0.3'],
    ] as const) {
      addNamespace(name, address, '10.244.0.1')
      command('ip', 'link', 'set', `to-${name}`, 'master', 'cni0')
      command('ip', 'link', 'set', `to-${name}`, 'type', 'bridge_slave', 'hairpin', 'on')
      const server = nodeIn(name, SERVER, name)
      children.push(server)
      await once(server.stdout, 'data')
    }
    addNamespace('outside', '192.0.2.1', '192.0.2.2')
    command('ip', 'addr', 'add', '192.0.2.2/24', 'dev', 'to-outside')
    command('ip', 'route', 'add', 'default', 'via', '192.0.2.1')
  })

  afterEach(stop)

  beforeEach(async () => {
    await removeProxy({ table: 'k8ts-test' })
    for (const type of [resources.services, resources.endpointSlices])
      for (const { metadata } of (await client.list(type as Resource)).items)
        if (metadata.name !== 'kubernetes') await client.delete(type as Resource, metadata)
  })

  after(() => {
    for (const child of children) child.kill('SIGKILL')
  })

  async function start(): Promise<void> {
    const tools = { clock: systemClock, random: systemRandom, log: silentLogger }
    proxy = await startProxy({
      client,
      nodeName: 'here',
      table: 'k8ts-test',
      clusterCidr: '10.244.0.0/16',
      minSyncPeriod: 10,
      ...tools,
    })
  }

  async function stop(): Promise<void> {
    await proxy?.stop()
    proxy = undefined
  }

  /** Starts the proxy with one Service, and waits for its rules. */
  async function serve(
    spec: Partial<core.ServiceSpec>,
    endpoints: Parameters<typeof testSlice>[2],
    ingress: string[] = [],
  ): Promise<void> {
    const ports = [{ port: 80, nodePort: 30080 }]
    const service = testService('web', { type: 'NodePort', clusterIP: '10.96.0.5', ports, ...spec }, ingress)
    const { metadata } = await client.create(resources.services, service)
    const { status } = service
    await client.patch(resources.services, metadata, { type: 'merge', body: { status } }, { subresource: 'status' })
    if (endpoints.length) await client.create(resources.endpointSlices, slice(endpoints))
    await start()
    await eventually(() => rules().includes('10.96.0.5'))
  }

  const slice = (endpoints: Parameters<typeof testSlice>[2]) => testSlice('web', { '': 8080 }, endpoints)
  const rules = () =>
    command('nft', 'list', 'tables').includes('k8ts-test') ? command('nft', 'list', 'table', 'ip', 'k8ts-test') : ''

  /** What a client in a namespace hears. */
  const ask = (from: string, address: string, port = 80) =>
    command('ip', 'netns', 'exec', from, process.execPath, '-e', CLIENT, address, String(port))

  /** What this node hears. */
  const askHere = (address: string, port = 80) =>
    new Promise<string>(resolve => {
      const socket = connect({ host: address, port, timeout: 1000 })
        .on('data', data => resolve(String(data)))
        .on('error', (error: NodeJS.ErrnoException) => resolve(error.code!))
        .on('timeout', () => {
          socket.destroy()
          resolve('timeout')
        })
    })

  test('pods and the node reach a cluster IP, and pods are seen as they are', async () => {
    await serve({}, ['10.244.0.3'])
    assert.equal(ask('a', '10.96.0.5'), 'b 10.244.0.2')
    assert.match(await askHere('10.96.0.5'), /^b /)
  })

  test('a pod reaches itself through its Service', async () => {
    await serve({}, ['10.244.0.2'])
    assert.equal(ask('a', '10.96.0.5'), 'a 10.244.0.1')
  })

  test('all endpoints get their share', async () => {
    await serve({}, ['10.244.0.2', '10.244.0.3'])
    const heard = await Promise.all(Array.from({ length: 40 }, () => askHere('10.96.0.5')))
    assert.deepEqual(new Set(heard.map(text => text[0])), new Set(['a', 'b']))
  })

  test('node ports are open to the outside, which sees the node; with policy Local the pod sees the client', async () => {
    await serve({}, ['10.244.0.2'])
    assert.equal(ask('outside', '192.0.2.2', 30080), 'a 10.244.0.1')
    assert.match(await askHere('192.0.2.2', 30080), /^a /)
    assert.match(ask('b', '192.0.2.2', 30080), /^a /)
    await client.patch(
      resources.services,
      { namespace: 'default', name: 'web' },
      { type: 'merge', body: { spec: { externalTrafficPolicy: 'Local' } } },
    )
    await eventually(() => ask('outside', '192.0.2.2', 30080) === 'a 192.0.2.1')
  })

  test('with policy Local and endpoints only elsewhere, the outside hears nothing', async () => {
    await serve({ externalTrafficPolicy: 'Local' }, [{ address: '10.244.0.2', nodeName: 'there' }])
    assert.equal(ask('outside', '192.0.2.2', 30080), 'timeout')
    assert.match(ask('b', '192.0.2.2', 30080), /^a /)
  })

  test('without endpoints connections are refused, and so are ports that the Service does not have', async () => {
    await serve({}, [])
    assert.equal(ask('a', '10.96.0.5'), 'ECONNREFUSED')
    assert.equal(await askHere('10.96.0.5'), 'ECONNREFUSED')
    assert.equal(ask('outside', '192.0.2.2', 30080), 'ECONNREFUSED')
    assert.equal(ask('a', '10.96.0.5', 81), 'ECONNREFUSED')
    await client.create(resources.endpointSlices, slice(['10.244.0.3']))
    await eventually(() => ask('a', '10.96.0.5') === 'b 10.244.0.2')
    await client.delete(resources.endpointSlices, { namespace: 'default', name: 'web-slice' })
    await eventually(() => ask('a', '10.96.0.5') === 'ECONNREFUSED')
  })

  test('external and load balancer addresses, the latter only from where it is allowed', async () => {
    const spec = {
      type: 'LoadBalancer' as const,
      externalIPs: ['198.51.100.1'],
      loadBalancerSourceRanges: ['203.0.113.0/24'],
    }
    await serve(spec, ['10.244.0.2'], ['198.51.100.2'])
    assert.match(ask('outside', '198.51.100.1'), /^a /)
    assert.equal(ask('outside', '198.51.100.2'), 'timeout')
    await client.patch(
      resources.services,
      { namespace: 'default', name: 'web' },
      { type: 'merge', body: { spec: { loadBalancerSourceRanges: ['192.0.2.0/24'] } } },
    )
    await eventually(() => ask('outside', '198.51.100.2').startsWith('a '))
  })

  test('with session affinity a client stays where it is, whatever else changes', async () => {
    await serve({ sessionAffinity: 'ClientIP' }, ['10.244.0.2'])
    assert.equal((await askHere('10.96.0.5'))[0], 'a')
    await client.update(resources.endpointSlices, { ...slice(['10.244.0.2', '10.244.0.3']) })
    await eventually(() => rules().includes('10.244.0.3'))
    const heard = await Promise.all(Array.from({ length: 20 }, () => askHere('10.96.0.5')))
    assert.deepEqual([...new Set(heard.map(text => text[0]))], ['a'])
    await client.update(resources.endpointSlices, { ...slice(['10.244.0.3']) })
    await eventually(async () => (await askHere('10.96.0.5'))[0] === 'b')
  })

  test('an endpoint on the node itself, as the API server and the DNS are, is reached from everywhere', async () => {
    const server = createServer(socket => socket.end('node')).listen(8080, '192.0.2.2')
    await serve({}, ['192.0.2.2'])
    assert.equal(await askHere('10.96.0.5'), 'node')
    assert.equal(await askHere('192.0.2.2', 30080), 'node')
    // This process is the server, so it must not wait for the client.
    const asked = nodeIn('a', CLIENT, '10.96.0.5', '80')
    const [heard] = await once(asked.stdout, 'data')
    assert.equal(String(heard), 'node')
    server.close()
  })

  test('the longest names that Kubernetes allows', async () => {
    const [name, port] = ['n'.repeat(63), 'p'.repeat(15)]
    const service = testService(name, {
      clusterIP: '10.96.0.7',
      sessionAffinity: 'ClientIP',
      ports: [{ name: port, port: 80 }],
    })
    service.metadata.namespace = 's'.repeat(63)
    const endpoints = testSlice(name, { [port]: 8080 }, ['10.244.0.2'])
    endpoints.metadata.namespace = service.metadata.namespace
    await client.create(resources.namespaces, { metadata: { name: service.metadata.namespace } })
    await client.create(resources.services, service)
    await client.create(resources.endpointSlices, endpoints)
    await start()
    await eventually(async () => (await askHere('10.96.0.7'))[0] === 'a')
  })

  test('a UDP client that keeps sending is moved when its endpoint goes', async () => {
    await serve({ type: 'ClusterIP', ports: [{ port: 53, protocol: 'UDP' }] }, ['10.244.0.2'])
    const sender = nodeIn('outside', UDP_CLIENT, '10.96.0.5', '53')
    children.push(sender)
    let heard = ''
    sender.stdout.on('data', data => (heard = String(data)))
    const hears = (name: string) =>
      eventually(async () => {
        sender.stdin.write('\n')
        await new Promise(resolve => setImmediate(resolve))
        return heard.startsWith(name)
      })
    await hears('a')
    await client.update(resources.endpointSlices, slice(['10.244.0.3']))
    await hears('b')
    sender.kill('SIGKILL')
  })

  test('the rules outlive the proxy, and a new one takes them over without a gap', async () => {
    await serve({}, ['10.244.0.3'])
    await stop()
    assert.equal(ask('a', '10.96.0.5'), 'b 10.244.0.2')
    await client.update(resources.endpointSlices, slice(['10.244.0.2']))
    const stale = testService('gone', { clusterIP: '10.96.0.6', ports: [{ port: 80 }] })
    commandWith({ input: `add element ip k8ts-test cluster-ips { ${stale.spec.clusterIP} }` }, 'nft', '-f', '-')
    await start()
    await eventually(() => rules().includes('10.244.0.2'))
    assert.ok(!rules().includes('10.96.0.6') && !rules().includes('10.244.0.3'))
    await stop()
    await removeProxy({ table: 'k8ts-test' })
    assert.equal(rules(), '')
  })

  test('what somebody else broke is repaired with the next change', async () => {
    await serve({}, ['10.244.0.3'])
    command('nft', 'delete', 'table', 'ip', 'k8ts-test')
    await client.update(resources.endpointSlices, slice(['10.244.0.2']))
    await eventually(() => rules().includes('10.244.0.2') && ask('b', '10.96.0.5').startsWith('a '))
  })
}
