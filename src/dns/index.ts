/** The cluster's DNS server, by the Kubernetes DNS specification. */
export { type Dns, type DnsOptions, startDns } from './dns.ts'
