import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { Clock, Random } from '../base/index.ts'
import { AnswerCache } from './answer-cache.ts'
import type { Query } from './message.ts'

export interface Resolver {
  address: string
  port: number
}

export interface ForwarderOptions {
  resolvers: Resolver[]
  clock: Clock
  random: Random
}

export type Transport = 'udp' | 'tcp'

/** Clients give up after five seconds; they should hear from us before. */
const TIMEOUT = 2000
const TRIES = 2
const MOST_IN_FLIGHT = 1000

/**
 * Asks the machine's own resolvers what the cluster does not know. Messages pass through as they are, so that any
 * record type and extension works; a resolver that does not answer is passed over until the next one does not either.
 */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #cache = new AnswerCache()
  readonly #inFlight = new Map<string, Promise<Buffer>>()
  #preferred = 0

  constructor(options: ForwarderOptions) {
    this.#options = options
  }

  /** The answer with the query's own id and question. Rejects when no resolver answers, or too many questions are open. */
  async ask(query: Query, transport: Transport): Promise<Buffer> {
    const key = [
      query.name.toLowerCase(),
      query.type,
      query.class,
      transport,
      query.edns?.dnssec,
      query.edns?.size,
    ].join(' ')
    const answer =
      this.#cache.get(key, this.#options.clock.monotonic()) ?? Buffer.from(await this.#askOnce(key, query, transport))
    query.raw.copy(answer, 0, 0, 2)
    // As written: some clients vary the case and check it.
    query.raw.copy(answer, 12, 12, query.questionEnd)
    return answer
  }

  /** Who asks the same at the same time shares one answer. */
  #askOnce(key: string, query: Query, transport: Transport): Promise<Buffer> {
    const asked = this.#inFlight.get(key)
    if (asked) return asked
    if (this.#inFlight.size >= MOST_IN_FLIGHT) return Promise.reject(new Error('too many questions are open'))
    const asking = this.#try(query, transport)
      .then(answer => {
        this.#cache.set(key, answer, this.#options.clock.monotonic())
        return answer
      })
      .finally(() => this.#inFlight.delete(key))
    this.#inFlight.set(key, asking)
    return asking
  }

  async #try(query: Query, transport: Transport): Promise<Buffer> {
    const { resolvers, clock, random } = this.#options
    if (resolvers.length === 0) throw new Error('there is no upstream resolver')
    // What an attacker would have to guess: this, and the port that the system chooses for the socket.
    const message = Buffer.from(query.raw)
    message.writeUInt16BE(Math.floor(random.next() * 0x10000), 0)
    let failure: unknown
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const resolver = resolvers[this.#preferred % resolvers.length]!
      try {
        return await (transport === 'udp' ? askByUdp : askByTcp)(message, query.questionEnd, resolver, clock)
      } catch (error) {
        failure = error
        this.#preferred++
      }
    }
    throw failure
  }
}

/** Whether `answer` is one to `question`: same id, and the same question, whatever its case. */
function answers(answer: Buffer, question: Buffer, questionEnd: number): boolean {
  if (answer.length < questionEnd || !answer.subarray(0, 2).equals(question.subarray(0, 2))) return false
  const text = (message: Buffer) => message.toString('latin1', 12, questionEnd).toLowerCase()
  return (answer.readUInt16BE(2) & 0x8000) !== 0 && text(answer) === text(question)
}

/** The outcome of `start`, unless the time is over before; `clean` runs in any case. */
async function within<T>(
  clock: Clock,
  start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  clean: () => void,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = clock.after(TIMEOUT, () => reject(new Error('the resolver did not answer in time')))
  try {
    start(resolve, reject)
    return await promise
  } finally {
    timer.cancel()
    clean()
  }
}

function askByUdp(question: Buffer, questionEnd: number, { address, port }: Resolver, clock: Clock): Promise<Buffer> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  return within(
    clock,
    (resolve, reject) => {
      socket.on('error', reject)
      socket.on('message', answer => {
        if (answers(answer, question, questionEnd)) resolve(answer)
      })
      // A connected socket hears only its peer, and that nobody is there.
      socket.connect(port, address, () => socket.send(question))
    },
    () => socket.close(),
  )
}

function askByTcp(question: Buffer, questionEnd: number, { address, port }: Resolver, clock: Clock): Promise<Buffer> {
  const socket = connect({ host: address, port })
  let received = Buffer.alloc(0)
  return within(
    clock,
    (resolve, reject) => {
      socket.on('error', reject)
      socket.on('close', () => reject(new Error('the resolver closed the connection')))
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk])
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
        const answer = received.subarray(2, 2 + received.readUInt16BE(0))
        if (answers(answer, question, questionEnd)) resolve(answer)
        else reject(new Error('the resolver answered something else'))
      })
      const length = Buffer.alloc(2)
      length.writeUInt16BE(question.length)
      socket.write(Buffer.concat([length, question]))
    },
    () => socket.destroy(),
  )
}
