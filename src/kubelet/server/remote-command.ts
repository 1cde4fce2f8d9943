import type { WebSocket } from 'ws'
import type { StreamOptions } from '../runtime/runtime.ts'
import { upgradeToSpdy } from './spdy/connect.ts'
import { SpdySession, type SpdyStream } from './spdy/session.ts'

/** The first byte of each message. Source: k8s.io/apimachinery/pkg/util/remotecommand */
const CHANNELS = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const
type ChannelName = keyof typeof CHANNELS
/** Since v5: the next byte names a channel that ends. */
const CLOSE = 255
const NAMES = Object.keys(CHANNELS) as ChannelName[]

/** Bytes that may wait for a slow reader before the container is made to wait. */
const HIGH_WATER = 1 << 20

export const WEBSOCKET_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'channel.k8s.io']

/** Joins a client's WebSocket to the runtime's stream at `url`, which speaks SPDY. */
export async function bridge(socket: WebSocket, url: string, options: StreamOptions): Promise<void> {
  const early: Buffer[] = []
  const keep = (message: Buffer) => void early.push(message)
  socket.on('message', keep)
  socket.on('error', () => socket.terminate())
  let finished = 0
  let wanted = Number.POSITIVE_INFINITY
  const streams = new Map<ChannelName, SpdyStream>()

  const session = new SpdySession(await upgradeToSpdy(url, 'v4.channel.k8s.io'), {
    data(stream, data) {
      const channel = CHANNELS[stream.type as ChannelName]
      socket.send(Buffer.concat([Buffer.from([channel]), data]), () => {
        if (socket.bufferedAmount < HIGH_WATER) session.resume()
      })
      if (socket.bufferedAmount >= HIGH_WATER) session.pause()
    },
    finished(stream) {
      if (['stdout', 'stderr', 'error'].includes(stream.type) && ++finished === wanted) session.close()
    },
    closed: () => socket.close(1000),
  })
  socket.on('close', () => session.close())

  // The runtime waits for all of them before it starts, and for the error stream first of all.
  const names: ChannelName[] = ['error']
  if (options.stdin) names.push('stdin')
  if (options.stdout) names.push('stdout')
  if (options.stderr && !options.tty) names.push('stderr')
  if (options.tty) names.push('resize')
  await Promise.all(names.map(async name => streams.set(name, await session.open(name))))
  wanted = names.filter(name => name !== 'stdin' && name !== 'resize').length
  if (finished >= wanted) session.close()

  const receive = (message: Buffer) => {
    const [channel, target] = message
    const name = NAMES[channel === CLOSE ? (target ?? CLOSE) : (channel ?? CLOSE)]
    const stream = name && streams.get(name)
    if (!stream) return
    if (channel === CLOSE) return session.finish(stream)
    if (session.write(stream, message.subarray(1))) return
    socket.pause()
    void session.drained().then(() => socket.resume())
  }
  socket.off('message', keep)
  socket.on('message', receive)
  early.forEach(receive)
}
