import { type core, type discovery, resources, serviceKeys } from '../api/index.ts'
import { type Clock, type Component, type Logger, type Random, runCommand } from '../base/index.ts'
import { type Client, from, Informers, startController } from '../client/index.ts'
import { staleFlows, type UdpFlows, udpFlows } from './conntrack.ts'
import { type Ruleset, ruleset } from './ruleset.ts'
import { servicePorts } from './service-ports.ts'
import { transaction } from './transaction.ts'

export interface ProxyOptions {
  client: Client
  /** Shared with other components of the process, if given. */
  informers?: Informers
  nodeName: string
  /** The nftables table (of family ip); its own for each cluster. */
  table: string
  /** All pods' addresses: who comes from elsewhere gets answers through this node. */
  clusterCidr: string
  /** At least this many milliseconds between two changes of the rules. Default: 1 s, as upstream's minSyncPeriod. */
  minSyncPeriod?: number
  clock: Clock
  random: Random
  log: Logger
}

/** The one thing that is reconciled. */
const RULES = 'rules'
const FAMILY = 'IPv4'
const BY_SERVICE = 'proxy/service'

/**
 * Keeps one nftables table as the Services and EndpointSlices say. The table stays when the proxy stops, so that traffic
 * goes on; the next one replaces it as a whole, and from then on changes only what differs.
 */
export async function startProxy(options: ProxyOptions): Promise<Component> {
  const { client, nodeName, clusterCidr, minSyncPeriod = 1000, clock, random, log } = options
  const informers = options.informers ?? new Informers(client, { clock, random, log })
  const services = informers.get(resources.services)
  const slices = informers.get(resources.endpointSlices)
  slices.addIndex(BY_SERVICE, serviceKeys)
  const table = `ip ${options.table}`
  let applied: Ruleset | undefined
  let flows: UdpFlows = new Map()
  let last = Number.NEGATIVE_INFINITY

  const controller = startController({
    name: 'proxy',
    workers: 1,
    sources: [from(services, () => RULES), from(slices, () => RULES)],
    reconcile,
    clock,
    log,
  })

  async function reconcile(): Promise<{ after: number } | undefined> {
    const wait = last + minSyncPeriod - clock.monotonic()
    if (wait > 0) return { after: wait }
    const ports = servicePorts(services.lister.list(), slicesOf, { nodeName, family: FAMILY })
    const wanted = ruleset(ports, { family: FAMILY, clusterCidr })
    const script = transaction(table, applied, wanted)
    if (!script) return
    last = clock.monotonic()
    // If this fails, nothing is known of the table any more, and it is replaced next time.
    applied = undefined
    await runCommand('nft', ['-f', '-'], script)
    applied = wanted
    log.info({ ports: ports.length, took: Math.round(clock.monotonic() - last) }, 'service rules applied')
    await forgetStale(udpFlows(ports))
  }

  const slicesOf = ({ metadata: { namespace, name } }: core.Service): discovery.EndpointSlice[] =>
    slices.lister.byIndex(BY_SERVICE, `${namespace}/${name}`)

  async function forgetStale(now: UdpFlows): Promise<void> {
    const stale = staleFlows(flows, now)
    flows = now
    for (const flow of stale) await forgetFlow(flow)
  }

  /** conntrack fails when there is nothing to delete; without conntrack, flows end by their own timeout. */
  async function forgetFlow(flow: string): Promise<void> {
    await runCommand('conntrack', ['-D', '-p', 'udp', ...flow.split(' ')]).catch((error: Error) => {
      if (!error.message.includes('0 flow entries')) log.debug({ flow, error: error.message }, 'stale flow is kept')
    })
  }

  return {
    async stop() {
      await controller.stop()
      if (!options.informers) await informers.stop()
    },
  }
}

/** Takes the table away, and with it every Service on this node. A table that is not there is no error. */
export async function removeProxy({ table }: { table: string }): Promise<void> {
  await runCommand('nft', ['-f', '-'], `add table ip ${table}\ndelete table ip ${table}\n`)
}
