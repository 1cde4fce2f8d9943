import type { IncomingMessage } from 'node:http'
import type { WebSocket, WebSocketServer } from 'ws'
import type { Sink } from '../registry/watch.ts'
import type { Context } from './context.ts'
import { outgoing } from './respond.ts'
import { MAX_BEHIND } from './stream.ts'

/** Of what a watcher sends nothing is read, so it need not send much. */
const MAX_RECEIVED = 64 * 1024
/** Carries a token and is no protocol of the connection. Source: k8s.io/apiserver/pkg/authentication/request/websocket */
const BEARER = 'base64url.bearer.authorization.k8s.io.'
/** RFC 6455 7.4.1 */
const NORMAL = 1000
const GOING_AWAY = 1001

let server: Promise<WebSocketServer> | undefined

/** One for the process, made when the first client wants one. */
function webSocketServer(): Promise<WebSocketServer> {
  server ??= import('ws').then(
    ({ WebSocketServer }) =>
      new WebSocketServer({
        noServer: true,
        clientTracking: false,
        perMessageDeflate: false,
        maxPayload: MAX_RECEIVED,
        handleProtocols: offered => [...offered].find(protocol => !protocol.startsWith(BEARER)) ?? false,
      }),
  )
  return server
}

export const wantsWebSocket = ({ request, upgrade }: Context): boolean =>
  upgrade !== undefined && request.headers.upgrade?.toLowerCase() === 'websocket'

/**
 * Opens a watch on a WebSocket: a frame for each event, text for JSON and binary for protobuf.
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/watch.go HandleWS
 */
export async function webSocketWatch(context: Context, type: string): Promise<Sink> {
  const { socket, head } = context.upgrade!
  const made = await webSocketServer()
  outgoing(context).detachSocket(socket as never)
  const client = await new Promise<WebSocket>((resolve, reject) => {
    socket.once('close', () => reject(new Error('the client went away')))
    made.handleUpgrade(context.request as IncomingMessage, socket, head, resolve)
  })
  client.on('error', () => client.terminate())
  context.audited?.started()
  context.signal.addEventListener('abort', () => client.close(GOING_AWAY), { once: true })
  const binary = !type.startsWith('application/json')
  let sent = Promise.resolve()
  return {
    write(events) {
      context.watched?.(events)
      if (client.readyState !== client.OPEN) return false
      sent = new Promise(resolve => {
        for (const [index, event] of events.entries())
          client.send(event, { binary }, index === events.length - 1 ? () => resolve() : undefined)
      })
      if (client.bufferedAmount <= MAX_BEHIND) return true
      client.terminate()
      return false
    },
    drained: () => sent,
    end: () => client.close(NORMAL),
    closed: run => void client.once('close', run),
  }
}
