/** What Node reports of a connection, in the words that Go would use, since people and programs search for those. */

interface NetworkError extends Error {
  code?: string
  address?: string
  port?: number
  cert?: { subjectaltname?: string }
}

const UNKNOWN_AUTHORITY = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
])

const DIAL: Record<string, string> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
}

/** `host`: the name that the certificate had to be for. */
export function goError(error: Error, host: string): string {
  const { code = '', address, port, cert, message } = error as NetworkError
  const dial = DIAL[code]
  if (dial) return `dial tcp ${address?.includes(':') ? `[${address}]` : address}:${port}: ${dial}`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${host}: no such host`
  if (code === 'ECONNRESET') return message === 'socket hang up' ? 'EOF' : 'read: connection reset by peer'
  if (code === 'EPROTO' && message.includes('wrong version number'))
    return 'http: server gave HTTP response to HTTPS client'
  const problem = certificateProblem(code, host, cert?.subjectaltname)
  return problem ? `tls: failed to verify certificate: x509: ${problem}` : message
}

function certificateProblem(code: string, host: string, names: string | undefined): string | undefined {
  if (UNKNOWN_AUTHORITY.has(code)) return 'certificate signed by unknown authority'
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return 'certificate has expired or is not yet valid'
  if (code !== 'ERR_TLS_CERT_ALTNAME_INVALID') return undefined
  if (!names) return `certificate is not valid for any names, but wanted to match ${host}`
  const valid = names.split(', ').map(name => name.replace(/^(DNS|IP Address):/, ''))
  return `certificate is valid for ${valid.join(', ')}, not ${host}`
}
