import type { X509Certificate } from 'node:crypto'
import type { Http2ServerRequest } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { errors } from '../../api/index.ts'
import type { FrontProxy } from '../authn/request-header.ts'
import type { Authenticated } from '../authn/tokens.ts'
import { type Certified, certifiedUser } from '../authn/x509.ts'
import type { Context, User } from './context.ts'

export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

export interface AuthenticationOptions {
  tokens: { authenticate(token: string): Promise<Authenticated> }
  /** Absent: nobody speaks for others. */
  frontProxy?: FrontProxy
  /** Those of clients, where there are others as well. */
  authorities?: X509Certificate[]
  /** Whether one may ask for a path and say nothing of who one is. */
  anonymous(path: string): boolean
}

/** Who is at the other end of a connection. */
type Peer = Certified & { speaksForOthers?: boolean }

/**
 * Who asks: as a proxy says that is believed, else by client certificate, else by bearer token, else nobody in particular.
 * Throws or rejects with 401.
 */
export function authentication(
  options: AuthenticationOptions,
): (request: Context['request'], path: string) => User | Promise<User> {
  /** A certificate speaks for its whole connection, so it is read once. */
  const peers = new WeakMap<object, Peer>()
  const peerOf = (request: Context['request']): Peer => {
    const session = (request as Http2ServerRequest).stream?.session
    const connection: object = session ?? request.socket
    const known = peers.get(connection)
    if (known) return known
    const peer = judged((session?.socket ?? request.socket) as TLSSocket, options)
    peers.set(connection, peer)
    return peer
  }
  return (request, path) => {
    const peer = peerOf(request)
    const other = peer.speaksForOthers ? options.frontProxy!.userOf(request) : undefined
    if (other) return other
    if ('user' in peer) return peer.user
    const token = bearer(request)
    if (token !== undefined) return byToken(token, options.tokens)
    if ('rejected' in peer || !options.anonymous(path)) throw errors.unauthorized()
    return ANONYMOUS
  }
}

const judged = (socket: TLSSocket, { frontProxy, authorities }: AuthenticationOptions): Peer => ({
  ...certifiedUser(socket, authorities),
  ...(frontProxy?.trusts(socket) ? { speaksForOthers: true } : {}),
})

async function byToken(token: string, tokens: AuthenticationOptions['tokens']): Promise<User> {
  const judged = await tokens.authenticate(token)
  if ('user' in judged) return judged.user
  throw errors.unauthorized()
}

/** The token of the Authorization header, or of the subprotocol by which a browser's WebSocket carries one. */
function bearer({ headers }: Context['request']): string | undefined {
  const match = headers.authorization?.match(/^bearer +(\S+)\s*$/i)
  if (match) return match[1]
  const offered = headers['sec-websocket-protocol']
    ?.toString()
    .match(/base64url\.bearer\.authorization\.k8s\.io\.([^,\s]+)/)
  return offered ? Buffer.from(offered[1]!, 'base64url').toString() : undefined
}
