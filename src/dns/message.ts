import { decode } from 'dns-packet'
import { ipv6Bytes } from './addresses.ts'
import type { DnsRecord } from './records.ts'

/** One question as it came in. */
export interface Query {
  /** The whole message. */
  raw: Buffer
  id: number
  /** As written, without the dot at the end. */
  name: string
  /** `A`, `SRV`; `UNKNOWN_65` for what has no name here. */
  type: string
  class: string
  recursionDesired: boolean
  /** The EDNS part, if the client speaks it. */
  edns?: { size: number; dnssec: boolean }
  /** Where the question section ends. */
  questionEnd: number
}

export const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 }
export type Rcode = keyof typeof RCODES

const HEADER = 12
const QR = 0x8000
const AA = 0x0400
const TC = 0x0200
const RD = 0x0100
const RA = 0x0080
const OPCODE = 0x7800
/** What a client takes by UDP that says nothing of it. */
const PLAIN_SIZE = 512
/** Larger datagrams would be fragmented on some way. Source: DNS flag day 2020 */
const LARGEST_SIZE = 1232
const OPT_LENGTH = 11

/** The question of a message; how to refuse it, if it has none; or nothing, if it is not for us to answer. */
export function parseQuery(raw: Buffer): Query | { refusal: Rcode } | undefined {
  if (raw.length < HEADER) return undefined
  const flags = raw.readUInt16BE(2)
  if (flags & QR) return undefined
  if (flags & OPCODE) return { refusal: 'NOTIMP' }
  if (raw.readUInt16BE(4) !== 1) return { refusal: 'FORMERR' }
  try {
    const packet = decode(raw)
    const [question] = packet.questions ?? []
    if (!question) return { refusal: 'FORMERR' }
    const opt = packet.additionals?.find(record => record.type === 'OPT')
    return {
      raw,
      id: raw.readUInt16BE(0),
      name: question.name === '.' ? '' : question.name,
      type: question.type,
      class: question.class ?? 'IN',
      recursionDesired: (flags & RD) !== 0,
      ...(opt ? { edns: { size: opt.udpPayloadSize, dnssec: opt.flag_do } } : {}),
      questionEnd: skipName(raw, HEADER) + 4,
    }
  } catch {
    return { refusal: 'FORMERR' }
  }
}

/** The least answer there is: the header, for a message that cannot be understood further. */
export function refuse(raw: Buffer, rcode: Rcode): Buffer {
  const answer = Buffer.alloc(HEADER)
  raw.copy(answer, 0, 0, 2)
  answer.writeUInt16BE(QR | (raw.readUInt16BE(2) & (OPCODE | RD)) | RCODES[rcode], 2)
  return answer
}

export interface Answer {
  rcode: Rcode
  /** From the cluster's own zone. */
  authoritative?: boolean
  answers?: DnsRecord[]
  authorities?: DnsRecord[]
  additionals?: DnsRecord[]
}

/** How long an answer may be that goes back by UDP. */
export const udpLimit = ({ edns }: Query): number =>
  edns ? Math.min(Math.max(edns.size, PLAIN_SIZE), LARGEST_SIZE) : PLAIN_SIZE

/**
 * The answer as bytes, at most `limit` of them: what does not fit is left out, and the client told so if an answer is
 * among it. Names are compressed, since that is the difference between 8 and 28 addresses in a plain datagram.
 */
export function encodeAnswer(query: Query, answer: Answer, limit: number): Buffer {
  const writer = new Writer(limit - (query.edns ? OPT_LENGTH : 0))
  writer.copy(query.raw.subarray(0, query.questionEnd))
  writer.remember(query.name, HEADER)
  const sections = [answer.answers ?? [], answer.authorities ?? [], answer.additionals ?? []]
  const counts = sections
    .map(records => records.findIndex(record => !writer.record(record)))
    .map((missing, section) => (missing === -1 ? sections[section]!.length : missing))
  const truncated = counts[0]! < sections[0]!.length
  if (query.edns) writer.opt(query.edns)
  const flags =
    QR |
    (answer.authoritative ? AA : 0) |
    (truncated ? TC : 0) |
    (query.recursionDesired ? RD : 0) |
    RA |
    RCODES[answer.rcode]
  return writer.finish([flags, 1, counts[0]!, counts[1]!, counts[2]! + (query.edns ? 1 : 0)])
}

const TYPES: Record<DnsRecord['type'], number> = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33 }
/** A pointer to an earlier name has 14 bits. */
const LAST_TARGET = 0x3fff
const LONGEST_MESSAGE = 65_535

class Writer {
  readonly #limit: number
  #buffer = Buffer.alloc(PLAIN_SIZE)
  #end = 0
  /** Names that were written, and where. */
  readonly #names = new Map<string, number>()

  constructor(limit: number) {
    this.#limit = Math.min(limit, LONGEST_MESSAGE)
  }

  copy(bytes: Buffer): void {
    this.#need(bytes.length)
    this.#end += bytes.copy(this.#buffer, this.#end)
  }

  /** Takes note of a name in what was copied, and of each of its endings. */
  remember(name: string, offset: number): void {
    const labels = name.split('.')
    for (const [index, label] of labels.entries()) {
      this.#names.set(labels.slice(index).join('.').toLowerCase(), offset)
      offset += Buffer.byteLength(label) + 1
    }
  }

  /** Writes all of the record, or nothing if it does not fit. */
  record(record: DnsRecord): boolean {
    const start = this.#end
    this.#name(record.name)
    this.#u16(TYPES[record.type])
    this.#u16(1)
    this.#u32(record.ttl)
    const length = this.#end
    this.#u16(0)
    this.#data(record)
    this.#buffer.writeUInt16BE(this.#end - length - 2, length)
    if (this.#end <= this.#limit) return true
    this.#end = start
    for (const [name, offset] of this.#names) if (offset >= start) this.#names.delete(name)
    return false
  }

  opt({ dnssec }: { dnssec: boolean }): void {
    this.copy(Buffer.from([0, 0, 41, LARGEST_SIZE >> 8, LARGEST_SIZE & 255, 0, 0, dnssec ? 0x80 : 0, 0, 0, 0]))
  }

  /** `header`: flags and the four counts. */
  finish(header: number[]): Buffer {
    for (const [index, value] of header.entries()) this.#buffer.writeUInt16BE(value, 2 + index * 2)
    return this.#buffer.subarray(0, this.#end)
  }

  #data(record: DnsRecord): void {
    switch (record.type) {
      case 'A':
        this.copy(Buffer.from(record.address.split('.').map(Number)))
        break
      case 'AAAA':
        this.copy(ipv6Bytes(record.address))
        break
      case 'TXT':
        this.copy(Buffer.from([Buffer.byteLength(record.text), ...Buffer.from(record.text)]))
        break
      case 'SRV':
        for (const value of [record.priority, record.weight, record.port]) this.#u16(value)
        // RFC 2782 forbids to compress this one.
        this.#name(record.target, false)
        break
      case 'SOA':
        this.#name(record.primary)
        this.#name(record.mailbox)
        for (const value of [record.serial, record.refresh, record.retry, record.expire, record.minimum])
          this.#u32(value)
        break
      default:
        this.#name(record.target)
    }
  }

  #name(name: string, compress = true): void {
    const labels = name === '' ? [] : name.split('.')
    for (const [index, label] of labels.entries()) {
      const rest = labels.slice(index).join('.').toLowerCase()
      const known = this.#names.get(rest)
      if (compress && known !== undefined) {
        this.#u16(0xc000 | known)
        return
      }
      if (known === undefined && this.#end <= LAST_TARGET) this.#names.set(rest, this.#end)
      const bytes = Buffer.from(label)
      this.copy(Buffer.from([bytes.length, ...bytes]))
    }
    this.copy(Buffer.from([0]))
  }

  #u16(value: number): void {
    this.#need(2)
    this.#end = this.#buffer.writeUInt16BE(value, this.#end)
  }

  #u32(value: number): void {
    this.#need(4)
    this.#end = this.#buffer.writeUInt32BE(value, this.#end)
  }

  #need(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return
    const larger = Buffer.alloc(Math.max(this.#buffer.length * 2, this.#end + bytes))
    this.#buffer.copy(larger)
    this.#buffer = larger
  }
}

/** Where the name that begins at `offset` ends. */
export function skipName(message: Buffer, offset: number): number {
  for (;;) {
    const length = message.readUInt8(offset)
    if (length >= 0xc0) return offset + 2
    offset += length + 1
    if (length === 0) return offset
  }
}
