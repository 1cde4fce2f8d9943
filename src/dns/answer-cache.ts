import { skipName } from './message.ts'

interface Kept {
  message: Buffer
  /** Where the TTLs stand in it. */
  ttls: number[]
  from: number
  until: number
}

const HEADER = 12
const OPT = 41
const SOA = 6
const NOERROR = 0
const NXDOMAIN = 3
/** Seconds; names outside the cluster may change, and pods should notice. As upstream's CoreDNS configuration. */
const LONGEST_TTL = 30
const MOST_ANSWERS = 1000
const LARGEST_ANSWER = 4096

/** Answers from upstream, as they came, for as long as they allow; the least recently used go first. Times are milliseconds. */
export class AnswerCache {
  readonly #kept = new Map<string, Kept>()

  /** With its TTLs counted down. The id and the question are those of whoever asked first. */
  get(key: string, now: number): Buffer | undefined {
    const kept = this.#kept.get(key)
    if (!kept) return undefined
    this.#kept.delete(key)
    if (now >= kept.until) return undefined
    this.#kept.set(key, kept)
    const message = Buffer.from(kept.message)
    const age = Math.floor((now - kept.from) / 1000)
    for (const offset of kept.ttls) message.writeUInt32BE(Math.max(0, message.readUInt32BE(offset) - age), offset)
    return message
  }

  /** Keeps what is worth keeping. */
  set(key: string, message: Buffer, now: number): void {
    if (message.length > LARGEST_ANSWER || !isFinal(message)) return
    const { ttls, least } = timesToLive(message)
    if (least <= 0) return
    // A copy, because what a socket hands out may be a piece of something larger.
    this.#kept.set(key, { message: Buffer.from(message), ttls, from: now, until: now + least * 1000 })
    if (this.#kept.size > MOST_ANSWERS) this.#kept.delete(this.#kept.keys().next().value!)
  }
}

/** Whole, and either an answer or the certainty that there is none. */
function isFinal(message: Buffer): boolean {
  const flags = message.readUInt16BE(2)
  const rcode = flags & 0xf
  return (flags & 0x0200) === 0 && (rcode === NOERROR || rcode === NXDOMAIN)
}

/** Where all TTLs stand, and for how many seconds the whole may be kept. */
function timesToLive(message: Buffer): { ttls: number[]; least: number } {
  const ttls: number[] = []
  let least = LONGEST_TTL
  let offset = skipName(message, HEADER) + 4
  const answers = message.readUInt16BE(6)
  const records = answers + message.readUInt16BE(8) + message.readUInt16BE(10)
  let negativeTtl = 0
  for (let index = 0; index < records; index++) {
    offset = skipName(message, offset)
    const type = message.readUInt16BE(offset)
    const end = offset + 10 + message.readUInt16BE(offset + 8)
    if (type !== OPT) {
      const ttl = message.readUInt32BE(offset + 4)
      ttls.push(offset + 4)
      least = Math.min(least, ttl)
      if (type === SOA) negativeTtl = Math.min(ttl, message.readUInt32BE(end - 4))
    }
    offset = end
  }
  // Without an SOA nobody said how long there will be no answer. Source: RFC 2308
  return { ttls, least: answers === 0 ? Math.min(least, negativeTtl) : least }
}
