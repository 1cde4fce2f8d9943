import { addressOf, type ServicePort } from './service-ports.ts'

/** Where UDP packets arrive, to where they go: conntrack's arguments for an entry's original destination, to endpoints. */
export type UdpFlows = Map<string, Set<string>>

export function udpFlows(ports: ServicePort[]): UdpFlows {
  const flows: UdpFlows = new Map()
  for (const { protocol, clusterIp, externalIps, loadBalancerIps, number, nodePort, endpoints } of ports) {
    if (protocol !== 'udp') continue
    const addresses = new Set(endpoints.map(addressOf))
    for (const address of [clusterIp, ...externalIps, ...loadBalancerIps])
      flows.set(`--orig-dst ${address} --orig-port-dst ${number}`, addresses)
    if (nodePort) flows.set(`--orig-port-dst ${nodePort}`, addresses)
  }
  return flows
}

/**
 * The arguments of `conntrack -D -p udp` for entries that would keep sending to where nobody is: a UDP client that
 * never pauses would otherwise never notice. Entries made while there was no endpoint go when the first one comes.
 */
export function staleFlows(before: UdpFlows, now: UdpFlows): string[] {
  const stale: string[] = []
  for (const [destination, old] of before) {
    const present = now.get(destination)
    for (const address of old) if (!present?.has(address)) stale.push(`${destination} --dst-nat ${address}`)
  }
  for (const [destination, present] of now)
    if (present.size > 0 && !before.get(destination)?.size) stale.push(destination)
  return stale
}
