import { decode } from 'dns-packet'
import type { Logger, Random } from '../base/index.ts'
import type { Forwarder, Transport } from './forwarder.ts'
import { type Answer, encodeAnswer, parseQuery, type Query, refuse, udpLimit } from './message.ts'
import type { DnsRecord } from './records.ts'
import type { Handler } from './server.ts'
import type { Zone } from './zone.ts'

export interface HandlerOptions {
  zone: Zone
  /** Resolves when the zone is complete. */
  complete: Promise<unknown>
  forwarder: Forwarder
  random: Random
  log: Logger
}

const LARGEST_MESSAGE = 65_535
/** Names that lead to names. */
const LONGEST_CHAIN = 8

/** What the server says to each message. */
export function dnsHandler({ zone, complete, forwarder, random, log }: HandlerOptions): Handler {
  return async (message, transport) => {
    const query = parseQuery(message)
    if (!query) return undefined
    if ('refusal' in query) return refuse(message, query.refusal)
    const limit = transport === 'tcp' ? LARGEST_MESSAGE : udpLimit(query)
    if (query.class !== 'IN') return encodeAnswer(query, { rcode: 'REFUSED' }, limit)
    try {
      return await answer(query, transport, limit)
    } catch (error) {
      log.debug({ name: query.name, type: query.type, error: (error as Error).message }, 'could not answer')
      return encodeAnswer(query, { rcode: 'SERVFAIL' }, limit)
    }
  }

  async function answer(query: Query, transport: Transport, limit: number): Promise<Buffer> {
    // To say too early that a name does not exist would be a lie.
    if (zone.covers(query.name)) await complete
    const reply = zone.resolve(query.name, query.type)
    if (!reply) return forwarder.ask(query, transport)
    const answers = await followed(query, shuffled(reply.answers), transport)
    const whole: Answer = {
      rcode: reply.found ? 'NOERROR' : 'NXDOMAIN',
      authoritative: true,
      answers,
      authorities: answers.length === 0 ? [zone.soa()] : [],
      additionals: reply.additionals,
    }
    return encodeAnswer(query, whole, limit)
  }

  /** A client asks once: where a name is an alias, it gets what the other name has as well. */
  async function followed(query: Query, answers: DnsRecord[], transport: Transport): Promise<DnsRecord[]> {
    const chain = [...answers]
    for (let length = 1; length <= LONGEST_CHAIN; length++) {
      const last = chain.at(-1)
      if (last?.type !== 'CNAME' || query.type === 'CNAME') return chain
      const reply = zone.resolve(last.target, query.type)
      if (!reply) return [...chain, ...(await foreign(last.target, query, transport))]
      chain.push(...shuffled(reply.answers))
    }
    throw new Error('the chain of aliases is too long')
  }

  /** What upstream says of another name. That it does not answer leaves the alias alone. */
  async function foreign(name: string, query: Query, transport: Transport): Promise<DnsRecord[]> {
    try {
      const other = parseQuery(questionFor(name, query))
      if (!other || 'refusal' in other) return []
      const { answers = [] } = decode(await forwarder.ask(other, transport))
      return answers.flatMap((record): DnsRecord[] => {
        const { name, ttl = 0 } = record as { name: string; ttl?: number }
        if (record.type === 'A' || record.type === 'AAAA')
          return [{ name, ttl, type: record.type, address: record.data }]
        if (record.type === 'CNAME') return [{ name, ttl, type: record.type, target: record.data }]
        return []
      })
    } catch (error) {
      log.debug({ name, error: (error as Error).message }, 'could not follow an alias')
      return []
    }
  }

  /** So that clients that take the first address spread. */
  function shuffled(records: DnsRecord[]): DnsRecord[] {
    const start = Math.floor(random.next() * records.length)
    return [...records.slice(start), ...records.slice(0, start)]
  }
}

/** The same question about another name, as bytes. */
function questionFor(name: string, { raw, questionEnd }: Query): Buffer {
  const header = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  const labels = name.split('.').flatMap(label => [Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)])
  return Buffer.concat([header, ...labels, Buffer.from([0]), raw.subarray(questionEnd - 4, questionEnd)])
}
