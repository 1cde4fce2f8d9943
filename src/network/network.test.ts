import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startTestControlPlane } from '../../test/support/controllers.ts'
import { eventually } from '../../test/support/eventually.ts'
import { command, commandWith, inOwnNamespace, nodeIn } from '../../test/support/netns.ts'
import { resources } from '../api/index.ts'
import { silentLogger, systemClock, systemRandom } from '../base/index.ts'
import { removeNetwork, startNetwork } from './index.ts'

const CNI_BIN = '/usr/lib/cni'
/** Tells each client at the port its own address. */
const SERVER = `
  const [, port] = process.argv
  require('net').createServer(socket => socket.end(socket.remoteAddress)).listen(port, '0.0.0.0', () => console.log('up'))`
/** Prints what the server at address and port says, or how connecting failed. */
const CLIENT = `
  const [, host, port] = process.argv
  require('net').connect({ host, port, timeout: 1000 })
    .on('data', data => process.stdout.write(data))
    .on('error', error => process.stdout.write(error.code))
    .on('timeout', () => process.stdout.write('timeout', () => process.exit()))`

if (inOwnNamespace(import.meta.url)) {
  const folder = mkdtempSync(join(tmpdir(), 'k8ts-network-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const setup = {
    nodeName: 'here',
    cniConfDir: join(folder, 'net.d'),
    dataDir: join(folder, 'ipam'),
    bridge: 'cni-test',
    table: 'k8ts-test-network',
    clusterCidr: '10.244.0.0/16',
  }
  const tools = { clock: systemClock, random: systemRandom, log: silentLogger }
  const node = (name: string, podCIDR: string, address: string) => ({
    metadata: { name },
    spec: { podCIDR, podCIDRs: [podCIDR] },
    status: { addresses: [{ type: 'InternalIP', address }] },
  })
  const conflist = () => JSON.parse(readFileSync(join(setup.cniConfDir, '10-cni-test.conflist'), 'utf8'))
  const routes = () => command('ip', 'route', 'show', 'proto', '201')

  const { client } = await startTestControlPlane({ after })

  // An outside network, 192.0.2.0/24, with another machine in it.
  command('ip', 'netns', 'add', 'outside')
  command('ip', 'link', 'add', 'eth0', 'mtu', '1400', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'outside')
  command('ip', 'addr', 'add', '192.0.2.2/24', 'dev', 'eth0')
  command('ip', 'link', 'set', 'eth0', 'up')
  command('ip', '-n', 'outside', 'addr', 'add', '192.0.2.1/24', 'dev', 'eth0')
  command('ip', '-n', 'outside', 'link', 'set', 'eth0', 'up')
  command('ip', 'route', 'add', 'default', 'via', '192.0.2.1')

  /** Connects a new namespace as the container runtime would; gives the pod's address. */
  function addPod(name: string, hostPort?: number): string {
    command('ip', 'netns', 'add', name)
    command('ip', '-n', name, 'link', 'set', 'lo', 'up')
    return callPlugins('ADD', name, hostPort).ips[0]!.address.split('/')[0]!
  }

  function callPlugins(verb: 'ADD' | 'DEL', pod: string, hostPort?: number): { ips: { address: string }[] } {
    const env = {
      CNI_COMMAND: verb,
      CNI_CONTAINERID: pod,
      CNI_NETNS: `/run/netns/${pod}`,
      CNI_IFNAME: 'eth0',
      CNI_PATH: CNI_BIN,
    }
    const { plugins, ...network } = conflist()
    const portMappings = hostPort ? [{ hostPort, containerPort: 80, protocol: 'tcp' }] : []
    let prevResult: unknown
    for (const plugin of verb === 'ADD' ? plugins : plugins.toReversed()) {
      const runtimeConfig = plugin.capabilities ? { portMappings } : undefined
      const input = JSON.stringify({ ...network, ...plugin, runtimeConfig, prevResult })
      const output = commandWith({ env, input }, join(CNI_BIN, plugin.type))
      if (output) prevResult = JSON.parse(output)
    }
    return prevResult as { ips: { address: string }[] }
  }

  /** Whom a server in namespace `at` sees when `from` connects to it; no namespace is this machine's own. */
  async function seenFrom(
    from: string | undefined,
    at: string | undefined,
    address: string,
    port: number,
    listen = port,
  ) {
    const server = nodeIn(at, SERVER, String(listen))
    try {
      await once(server.stdout, 'data')
      const [heard] = await once(nodeIn(from, CLIENT, address, String(port)).stdout, 'data')
      return String(heard)
    } finally {
      server.kill('SIGKILL')
      await once(server, 'close')
    }
  }

  /** Starts the agent on this node until it has done what is waited for. */
  async function startUntil(holds: () => boolean): Promise<void> {
    const network = await startNetwork({ client, ...setup, ...tools })
    await eventually(holds)
    await network.stop()
  }

  test('nothing is configured before the node has a pod CIDR, everything is at once after', async () => {
    const { spec, ...rest } = node('here', '10.244.0.0/24', '192.0.2.2')
    await client.create(resources.nodes, rest)
    const network = await startNetwork({ client, ...setup, ...tools })
    await eventually(() => command('nft', 'list', 'tables').includes(setup.table))
    assert.ok(!existsSync(setup.cniConfDir))
    assert.equal(readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim(), '1')

    await client.patch(resources.nodes, { name: 'here' }, { type: 'merge', body: { spec } })
    await eventually(() => existsSync(join(setup.cniConfDir, '10-cni-test.conflist')))
    assert.equal(conflist().plugins[0].mtu, 1400)
    assert.equal(conflist().plugins[0].ipam.ranges[0][0].subnet, '10.244.0.0/24')

    await client.create(resources.nodes, node('there', '10.244.1.0/24', '192.0.2.1'))
    await client.create(resources.nodes, node('same-machine', '10.244.2.0/24', '192.0.2.2'))
    await eventually(() => routes().includes('10.244.1.0/24 via 192.0.2.1'))
    assert.ok(!routes().includes('10.244.2.0'))
    await client.delete(resources.nodes, { name: 'there' })
    await eventually(() => routes() === '')
    await network.stop()
  })

  test('pods see each other as they are, the outside sees the node', async () => {
    await client.create(resources.nodes, node('there', '10.244.1.0/24', '192.0.2.1'))
    await startUntil(() => routes().includes('10.244.1.0/24'))
    const [a, b] = [addPod('pod-a'), addPod('pod-b', 8080)]
    assert.match(a, /^10\.244\.0\./)
    assert.equal(await seenFrom('pod-a', 'pod-b', b, 80), a)
    assert.equal(await seenFrom('pod-a', undefined, '192.0.2.2', 7000), a)
    assert.equal(await seenFrom('pod-a', 'outside', '192.0.2.1', 7000), '192.0.2.2')
    // The other machine answers for a pod of its own.
    command('ip', '-n', 'outside', 'addr', 'add', '10.244.1.5/32', 'dev', 'lo')
    command('ip', '-n', 'outside', 'route', 'add', '10.244.0.0/24', 'via', '192.0.2.2')
    assert.equal(await seenFrom('pod-a', 'outside', '10.244.1.5', 7000), a)
    assert.equal(await seenFrom('outside', 'pod-b', '192.0.2.2', 8080, 80), '192.0.2.1')
  })

  test('pods get out although Docker lets nothing pass', async () => {
    command('nft', 'add', 'table', 'ip', 'filter')
    command('nft', 'add', 'chain', 'ip', 'filter', 'FORWARD', '{ type filter hook forward priority 0; policy drop; }')
    assert.equal(await seenFrom('pod-a', 'outside', '192.0.2.1', 7000), 'timeout')
    await startUntil(() => command('nft', 'list', 'table', 'ip', 'filter').includes('cni-test'))
    assert.equal(await seenFrom('pod-a', 'outside', '192.0.2.1', 7000), '192.0.2.2')
    assert.equal(await seenFrom('outside', 'pod-b', '192.0.2.2', 8080, 80), '192.0.2.1')
  })

  test('removal leaves nothing behind, twice', async () => {
    await removeNetwork(setup)
    assert.ok(command('nft', 'list', 'table', 'ip', 'nat').includes('CNI-HOSTPORT'), 'a pod still has a host port')
    await startUntil(() => existsSync(join(setup.cniConfDir, '10-cni-test.conflist')))
    callPlugins('DEL', 'pod-b', 8080)
    await removeNetwork(setup)
    await removeNetwork(setup)
    assert.ok(!command('nft', 'list', 'tables').includes('nat'))
    assert.ok(!command('nft', 'list', 'tables').includes(setup.table))
    assert.ok(!command('nft', 'list', 'table', 'ip', 'filter').includes('cni-test'))
    assert.ok(!command('ip', 'link').includes('cni-test'))
    assert.equal(routes(), '')
    assert.ok(!existsSync(join(setup.dataDir, setup.bridge)))
  })
}
