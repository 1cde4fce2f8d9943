import { connect, type TLSSocket } from 'node:tls'
import type { Server } from './server.ts'

/** Milliseconds until all connections are open and busy. */
const WARM_UP = 400
const CONTENT_LENGTH = /content-length: (\d+)/i

/** A client asks again as soon as it is answered. HTTP is spoken by hand, so that the load costs less than the answer. */
class LoadClient {
  readonly #socket: TLSSocket
  #expected = 0
  #done: (() => void) | undefined
  #failed: ((error: Error) => void) | undefined
  answered = 0

  constructor({ port, ca, cert, key }: Server) {
    this.#socket = connect({ host: '127.0.0.1', port, ca, cert, key, ALPNProtocols: ['http/1.1'] })
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#socket.on('error', error => this.#failed?.(error))
  }

  async run(makeRequest: () => string, over: () => boolean): Promise<void> {
    while (!over()) {
      const answer = new Promise<void>((resolve, reject) => {
        this.#done = resolve
        this.#failed = reject
      })
      this.#socket.write(makeRequest())
      await answer
      this.answered++
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    let rest = chunk.length
    if (this.#expected === 0) {
      const end = chunk.indexOf('\r\n\r\n')
      const head = chunk.toString('latin1', 0, end)
      if (!head.startsWith('HTTP/1.1 2')) {
        this.#failed?.(new Error(chunk.toString()))
        return
      }
      this.#expected = Number(CONTENT_LENGTH.exec(head)![1])
      rest -= end + 4
    }
    this.#expected -= rest
    if (this.#expected === 0) this.#done?.()
  }
}

/** Answers per second that `clients` connections get, over `milliseconds`. */
export async function rateOf(
  server: Server,
  clients: number,
  makeRequest: () => string,
  milliseconds: number,
): Promise<number> {
  const all = Array.from({ length: clients }, () => new LoadClient(server))
  const answered = () => all.reduce((sum, client) => sum + client.answered, 0)
  const runFor = async (time: number) => {
    const [before, began] = [answered(), performance.now()]
    await Promise.all(all.map(client => client.run(makeRequest, () => performance.now() - began >= time)))
    return ((answered() - before) * 1000) / (performance.now() - began)
  }
  try {
    await runFor(WARM_UP)
    return await runFor(milliseconds)
  } finally {
    for (const client of all) client.close()
  }
}

/** Sends as many requests, `clients` at a time. */
export async function sendAll(server: Server, clients: number, requests: string[]): Promise<void> {
  const left = requests.values()
  const all = Array.from({ length: clients }, () => new LoadClient(server))
  let next = left.next()
  const take = () => {
    const { value } = next
    next = left.next()
    return value!
  }
  await Promise.all(all.map(client => client.run(take, () => next.done === true)))
  for (const client of all) client.close()
}

export const getRequest = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n`

export function postRequest(path: string, body: string): string {
  const length = Buffer.byteLength(body)
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`
}
