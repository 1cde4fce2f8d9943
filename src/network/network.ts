import { join } from 'node:path'
import { resources } from '../api/index.ts'
import { type Clock, type Component, type Logger, type Random, runCommand } from '../base/index.ts'
import { type Client, from, Informers, startController } from '../client/index.ts'
import { conflist } from './conflist.ts'
import { allowForwarding } from './forward.ts'
import { outwardMtu, setSysctls, writeWhole } from './machine.ts'
import { masqueradeRules } from './masquerade.ts'
import { applyRoutes, desiredRoutes, podCidrs } from './routes.ts'

export interface NetworkOptions {
  client: Client
  /** Shared with other components of the process, if given. */
  informers?: Informers
  nodeName: string
  /** Where the container runtime looks for CNI configuration. */
  cniConfDir: string
  /** Where host-local keeps which address is whose. Its own for each cluster. */
  dataDir: string
  /** The bridge's device name, at most 15 characters; also the CNI network's name. */
  bridge: string
  /** The nftables table (of family ip) for the masquerade. */
  table: string
  /** All pods' addresses: `10.244.0.0/16`. */
  clusterCidr: string
  clock: Clock
  random: Random
  log: Logger
}

/** The one thing that is reconciled: this node's network as a whole. */
const NETWORK = 'network'

/**
 * Keeps this node's pod network as the Nodes say: once the own Node has a pod CIDR, containers can start; every other
 * Node's pod CIDR is a route to that Node. What it made stays when it stops, so that pods keep talking.
 */
export async function startNetwork(options: NetworkOptions): Promise<Component> {
  const { client, nodeName, clock, random, log } = options
  const informers = options.informers ?? new Informers(client, { clock, random, log })
  const nodes = informers.get(resources.nodes)
  const controller = startController({
    name: NETWORK,
    workers: 1,
    // A node's status changes often, and hardly ever its addresses.
    sources: [from(nodes, () => NETWORK)],
    reconcile,
    clock,
    log,
  })
  let masquerading = false
  let done = ''

  async function reconcile(): Promise<void> {
    const all = nodes.lister.list()
    const own = nodes.lister.get({ name: nodeName })
    const cidrs = own ? podCidrs(own) : []
    const routes = desiredRoutes(nodeName, all)
    const wanted = JSON.stringify([cidrs, [...routes].sort()])
    if (wanted === done) return
    if (!masquerading) await prepare()
    masquerading = true
    await applyRoutes(runCommand, options.clusterCidr, routes)
    if (cidrs.length > 0) await configureCni(cidrs)
    done = wanted
    log.info({ podCidrs: cidrs, routes: routes.size }, 'pod network is set up')
  }

  async function prepare(): Promise<void> {
    await setSysctls(runCommand)
    await runCommand('nft', ['-f', '-'], masqueradeRules(options))
    await allowForwarding(runCommand, options.bridge, options.table)
  }

  async function configureCni(podCidrs: string[]): Promise<void> {
    const { bridge, dataDir } = options
    const mtu = await outwardMtu(runCommand)
    const content = JSON.stringify(conflist({ name: bridge, bridge, podCidrs, mtu, dataDir }), null, 2)
    await writeWhole(conflistPath(options), `${content}\n`)
  }

  return {
    async stop() {
      await controller.stop()
      if (!options.informers) await informers.stop()
    },
  }
}

/** The runtime takes the first file by name. */
export const conflistPath = ({ cniConfDir, bridge }: { cniConfDir: string; bridge: string }): string =>
  join(cniConfDir, `10-${bridge}.conflist`)
