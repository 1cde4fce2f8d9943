import { isIPv4, isIPv6 } from 'node:net'
import { type core, type discovery, isHeadless, SERVICE_NAME } from '../api/index.ts'
import { addressOf } from './addresses.ts'
import { address, type DnsRecord, type Reply } from './records.ts'

/** Where the zone's contents come from. */
export interface Directory {
  hasNamespace(name: string): boolean
  service(namespace: string, name: string): core.Service | undefined
  slices(namespace: string, service: string): discovery.EndpointSlice[]
  /** Services with this cluster IP. */
  servicesAt(ip: string): core.Service[]
  /** EndpointSlices with an endpoint at this address. */
  slicesAt(ip: string): discovery.EndpointSlice[]
}

export interface ZoneOptions {
  directory: Directory
  /** Without dots at its ends: `cluster.local`. */
  domain: string
  /** The address of the DNS itself. */
  clusterIp: string
  /** Seconds that clients may keep an answer. */
  ttl: number
  /** For the SOA record: seconds since the epoch. */
  serial: () => number
}

/** Of the DNS specification that this follows. Source: https://github.com/kubernetes/dns/blob/master/docs/specification.md */
const SCHEMA_VERSION = '1.1.0'

const nothing: Reply = { found: false, answers: [], additionals: [] }
const empty: Reply = { found: true, answers: [], additionals: [] }
const found = (answers: DnsRecord[], additionals: DnsRecord[] = []): Reply => ({ found: true, answers, additionals })

/** One port of one address of a Service. */
interface Target {
  ip: string
  /** What SRV names, below the Service; unset for the cluster IP. */
  endpoint?: string
  port?: { name: string; protocol: string; number: number }
}

/** The names under the cluster's domain. */
export class Zone {
  readonly #options: ZoneOptions

  constructor(options: ZoneOptions) {
    this.#options = options
  }

  /** Whether the answer may depend on what the cluster has. */
  covers(name: string): boolean {
    const lower = `.${name.toLowerCase()}`
    return lower.endsWith('.arpa') || lower.endsWith(`.${this.#options.domain}`)
  }

  /** `undefined` when the name is not this cluster's to answer for. Names keep the case in which they were asked for. */
  resolve(name: string, type: string): Reply | undefined {
    const lower = name.toLowerCase()
    const { domain } = this.#options
    if (!this.covers(name)) return undefined
    if (lower.endsWith('.arpa')) return this.#reverse(name, addressOf(lower), type)
    if (lower === domain) return this.#apex(name, type)
    return this.#below(name, lower.slice(0, -domain.length - 1).split('.'), type)
  }

  soa(): DnsRecord {
    const { domain, ttl, serial } = this.#options
    return {
      name: domain,
      ttl,
      type: 'SOA',
      primary: `ns.dns.${domain}`,
      mailbox: `hostmaster.${domain}`,
      serial: serial(),
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttl,
    }
  }

  #apex(name: string, type: string): Reply {
    const { domain, ttl, clusterIp } = this.#options
    const server = `ns.dns.${domain}`
    if (type === 'SOA') return found([{ ...this.soa(), name }])
    if (type === 'NS') return found([{ name, ttl, type, target: server }], [address(server, ttl, clusterIp)])
    return empty
  }

  #below(name: string, labels: string[], type: string): Reply {
    const { ttl, clusterIp } = this.#options
    switch (labels.pop()) {
      case 'svc':
        return this.#services(name, labels, type)
      case 'pod':
        return this.#pods(name, labels, type)
      case 'dns-version':
        if (labels.length > 0) return nothing
        return type === 'TXT' ? found([{ name, ttl, type, text: SCHEMA_VERSION }]) : empty
      case 'dns':
        if (labels.length === 0) return empty
        return labels.join('.') === 'ns' ? found(ofType([address(name, ttl, clusterIp)], type)) : nothing
      default:
        return nothing
    }
  }

  /** `10-244-0-3.default.pod.cluster.local`, for any address: the pod is not looked up, as upstream's `pods insecure`. */
  #pods(name: string, labels: string[], type: string): Reply {
    const namespace = labels.pop()
    if (namespace === undefined) return empty
    if (labels.length > 1 || !this.#options.directory.hasNamespace(namespace)) return nothing
    const [dashed] = labels
    if (dashed === undefined) return empty
    const ip = [dashed.replaceAll('-', '.'), dashed.replaceAll('-', ':')].find(text => isIPv4(text) || isIPv6(text))
    return ip ? found(ofType([address(name, this.#options.ttl, ip)], type)) : nothing
  }

  #services(name: string, labels: string[], type: string): Reply {
    const { directory } = this.#options
    const namespace = labels.pop()
    if (namespace === undefined) return empty
    if (!directory.hasNamespace(namespace)) return nothing
    const serviceName = labels.pop()
    if (serviceName === undefined) return empty
    const service = directory.service(namespace, serviceName)
    if (!service) return nothing
    if (service.spec.type === 'ExternalName') return this.#external(name, labels, service)
    const targets = this.#targets(service, labels)
    if (!targets) return nothing
    return this.#answer(name, `${serviceName}.${namespace}.svc.${this.#options.domain}`, targets, type)
  }

  #external(name: string, labels: string[], { spec }: core.Service): Reply {
    if (labels.length > 0) return nothing
    return found([{ name, ttl: this.#options.ttl, type: 'CNAME', target: spec.externalName!.replace(/\.$/, '') }])
  }

  /** What the labels before the Service's name choose of it; `undefined` when there is no such name. */
  #targets(service: core.Service, labels: string[]): Target[] | undefined {
    const all = isHeadless(service) ? this.#endpoints(service) : clusterTargets(service)
    if (labels.length === 0) return all.length > 0 ? all : undefined
    if (labels.length === 1 && !labels[0]!.startsWith('_')) {
      const endpoints = this.#endpoints(service).filter(({ endpoint }) => endpoint === labels[0])
      return endpoints.length > 0 ? endpoints : undefined
    }
    const [protocol, port] = labels.toReversed()
    const chosen = all.filter(
      target => `_${target.port?.protocol}` === protocol && (!port || `_${target.port?.name}` === port),
    )
    if (labels.length > 2 || chosen.length === 0) return undefined
    // `_tcp` alone has no records, but names below it.
    return labels.length === 1 ? [] : chosen
  }

  #endpoints({ metadata }: core.Service): Target[] {
    return this.#options.directory.slices(metadata.namespace, metadata.name).flatMap(({ endpoints, ports }) =>
      (endpoints ?? [])
        .filter(({ conditions }) => conditions.ready !== false)
        .flatMap(endpoint =>
          endpoint.addresses.flatMap(ip => {
            const target = { ip, endpoint: endpointName(endpoint, ip) }
            if (!ports?.length) return target
            return ports.map(({ name = '', protocol = 'TCP', port = 0 }) => ({
              ...target,
              port: { name, protocol: protocol.toLowerCase(), number: port },
            }))
          }),
        ),
    )
  }

  #answer(name: string, service: string, targets: Target[], type: string): Reply {
    const { ttl } = this.#options
    if (type !== 'SRV') {
      const ips = new Set(targets.map(({ ip }) => ip))
      return found(
        ofType(
          [...ips].map(ip => address(name, ttl, ip)),
          type,
        ),
      )
    }
    const hosts = new Map<string, Set<string>>()
    const services = new Map<string, { target: string; port: number }>()
    for (const { ip, endpoint, port } of targets) {
      if (!port) continue
      const target = endpoint ? `${endpoint}.${service}` : service
      services.set(`${target}:${port.number}`, { target, port: port.number })
      hosts.set(target, (hosts.get(target) ?? new Set()).add(ip))
    }
    const weight = Math.max(1, Math.floor(100 / services.size))
    const answers = [...services.values()].map(
      ({ target, port }): DnsRecord => ({ name, ttl, type, priority: 0, weight, port, target }),
    )
    const additionals = [...hosts].flatMap(([host, ips]) => [...ips].map(ip => address(host, ttl, ip)))
    return found(answers, additionals)
  }

  /** Addresses that nobody here has are somebody else's to name. */
  #reverse(name: string, ip: string | undefined, type: string): Reply | undefined {
    const { directory, domain, ttl } = this.#options
    if (!ip) return undefined
    const services = directory.servicesAt(ip).map(({ metadata }) => `${metadata.name}.${metadata.namespace}.svc`)
    const names = services.length > 0 ? services : directory.slicesAt(ip).flatMap(slice => endpointNames(slice, ip))
    if (names.length === 0) return undefined
    if (type !== 'PTR') return empty
    return found([...new Set(names)].map(target => ({ name, ttl, type, target: `${target}.${domain}` })))
  }
}

const ofType = (records: DnsRecord[], type: string): DnsRecord[] => records.filter(record => record.type === type)

function clusterTargets({ spec }: core.Service): Target[] {
  const ips = spec.clusterIPs?.length ? spec.clusterIPs : spec.clusterIP ? [spec.clusterIP] : []
  return ips.flatMap(ip =>
    (spec.ports ?? []).map(({ name = '', protocol = 'TCP', port }) => ({
      ip,
      port: { name, protocol: protocol.toLowerCase(), number: port },
    })),
  )
}

/** The endpoint's own hostname, or its address with dashes. */
const endpointName = ({ hostname }: discovery.Endpoint, ip: string): string =>
  hostname?.toLowerCase() || ip.replaceAll(/[.:]/g, '-')

function endpointNames({ metadata, endpoints }: discovery.EndpointSlice, ip: string): string[] {
  const service = metadata.labels?.[SERVICE_NAME]
  if (!service) return []
  return (endpoints ?? [])
    .filter(({ addresses, conditions }) => conditions.ready !== false && addresses.includes(ip))
    .map(endpoint => `${endpointName(endpoint, ip)}.${service}.${metadata.namespace}.svc`)
}
