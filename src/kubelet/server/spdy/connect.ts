import { connect, type Socket } from 'node:net'

const MAX_HEAD = 64 * 1024
const TIMEOUT = 30_000

/** The refusal of a streaming server, as it answered. */
export class UpgradeError extends Error {
  override name = 'UpgradeError'
}

/** Asks the server at `url` to speak SPDY; resolves with the connection behind the handshake. */
export function upgradeToSpdy(url: string, protocol: string): Promise<Socket> {
  const { hostname, port, pathname, search, host } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port || 80), noDelay: true })
    let head = Buffer.alloc(0)
    const fail = (error: Error) => {
      socket.destroy()
      reject(error)
    }
    socket.setTimeout(TIMEOUT, () => fail(new UpgradeError('the container runtime does not answer')))
    socket.on('error', fail)
    socket.on('close', () => fail(new UpgradeError('the container runtime closed the connection')))
    socket.on('data', function read(chunk: Buffer) {
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) {
        if (head.length > MAX_HEAD) fail(new UpgradeError('the answer of the container runtime is too long'))
        return
      }
      const [line = ''] = head.toString('latin1').split('\r\n')
      if (!line.includes(' 101 '))
        return fail(
          new UpgradeError(
            head
              .subarray(end + 4)
              .toString()
              .trim() || line,
          ),
        )
      socket.pause()
      socket.off('data', read)
      socket.removeAllListeners('error')
      socket.removeAllListeners('close')
      socket.removeAllListeners('timeout')
      socket.setTimeout(0)
      const rest = head.subarray(end + 4)
      if (rest.length > 0) socket.unshift(rest)
      resolve(socket)
    })
    socket.write(
      [
        `POST ${pathname}${search} HTTP/1.1`,
        `Host: ${host}`,
        'Connection: Upgrade',
        'Upgrade: SPDY/3.1',
        `X-Stream-Protocol-Version: ${protocol}`,
        'Content-Length: 0',
        '\r\n',
      ].join('\r\n'),
    )
  })
}
