import type { Clock, Component, Logger, Random } from '../base/index.ts'
import { type Client, Informers } from '../client/index.ts'
import { clusterClients } from './clients.ts'
import { informedDirectory } from './directory.ts'
import { Forwarder, type Resolver } from './forwarder.ts'
import { dnsHandler } from './handler.ts'
import { publish } from './publish.ts'
import { machineResolvers } from './resolv-conf.ts'
import { startServer } from './server.ts'
import { Zone } from './zone.ts'

export interface DnsOptions {
  client: Client
  /** Shared with other components of the process, if given. */
  informers?: Informers
  /** Where to listen, and what the EndpointSlice says: an address that pods reach. */
  address: string
  /** 0 for any free one. */
  port: number
  /** Of the Service kube-system/kube-dns. */
  clusterIp: string
  /** The addresses of pods. Only they and this machine are answered; `0.0.0.0/0` answers everybody. Commas separate several. */
  clusterCidr: string
  /** Default: `cluster.local` */
  domain?: string
  /** Who knows the rest of the world. Default: this machine's resolvers, without this server itself. */
  upstream?: Resolver[]
  clock: Clock
  random: Random
  log: Logger
}

/** Seconds. Services come and go. */
const TTL = 5

export interface Dns extends Component {
  port: number
}

/** The cluster's DNS: answers for Services and pods, asks others for the rest, and makes itself known as kube-dns. */
export async function startDns(options: DnsOptions): Promise<Dns> {
  const { client, address, clusterIp, clusterCidr, domain = 'cluster.local', clock, random, log } = options
  const informers = options.informers ?? new Informers(client, { clock, random, log })
  const directory = informedDirectory(informers)
  const serial = () => Math.floor(clock.now() / 1000)
  const zone = new Zone({ directory, domain, clusterIp, ttl: TTL, serial })
  const resolvers = (options.upstream ?? (await machineResolvers())).filter(
    resolver => resolver.address !== clusterIp && !(resolver.address === address && resolver.port === options.port),
  )
  const forwarder = new Forwarder({ resolvers, clock, random })
  const handle = dnsHandler({ zone, complete: directory.synced, forwarder, random, log })
  const clients = clusterClients(clusterCidr.split(','), clock)
  const server = await startServer({ address, port: options.port, clients, handle, log })
  const publisher = publish({ ...options, informers, port: server.port })
  log.info({ address, port: server.port, upstream: resolvers.map(resolver => resolver.address) }, 'dns is serving')
  return {
    port: server.port,
    async stop() {
      await publisher.stop()
      await server.stop()
      if (!options.informers) await informers.stop()
    },
  }
}
