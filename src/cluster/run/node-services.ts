import type { Component } from '../../base/index.ts'
import { type Client, Informers } from '../../client/index.ts'
import { networkNames } from '../programs.ts'
import { type Context, connectWith, type HealthAddress, runAsProcess, withClient } from './process.ts'

interface NodeFlags {
  kubeconfig: string
  hostnameOverride: string
  clusterCidr: string
  /** Names the devices and tables. */
  clusterName: string
}

/** The flags of kube-proxy, in camel case. */
export interface ProxyFlags extends NodeFlags {
  /** `127.0.0.1:10256` */
  healthzBindAddress: string
}

export interface NetworkFlags extends NodeFlags {
  cniConfDir: string
  cniDataDir: string
}

export interface DnsFlags {
  kubeconfig: string
  dnsAddress: string
  dnsPort: number
  /** The kube-dns Service's. */
  clusterDns: string
  clusterDomain: string
}

/** All three, each with an identity of its own. */
export interface NodeServicesFlags extends ProxyFlags, NetworkFlags, DnsFlags {
  networkKubeconfig: string
  dnsKubeconfig: string
}

type Start<Flags> = (flags: Flags, client: Client, context: Context, informers?: Informers) => Promise<Component>

const startNetworkWith: Start<NetworkFlags> = async (flags, client, context, informers) => {
  const { startNetwork } = await import('../../network/index.ts')
  const { bridge, networkTable } = networkNames(flags.clusterName)
  return startNetwork({
    client,
    informers,
    nodeName: flags.hostnameOverride,
    cniConfDir: flags.cniConfDir,
    dataDir: flags.cniDataDir,
    bridge,
    table: networkTable,
    clusterCidr: flags.clusterCidr,
    ...context,
  })
}

const startProxyWith: Start<ProxyFlags> = async (flags, client, context, informers) => {
  const { startProxy } = await import('../../proxy/index.ts')
  return startProxy({
    client,
    informers,
    nodeName: flags.hostnameOverride,
    table: networkNames(flags.clusterName).proxyTable,
    clusterCidr: flags.clusterCidr,
    ...context,
  })
}

const startDnsWith: Start<DnsFlags> = async (flags, client, context, informers) => {
  const { startDns } = await import('../../dns/index.ts')
  return startDns({
    client,
    informers,
    address: flags.dnsAddress,
    port: flags.dnsPort,
    clusterIp: flags.clusterDns,
    domain: flags.clusterDomain,
    ...context,
  })
}

export const runNetwork = (flags: NetworkFlags) => runOne('network', undefined, flags, startNetworkWith)
export const runProxy = (flags: ProxyFlags) => runOne('proxy', healthAddress(flags), flags, startProxyWith)
export const runDns = (flags: DnsFlags) => runOne('dns', undefined, flags, startDnsWith)

/** Network, proxy and DNS of one node in one process, where they share what they watch. */
export function runNodeServices(flags: NodeServicesFlags): Promise<void> {
  return runAsProcess('node-services', healthAddress(flags), async context => {
    const [network, proxy, dns] = await Promise.all([
      connectWith(flags.networkKubeconfig, 'network', named(context, 'network')),
      connectWith(flags.kubeconfig, 'proxy', named(context, 'proxy')),
      connectWith(flags.dnsKubeconfig, 'dns', named(context, 'dns')),
    ])
    const informers = new Informers(proxy, context)
    const parts = await Promise.all([
      startNetworkWith(flags, network, named(context, 'network'), informers),
      startProxyWith(flags, proxy, named(context, 'proxy'), informers),
      startDnsWith(flags, dns, named(context, 'dns'), informers),
    ])
    const all: Component = {
      async stop() {
        await Promise.all(parts.map(part => part.stop()))
        await informers.stop()
      },
    }
    return withClient(all, network, proxy, dns)
  })
}

function runOne<Flags extends { kubeconfig: string }>(
  name: string,
  health: HealthAddress | undefined,
  flags: Flags,
  start: Start<Flags>,
): Promise<void> {
  return runAsProcess(name, health, async context => {
    const client = await connectWith(flags.kubeconfig, name, context)
    return withClient(await start(flags, client, context), client)
  })
}

const named = (context: Context, part: string): Context => ({ ...context, log: context.log.child({ part }) })

function healthAddress({ healthzBindAddress }: ProxyFlags): HealthAddress {
  const { hostname, port } = new URL(`http://${healthzBindAddress}`)
  return { host: hostname, port: Number(port) }
}
