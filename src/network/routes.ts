import type { core } from '../api/index.ts'
import type { RunCommand } from '../base/index.ts'

/** Marks the routes of this agent among the machine's own; a number that iproute2 has not given away. */
const PROTOCOL = '201'

/** Destination (another node's pod CIDR) to next hop (that node's address). */
export type Routes = Map<string, string>

/** The routes that `self` needs: one for each pod CIDR of each other node. */
export function desiredRoutes(self: string, nodes: core.Node[]): Routes {
  const own = new Set(nodes.filter(node => node.metadata.name === self).flatMap(addresses))
  const routes: Routes = new Map()
  for (const node of nodes) {
    if (node.metadata.name === self) continue
    for (const cidr of podCidrs(node)) {
      const hop = addresses(node).find(address => address.includes(':') === cidr.includes(':'))
      // A second node on this very machine has no next hop: its bridge is already here.
      if (hop && !own.has(hop)) routes.set(cidr, hop)
    }
  }
  return routes
}

export const podCidrs = (node: core.Node): string[] =>
  node.spec.podCIDRs?.length ? node.spec.podCIDRs : node.spec.podCIDR ? [node.spec.podCIDR] : []

const addresses = (node: core.Node): string[] =>
  (node.status.addresses ?? []).filter(({ type }) => type === 'InternalIP').map(({ address }) => address)

/** Makes the kernel's routes inside `clusterCidr` those desired, touching only what this agent set. */
export async function applyRoutes(run: RunCommand, clusterCidr: string, desired: Routes): Promise<void> {
  const present = await presentRoutes(run, clusterCidr)
  for (const [cidr, hop] of desired)
    if (present.get(cidr) !== hop) await run('ip', ['route', 'replace', cidr, 'via', hop, 'proto', PROTOCOL])
  for (const cidr of present.keys()) if (!desired.has(cidr)) await run('ip', ['route', 'del', cidr, 'proto', PROTOCOL])
}

async function presentRoutes(run: RunCommand, clusterCidr: string): Promise<Routes> {
  const family = clusterCidr.includes(':') ? '-6' : '-4'
  const output = await run('ip', [family, '-j', 'route', 'show', 'root', clusterCidr, 'proto', PROTOCOL])
  const routes = JSON.parse(output || '[]') as { dst: string; gateway?: string }[]
  return new Map(routes.map(({ dst, gateway }) => [dst.includes('/') ? dst : `${dst}/32`, gateway ?? '']))
}
