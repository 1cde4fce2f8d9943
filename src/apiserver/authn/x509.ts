import { createHash, X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { User } from '../pipeline/context.ts'

export type Certified = { user: User } | { rejected: true } | { absent: true }

/** How many certificates lie between a client's own and the authority at most. */
const LONGEST_CHAIN = 5

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** The certificates of a PEM text. */
export const certificatesOf = (pem: string): X509Certificate[] =>
  (pem.match(CERTIFICATE) ?? []).map(one => new X509Certificate(one))

/**
 * Who a client certificate says it is: CN is the name, each O a group.
 * The chain was verified in the handshake, where a bad one is noted but let through so that it can be answered with 401.
 * `authorities`: those of clients, where others may sign certificates as well.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
 */
export function certifiedUser(socket: TLSSocket, authorities?: X509Certificate[]): Certified {
  const certificate = socket.getPeerCertificate()
  if (!certificate?.subject) return { absent: true }
  if (!socket.authorized) return { rejected: true }
  if (authorities && !isSignedBy(socket, authorities)) return { rejected: true }
  const { CN, O } = certificate.subject as { CN?: string | string[]; O?: string | string[] }
  const name = [CN ?? ''].flat().at(-1)!
  if (!name) return { rejected: true }
  const fingerprint = createHash('sha256').update(certificate.raw).digest('hex')
  return {
    user: {
      name,
      groups: [...(O === undefined ? [] : [O].flat()), 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
    },
  }
}

/** Whether one of these authorities stands behind the certificate of a client, whose chain is known to be good. */
export function isSignedBy(socket: TLSSocket, authorities: X509Certificate[]): boolean {
  let certificate = socket.getPeerX509Certificate()
  for (let length = 0; certificate && length < LONGEST_CHAIN; length++) {
    const own = certificate
    if (authorities.some(each => each.fingerprint256 === own.fingerprint256)) return true
    if (authorities.some(each => own.checkIssued(each) && own.verify(each.publicKey))) return true
    certificate = own.issuerCertificate
  }
  return false
}
