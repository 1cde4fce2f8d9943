import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/** The algorithms that service-account tokens may be signed with. Source: RFC 7518. */
type Algorithm = 'RS256' | 'ES256'

export interface VerifyingKey {
  id: string
  algorithm: Algorithm
  key: KeyObject
}

export interface SigningKey extends VerifyingKey {
  /** Three base64url parts joined by dots. */
  sign(claims: object): string
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

const algorithmOf = (key: KeyObject): Algorithm => (key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256')

/** Node wants to be told that JOSE carries r and s bare, not in DER. */
const inJose = (key: KeyObject) => ({ key, dsaEncoding: 'ieee-p1363' as const })

/** Upstream names a key by the hash of its public half. Source: k8s.io/kubernetes/pkg/serviceaccount jwt.go keyIDFromPublicKey */
export function verifyingKey(pem: string): VerifyingKey {
  const key = createPublicKey(pem)
  const id = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
  return { id, key, algorithm: algorithmOf(key) }
}

export function signingKey(pem: string): SigningKey {
  const secret = createPrivateKey(pem)
  const own = verifyingKey(pem)
  const header = encoded({ alg: own.algorithm, kid: own.id })
  return {
    ...own,
    sign(claims) {
      const content = `${header}.${encoded(claims)}`
      return `${content}.${sign('sha256', Buffer.from(content), inJose(secret)).toString('base64url')}`
    },
  }
}

/** The claims of a token that one of the keys has signed; undefined for any other text. Times are not judged here. */
export function verifiedClaims(token: string, keys: VerifyingKey[]): Record<string, unknown> | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  const header = parsed(parts[0]!)
  const key = keys.find(each => each.id === header?.kid) ?? keys.find(each => each.algorithm === header?.alg)
  if (!key || key.algorithm !== header?.alg) return undefined
  const content = Buffer.from(`${parts[0]}.${parts[1]}`)
  if (!verify('sha256', content, inJose(key.key), Buffer.from(parts[2]!, 'base64url'))) return undefined
  return parsed(parts[1]!)
}

function parsed(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** The public keys as a JWK set. Source: RFC 7517. */
export const jwks = (keys: VerifyingKey[]) => ({
  keys: keys.map(each => jwkOf(each)),
})

/** In the order in which upstream writes the fields. */
function jwkOf({ id, algorithm, key }: VerifyingKey) {
  const { kty, ...rest } = key.export({ format: 'jwk' })
  return { use: 'sig', kty, kid: id, ...('crv' in rest ? { crv: rest.crv } : {}), alg: algorithm, ...rest }
}
