import type { Http2ServerRequest } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { errors } from '../../api/index.ts'
import type { TokenAuthenticator } from '../authn/tokens.ts'
import { type Certified, certifiedUser } from '../authn/x509.ts'
import type { Context, User } from './context.ts'

export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

/** A certificate speaks for its whole connection, so it is read once. */
const certified = new WeakMap<object, Certified>()

/** Who asks: by client certificate, else by bearer token, else nobody in particular. Throws or rejects with 401. */
export function authenticate(request: Context['request'], tokens: TokenAuthenticator): User | Promise<User> {
  const connection = certificateOf(request)
  if ('user' in connection) return connection.user
  const token = bearer(request)
  if (token !== undefined) return byToken(token, tokens)
  if ('rejected' in connection) throw errors.unauthorized()
  return ANONYMOUS
}

async function byToken(token: string, tokens: TokenAuthenticator): Promise<User> {
  const judged = await tokens.authenticate(token)
  if ('user' in judged) return judged.user
  throw errors.unauthorized()
}

function certificateOf(request: Context['request']): Certified {
  const session = (request as Http2ServerRequest).stream?.session
  const connection: object = session ?? request.socket
  const known = certified.get(connection)
  if (known) return known
  const judged = certifiedUser((session?.socket ?? request.socket) as TLSSocket)
  certified.set(connection, judged)
  return judged
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
