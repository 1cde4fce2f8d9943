/** The record types that this server makes itself, with what the DNS calls their data. */
export type DnsRecord = { name: string; ttl: number } & (
  | { type: 'A' | 'AAAA'; address: string }
  | { type: 'CNAME' | 'NS' | 'PTR'; target: string }
  | { type: 'SRV'; priority: number; weight: number; port: number; target: string }
  | { type: 'TXT'; text: string }
  | {
      type: 'SOA'
      primary: string
      mailbox: string
      serial: number
      refresh: number
      retry: number
      expire: number
      minimum: number
    }
)

/** What a zone knows of one question. */
export interface Reply {
  /** Whether there is such a name at all; an existing name without records of the type is an empty answer. */
  found: boolean
  answers: DnsRecord[]
  additionals: DnsRecord[]
}

export const address = (name: string, ttl: number, ip: string): DnsRecord => ({
  name,
  ttl,
  type: ip.includes(':') ? 'AAAA' : 'A',
  address: ip,
})
