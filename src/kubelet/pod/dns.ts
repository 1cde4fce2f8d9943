import { readFile } from 'node:fs/promises'
import type { core } from '../../api/index.ts'

export interface DnsConfig {
  servers: string[]
  searches: string[]
  options: string[]
}

export interface DnsOptions {
  clusterDNS: string[]
  clusterDomain: string
  /** The node's own resolver file; empty for none. */
  resolvConf: string
}

const MAX_SERVERS = 3
const MAX_SEARCHES = 32

/** A pod's resolv.conf. Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ */
export async function dnsConfigOf(pod: core.Pod, options: DnsOptions): Promise<DnsConfig> {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst'
  const clusterFirst = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec.hostNetwork)
  const host = policy === 'None' ? NOTHING : await hostResolver(options.resolvConf)
  const config = clusterFirst && options.clusterDNS.length > 0 ? clusterConfig(pod, host, options) : host
  return withCustom(config, pod.spec.dnsConfig)
}

const NOTHING: DnsConfig = { servers: [], searches: [], options: [] }

async function hostResolver(path: string): Promise<DnsConfig> {
  return path ? parseResolvConf(await readFile(path, 'utf8').catch(() => '')) : NOTHING
}

export function parseResolvConf(text: string): DnsConfig {
  const config: DnsConfig = { servers: [], searches: [], options: [] }
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/)
    if (word === 'nameserver' && rest[0]) config.servers.push(rest[0])
    // The last one counts.
    if (word === 'search') config.searches = rest.filter(name => name !== '.').map(name => name.replace(/\.$/, ''))
    if (word === 'options') config.options = rest
  }
  return config
}

const clusterConfig = (pod: core.Pod, host: DnsConfig, { clusterDNS, clusterDomain }: DnsOptions): DnsConfig => ({
  servers: clusterDNS,
  searches: [
    ...new Set([
      `${pod.metadata.namespace}.svc.${clusterDomain}`,
      `svc.${clusterDomain}`,
      clusterDomain,
      ...host.searches,
    ]),
  ].slice(0, MAX_SEARCHES),
  options: ['ndots:5'],
})

function withCustom(config: DnsConfig, custom: core.PodDNSConfig | undefined): DnsConfig {
  const unique = (values: string[], most: number) => [...new Set(values)].slice(0, most)
  const options = new Map(config.options.map(option => [option.split(':')[0]!, option]))
  for (const { name = '', value } of custom?.options ?? [])
    options.set(name, value === undefined || value === '' ? name : `${name}:${value}`)
  return {
    servers: unique([...config.servers, ...(custom?.nameservers ?? [])], MAX_SERVERS),
    searches: unique([...config.searches, ...(custom?.searches ?? [])], MAX_SEARCHES),
    options: [...options.values()],
  }
}
