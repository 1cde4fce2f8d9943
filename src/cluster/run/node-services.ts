import { Informers } from '../../client/index.ts'
import { networkNames } from '../programs.ts'
import { type Context, connectWith, type HealthAddress, type Part, runAsProcess, withClient } from './process.ts'

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
  /** Of pods, who are answered. */
  clusterCidr: string
  clusterDomain: string
}

/** All three, each with an identity of its own. */
export interface NodeServicesFlags extends ProxyFlags, NetworkFlags, DnsFlags {
  networkKubeconfig: string
  dnsKubeconfig: string
}

/** What the components of one process watch together; each alone watches by itself. */
type Shared = (context: Context) => Promise<Informers>

const network = (flags: NetworkFlags, shared?: Shared): Part => ({
  name: 'network',
  async start(context) {
    const { startNetwork } = await import('../../network/index.ts')
    const client = await connectWith(flags.kubeconfig, 'network', context)
    const { bridge, networkTable } = networkNames(flags.clusterName)
    const component = await startNetwork({
      client,
      informers: await shared?.(context),
      nodeName: flags.hostnameOverride,
      cniConfDir: flags.cniConfDir,
      dataDir: flags.cniDataDir,
      bridge,
      table: networkTable,
      clusterCidr: flags.clusterCidr,
      ...context,
    })
    return withClient(component, client)
  },
})

const proxy = (flags: ProxyFlags, shared?: Shared): Part => ({
  name: 'proxy',
  health: healthAddress(flags),
  async start(context) {
    const { startProxy } = await import('../../proxy/index.ts')
    const client = await connectWith(flags.kubeconfig, 'proxy', context)
    const component = await startProxy({
      client,
      informers: await shared?.(context),
      nodeName: flags.hostnameOverride,
      table: networkNames(flags.clusterName).proxyTable,
      clusterCidr: flags.clusterCidr,
      ...context,
    })
    return withClient(component, client)
  },
})

const dns = (flags: DnsFlags, shared?: Shared): Part => ({
  name: 'dns',
  async start(context) {
    const { startDns } = await import('../../dns/index.ts')
    const client = await connectWith(flags.kubeconfig, 'dns', context)
    const component = await startDns({
      client,
      informers: await shared?.(context),
      address: flags.dnsAddress,
      port: flags.dnsPort,
      clusterIp: flags.clusterDns,
      clusterCidr: flags.clusterCidr,
      domain: flags.clusterDomain,
      ...context,
    })
    return withClient(component, client)
  },
})

export const runNetwork = (flags: NetworkFlags) => runAsProcess(network(flags))
export const runProxy = (flags: ProxyFlags) => runAsProcess(proxy(flags))
export const runDns = (flags: DnsFlags) => runAsProcess(dns(flags))

/** Network, proxy and DNS of one node in one process, where they share what they watch. */
export function runNodeServices(flags: NodeServicesFlags): Promise<void> {
  let informers: Promise<Informers> | undefined
  // They watch to the end of the process, which is the end of all three.
  const shared: Shared = context =>
    (informers ??= connectWith(flags.kubeconfig, 'node-services', context).then(
      client => new Informers(client, context),
    ))
  return runAsProcess(
    network({ ...flags, kubeconfig: flags.networkKubeconfig }, shared),
    proxy(flags, shared),
    dns({ ...flags, kubeconfig: flags.dnsKubeconfig }, shared),
  )
}

function healthAddress({ healthzBindAddress }: ProxyFlags): HealthAddress {
  const { hostname, port } = new URL(`http://${healthzBindAddress}`)
  return { host: hostname, port: Number(port) }
}
