import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { getRequest } from './load.ts'
import type { Server } from './server.ts'

const LINE_FEED = 10
const CARRIAGE_RETURN = 13
/** How many connections are made at a time. */
const HANDSHAKES = 50

/** Counts lines in HTTP/1.1 chunked: the line feeds of the framing follow a carriage return, those of events do not. */
class LineCounter {
  #last = 0

  /** How many lines end in the next piece. */
  count(piece: Buffer): number {
    let lines = 0
    for (let at = piece.indexOf(LINE_FEED); at >= 0; at = piece.indexOf(LINE_FEED, at + 1))
      if ((at === 0 ? this.#last : piece[at - 1]) !== CARRIAGE_RETURN) lines++
    this.#last = piece.at(-1)!
    return lines
  }
}

/** Many clients of one server, each with a connection of its own, that watch and count the events they get. */
export class Watchers {
  readonly #sockets: TLSSocket[] = []
  #events = 0
  #expected = 0
  #reached = () => {}

  /** Resolves when all of them are watching. */
  static async open(count: number, server: Server, path: string): Promise<Watchers> {
    const watchers = new Watchers()
    for (let left = count; left > 0; left -= HANDSHAKES)
      await Promise.all(Array.from({ length: Math.min(left, HANDSHAKES) }, () => watchers.#add(server, path)))
    return watchers
  }

  async #add({ port, ca, cert, key }: Server, path: string): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port, ca, cert, key, ALPNProtocols: ['http/1.1'] })
    this.#sockets.push(socket)
    socket.write(getRequest(path))
    const [head] = (await once(socket, 'data')) as [Buffer]
    if (!head.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error(head.toString())
    const lines = new LineCounter()
    socket.on('data', (piece: Buffer) => {
      this.#events += lines.count(piece)
      if (this.#events >= this.#expected) this.#reached()
    })
  }

  /** Resolves when all of them together have got that many events more. */
  receive(events: number): Promise<void> {
    this.#expected = this.#events + events
    return new Promise(resolve => {
      this.#reached = resolve
    })
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
