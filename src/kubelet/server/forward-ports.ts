import type { WebSocket } from 'ws'
import { upgradeToSpdy } from './spdy/connect.ts'
import { SpdySession, type SpdyStream } from './spdy/session.ts'

/** Bytes that may wait for a slow reader before the other side is made to wait. */
const HIGH_WATER = 1 << 20

/** The one form of it that port forwarding has. */
export const FORWARD_PROTOCOL = 'v4.channel.k8s.io'

/**
 * Joins a client's WebSocket to the runtime's port forwarding at `url`, which speaks SPDY. Each port has two channels, first
 * for data, then for errors, and each channel begins with the port in two bytes.
 * Source: k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go
 */
export async function forwardPorts(socket: WebSocket, url: string, protocol: string, ports: number[]): Promise<void> {
  const early: Buffer[] = []
  const keep = (message: Buffer) => void early.push(message)
  socket.on('message', keep)
  socket.on('error', () => socket.terminate())
  for (const [index, port] of ports.entries())
    for (const channel of [2 * index, 2 * index + 1]) socket.send(Buffer.from([channel, port & 0xff, port >> 8]))

  const data: SpdyStream[] = []
  const session = new SpdySession(await upgradeToSpdy(url, protocol), {
    data(stream, content) {
      socket.send(Buffer.concat([Buffer.from([channelOf(stream)]), content]), () => {
        if (socket.bufferedAmount < HIGH_WATER) session.resume()
      })
      if (socket.bufferedAmount >= HIGH_WATER) session.pause()
    },
    finished() {},
    closed: () => socket.close(1000),
  })
  socket.on('close', () => session.close())
  for (const [index, port] of ports.entries()) {
    const headers = { port: String(port), requestid: String(index) }
    const error = await session.open('error', headers)
    session.finish(error)
    data.push(await session.open('data', headers))
  }

  const receive = (message: Buffer) => {
    const channel = message[0] ?? 1
    const stream = channel % 2 === 0 ? data[channel / 2] : undefined
    if (!stream || session.write(stream, message.subarray(1))) return
    socket.pause()
    void session.drained().then(() => socket.resume())
  }
  socket.off('message', keep)
  socket.on('message', receive)
  early.forEach(receive)
}

/** Streams have odd numbers, and of each port the one for errors is opened first. */
const channelOf = ({ id }: SpdyStream) => ((id - 1) / 2) ^ 1
