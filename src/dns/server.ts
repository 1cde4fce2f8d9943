import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net'
import type { Component, Logger } from '../base/index.ts'
import type { Clients } from './clients.ts'
import type { Transport } from './forwarder.ts'

/** Gives the answer to a message, or nothing for one that deserves none. Never rejects. */
export type Handler = (message: Buffer, transport: Transport) => Promise<Buffer | undefined>

export interface ServerOptions {
  address: string
  /** 0 for any free one. */
  port: number
  /** Whom to answer: datagrams of others are dropped, their connections closed. Default: everybody */
  clients?: Clients
  handle: Handler
  log: Logger
}

export interface DnsServer extends Component {
  port: number
}

/** Seconds-long silence ends a TCP connection. Source: RFC 7766 */
const IDLE = 10_000
const MOST_CONNECTIONS = 1000
/** Unanswered messages of one connection before it is read no further, and of all UDP clients before more are dropped. */
const MOST_PIPELINED = 32
const MOST_UDP = 2000

/** Serves DNS on one port by UDP and TCP. */
export async function startServer(options: ServerOptions): Promise<DnsServer> {
  const { address, clients = () => true, handle, log } = options
  const connections = new Set<Socket>()
  const tcp = createServer({ noDelay: true }, socket => {
    if (!clients(socket.remoteAddress ?? '')) {
      socket.destroy()
      return
    }
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
    serveConnection(socket, handle)
  })
  tcp.maxConnections = MOST_CONNECTIONS
  const { udp, port } = await listen(tcp, options)
  serveDatagrams(udp, clients, handle, log)
  return {
    port,
    async stop() {
      for (const socket of connections) socket.destroy()
      if (!tcp.listening) return
      tcp.close()
      udp.close()
      await Promise.all([once(tcp, 'close'), once(udp, 'close')])
    },
  }

  /** Both on the same port; when any will do, until one is free for both. */
  async function listen(tcp: Server, { port }: ServerOptions): Promise<{ udp: UdpSocket; port: number }> {
    for (let attempt = 1; ; attempt++) {
      tcp.listen(port, address)
      await once(tcp, 'listening')
      const chosen = (tcp.address() as AddressInfo).port
      const udp = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
      try {
        udp.bind(chosen, address)
        await once(udp, 'listening')
        return { udp, port: chosen }
      } catch (error) {
        udp.close()
        tcp.close()
        await once(tcp, 'close')
        if (port !== 0 || attempt === 10) throw error
      }
    }
  }
}

function serveDatagrams(udp: UdpSocket, clients: Clients, handle: Handler, log: Logger): void {
  let open = 0
  udp.on('error', error => log.warn({ error: error.message }, 'udp socket failed'))
  udp.on('message', async (message, peer) => {
    if (open >= MOST_UDP || !clients(peer.address)) return
    open++
    const answer = await handle(message, 'udp')
    open--
    // The server may have stopped meanwhile.
    if (answer) udp.send(answer, peer.port, peer.address, () => {})
  })
}

/** Messages follow each other, each after its length; answers go back as they are ready. */
function serveConnection(socket: Socket, handle: Handler): void {
  let received = Buffer.alloc(0)
  let open = 0
  socket.setTimeout(IDLE, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('drain', next)
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    next()
  })

  function next(): void {
    while (
      open < MOST_PIPELINED &&
      !socket.writableNeedDrain &&
      received.length >= 2 &&
      received.length >= 2 + received.readUInt16BE(0)
    ) {
      const length = received.readUInt16BE(0)
      void answer(received.subarray(2, 2 + length))
      received = received.subarray(2 + length)
    }
    // Who does not read its answers is not listened to either.
    if (open >= MOST_PIPELINED || socket.writableNeedDrain) socket.pause()
    else socket.resume()
  }

  async function answer(message: Buffer): Promise<void> {
    open++
    const answer = await handle(message, 'tcp')
    open--
    if (socket.destroyed) return
    if (!answer) {
      socket.destroy()
      return
    }
    const length = Buffer.alloc(2)
    length.writeUInt16BE(answer.length)
    socket.write(Buffer.concat([length, answer]))
    next()
  }
}
