import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { ip } from '../api/index.ts'
import type { Clock } from '../base/index.ts'

/** Whether whoever has this address is answered. */
export type Clients = (address: string) => boolean

/** Milliseconds for which the machine's addresses are taken to be what they were. */
const REFRESH = 1000

/**
 * Pods and the machine itself. The port is open on an address that others may reach too: to answer all of them would
 * serve whoever wants to learn the cluster's names, or to flood a third party with answers. Throws for a bad CIDR.
 */
export function clusterClients(podCidrs: string[], clock: Clock): Clients {
  const ranges = podCidrs.map(ip.parseCidr)
  let own = ownAddresses()
  let refreshed = clock.monotonic()
  return from => {
    const address = unmapped(from)
    if (own.has(address) || ranges.some(range => ip.indexOf(range, address) !== undefined)) return true
    if (clock.monotonic() - refreshed < REFRESH) return false
    own = ownAddresses()
    refreshed = clock.monotonic()
    return own.has(address)
  }
}

/** A socket of both families shows IPv4 clients as `::ffff:10.244.0.2`, and link-local ones with their interface. */
function unmapped(from: string): string {
  const address = from.split('%')[0]!
  return isIPv6(address) && address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

const ownAddresses = (): Set<string> =>
  new Set(
    Object.values(networkInterfaces())
      .flat()
      .flatMap(found => found?.address ?? []),
  )
