import { addressOf, type Family, type ServicePort } from './service-ports.ts'

/**
 * One nftables table as data, so that two can be compared: base chains never change; regular chains are lists of
 * rules; sets and maps have a declaration and elements (key to value; a set's values are empty).
 */
export interface Ruleset {
  chains: Map<string, string[]>
  sets: Map<string, NamedSet>
}

export interface NamedSet {
  kind: 'set' | 'map'
  /** What stands in its braces, besides the elements. */
  declaration: string
  elements: Map<string, string>
}

export interface RulesetOptions {
  family: Family
  clusterCidr: string
}

/** Marks packets that are to leave with the node's address. Upstream's bit. */
const MARK = '0x4000'

/** What differs between the address families. */
const FAMILIES = {
  IPv4: { ip: 'ip', type: 'ipv4_addr', loopback: '127.0.0.0/8' },
  IPv6: { ip: 'ip6', type: 'ipv6_addr', loopback: '::1' },
}

/**
 * The table that makes Services work, in the shape of upstream's nftables mode: maps lead from address, protocol and
 * port to a chain for each Service port, which chooses one of the chains that each translate to one endpoint.
 * Source: https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-nftables
 */
export function ruleset(ports: ServicePort[], options: RulesetOptions): Ruleset {
  const rules = emptyRuleset(options)
  for (const port of ports) addPort(rules, port, options)
  return rules
}

/**
 * Hooks and where they lead. Destinations are translated at priority -100: a filter before that sees where a packet was
 * sent to, one after it where it goes.
 */
export const BASE_CHAINS: Record<string, { declaration: string; rules: string[] }> = {
  'filter-prerouting': {
    declaration: 'type filter hook prerouting priority -110',
    rules: ['ct state new jump firewall-check'],
  },
  'filter-input': {
    declaration: 'type filter hook input priority -110',
    rules: ['ct state new jump endpoints-check'],
  },
  'filter-forward': {
    declaration: 'type filter hook forward priority -110',
    rules: ['ct state new jump endpoints-check', 'ct state new jump cluster-ips-check'],
  },
  'filter-output': {
    declaration: 'type filter hook output priority -110',
    rules: ['ct state new jump endpoints-check', 'ct state new jump firewall-check'],
  },
  'filter-output-post-dnat': {
    declaration: 'type filter hook output priority -90',
    rules: ['ct state new jump cluster-ips-check'],
  },
  'nat-prerouting': { declaration: 'type nat hook prerouting priority -100', rules: ['jump services'] },
  'nat-output': { declaration: 'type nat hook output priority -100', rules: ['jump services'] },
  'nat-postrouting': { declaration: 'type nat hook postrouting priority 100', rules: ['jump masquerading'] },
}

function emptyRuleset({ family }: RulesetOptions): Ruleset {
  const { ip, type, loopback } = FAMILIES[family]
  const frontend = `${ip} daddr . meta l4proto . th dport`
  const nodePort = `fib daddr type local ${ip} daddr != ${loopback} meta l4proto . th dport`
  const map = (key: string): NamedSet => ({
    kind: 'map',
    declaration: `type ${key} : verdict`,
    elements: new Map(),
  })
  const addressMap = () => map(`${type} . inet_proto . inet_service`)
  return {
    chains: new Map([
      ['services', [`${frontend} vmap @service-ips`, `${nodePort} vmap @service-nodeports`]],
      ['endpoints-check', [`${frontend} vmap @no-endpoint-services`, `${nodePort} vmap @no-endpoint-nodeports`]],
      ['firewall-check', [`${frontend} vmap @firewall-ips`]],
      // A port that the Service of this address does not have; without it the packet would wander off.
      ['cluster-ips-check', [`${ip} daddr @cluster-ips reject`]],
      ['reject-chain', ['reject']],
      ['mark-for-masquerade', [`meta mark set meta mark or ${MARK}`]],
      [
        'masquerading',
        [`meta mark and ${MARK} == 0 return`, `meta mark set meta mark xor ${MARK}`, 'masquerade fully-random'],
      ],
    ]),
    sets: new Map([
      ['cluster-ips', { kind: 'set', declaration: `type ${type}`, elements: new Map() }],
      ['service-ips', addressMap()],
      ['service-nodeports', map('inet_proto . inet_service')],
      ['no-endpoint-services', addressMap()],
      ['no-endpoint-nodeports', map('inet_proto . inet_service')],
      ['firewall-ips', addressMap()],
    ]),
  }
}

function addPort(rules: Ruleset, port: ServicePort, options: RulesetOptions): void {
  rules.sets.get('cluster-ips')!.elements.set(port.clusterIp, '')
  addInternal(rules, port, options)
  addExternal(rules, port, options)
  addFirewall(rules, port, options)
}

/** Traffic to the cluster IP. */
function addInternal(rules: Ruleset, port: ServicePort, options: RulesetOptions): void {
  const endpoints = port.internalLocal ? port.localEndpoints : port.endpoints
  const key = `${port.clusterIp} . ${port.protocol} . ${port.number}`
  if (endpoints.length === 0) {
    // Others elsewhere may answer, so this is not a refusal.
    const verdict = port.endpoints.length > 0 ? 'drop' : 'goto reject-chain'
    rules.sets.get('no-endpoint-services')!.elements.set(key, verdict)
    return
  }
  rules.sets.get('service-ips')!.elements.set(key, `goto ${policyChain(rules, port, port.internalLocal, options)}`)
}

/** Traffic to node ports, external and load balancers' addresses. */
function addExternal(rules: Ruleset, port: ServicePort, options: RulesetOptions): void {
  const keys = externalKeys(port)
  if (keys.addresses.length === 0 && !keys.nodePort) return
  const endpoints = port.externalLocal ? port.localEndpoints : port.endpoints
  if (port.endpoints.length > 0) {
    const verdict = `goto ${externalChain(rules, port, options)}`
    for (const key of keys.addresses) rules.sets.get('service-ips')!.elements.set(key, verdict)
    if (keys.nodePort) rules.sets.get('service-nodeports')!.elements.set(keys.nodePort, verdict)
  }
  if (endpoints.length === 0) {
    const verdict = port.endpoints.length > 0 ? 'drop' : 'goto reject-chain'
    for (const key of keys.addresses) rules.sets.get('no-endpoint-services')!.elements.set(key, verdict)
    if (keys.nodePort) rules.sets.get('no-endpoint-nodeports')!.elements.set(keys.nodePort, verdict)
  }
}

const externalKeys = ({ externalIps, loadBalancerIps, nodePort, protocol, number }: ServicePort) => ({
  addresses: [...externalIps, ...loadBalancerIps].map(address => `${address} . ${protocol} . ${number}`),
  nodePort: nodePort && `${protocol} . ${nodePort}`,
})

function addFirewall(rules: Ruleset, port: ServicePort, { family }: RulesetOptions): void {
  if (port.sourceRanges.length === 0) return
  const chain = name('firewall', port)
  rules.chains.set(chain, [`${FAMILIES[family].ip} saddr { ${port.sourceRanges.join(', ')} } return`, 'drop'])
  for (const address of port.loadBalancerIps) {
    const key = `${address} . ${port.protocol} . ${port.number}`
    rules.sets.get('firewall-ips')!.elements.set(key, `goto ${chain}`)
  }
}

function externalChain(rules: Ruleset, port: ServicePort, options: RulesetOptions): string {
  const chain = name('external', port)
  const all = `goto ${policyChain(rules, port, false, options)}`
  const { ip } = FAMILIES[options.family]
  if (!port.externalLocal) {
    rules.chains.set(chain, ['jump mark-for-masquerade', all])
    return chain
  }
  // Pods and the node itself need not care that the client's address be kept for others.
  const lines = [
    `${ip} saddr ${options.clusterCidr} ${all}`,
    'fib saddr type local jump mark-for-masquerade',
    `fib saddr type local ${all}`,
  ]
  if (port.localEndpoints.length > 0) lines.push(`goto ${policyChain(rules, port, true, options)}`)
  rules.chains.set(chain, lines)
  return chain
}

/** The chain that chooses among all endpoints, or among those of this node. */
function policyChain(rules: Ruleset, port: ServicePort, local: boolean, options: RulesetOptions): string {
  const chain = name(local ? 'local' : 'service', port)
  if (rules.chains.has(chain)) return chain
  const { ip } = FAMILIES[options.family]
  const { clusterIp, protocol, number } = port
  const targets = local ? port.localEndpoints : port.endpoints
  const verdicts = targets.map((target, index) => `${index} : goto ${endpointChain(rules, port, target, options)}`)
  const kept = (target: string) => `${ip} saddr @${affinitySet(port, target)} goto ${name('endpoint', port, target)}`
  rules.chains.set(chain, [
    // Who is not in the cluster has to get the answer from this node.
    `${ip} daddr ${clusterIp} ${protocol} dport ${number} ${ip} saddr != ${options.clusterCidr} jump mark-for-masquerade`,
    ...(port.affinity ? targets.map(kept) : []),
    `numgen random mod ${targets.length} vmap { ${verdicts.join(', ')} }`,
  ])
  return chain
}

/** The chain that translates to one endpoint. */
function endpointChain(rules: Ruleset, port: ServicePort, target: string, { family }: RulesetOptions): string {
  const { ip, type } = FAMILIES[family]
  const chain = name('endpoint', port, target)
  const lines = [
    // A pod that reaches itself must not see itself as the client.
    `${ip} saddr ${addressOf(target)} jump mark-for-masquerade`,
    `meta l4proto ${port.protocol} dnat to ${target}`,
  ]
  if (port.affinity) {
    const affinity = affinitySet(port, target)
    const declaration = `type ${type}; flags dynamic,timeout; timeout ${port.affinity}s`
    rules.sets.set(affinity, { kind: 'set', declaration, elements: new Map() })
    lines.splice(1, 0, `update @${affinity} { ${ip} saddr }`)
  }
  rules.chains.set(chain, lines)
  return chain
}

/** The set of the clients that an endpoint keeps. Its timeout cannot be changed, so another timeout is another set. */
const affinitySet = (port: ServicePort, target: string): string => `${name('affinity', port, target)}/${port.affinity}`

/** `endpoint-ns/name/tcp/port/10.244.0.2/8080`: at most 215 of the 255 characters that nftables allows. */
function name(prefix: string, { service, protocol, port }: ServicePort, target?: string): string {
  const title = `${prefix}-${service}/${protocol}/${port}`
  // A name cannot hold a colon.
  if (!target) return title
  return `${title}/${addressOf(target).replaceAll(':', '.')}/${target.slice(target.lastIndexOf(':') + 1)}`
}
