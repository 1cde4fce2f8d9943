import type { TLSSocket } from 'node:tls'
import type { User } from '../pipeline/context.ts'

export type Certified = { user: User } | { rejected: true } | { absent: true }

/**
 * Who a client certificate says it is: CN is the name, each O a group.
 * The chain was verified in the handshake, where a bad one is noted but let through so that it can be answered with 401.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
 */
export function certifiedUser(socket: TLSSocket): Certified {
  const certificate = socket.getPeerCertificate()
  if (!certificate?.subject) return { absent: true }
  if (!socket.authorized) return { rejected: true }
  const { CN, O } = certificate.subject as { CN?: string | string[]; O?: string | string[] }
  const name = [CN ?? ''].flat().at(-1)!
  if (!name) return { rejected: true }
  return { user: { name, groups: [...(O === undefined ? [] : [O].flat()), 'system:authenticated'] } }
}
