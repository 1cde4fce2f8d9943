import { createPublicKey, type KeyObject, verify, type webcrypto } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { Clock, Logger } from '../../base/index.ts'
import { readAtMost } from '../webhook/client.ts'
import type { Authenticated, TokenJudge } from './tokens.ts'

export interface OidcOptions {
  /** `https://issuer.example`, as in the tokens. */
  issuer: string
  /** Whom the tokens are meant for. */
  clientId: string
  /** Default: `sub` */
  usernameClaim?: string
  /** `-` for none. Default: none for `email`, else the issuer and `#`. */
  usernamePrefix?: string
  groupsClaim?: string
  groupsPrefix?: string
  requiredClaims?: Record<string, string>
  /** PEM; signs the certificate of the issuer. */
  ca?: string
  /** Default: `RS256` */
  algorithms?: string[]
}

type Claims = Record<string, unknown>

interface Header {
  alg?: string
  kid?: string
}

interface Key {
  id: string | undefined
  key: KeyObject
}

const TIMEOUT = 10_000
const MAX_DOCUMENT = 1024 * 1024
/** Milliseconds between two looks at the issuer's keys, for tokens that none of those known has signed. */
const PAUSE = 10_000
const HASHES: Record<string, string> = { 256: 'sha256', 384: 'sha384', 512: 'sha512' }
const PSS_PADDING = 6

/**
 * Believes the tokens of one OpenID Connect issuer.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens
 */
export function oidcTokens(options: OidcOptions, { clock, log }: { clock: Clock; log: Logger }): TokenJudge {
  const { issuer, algorithms = ['RS256'] } = options
  let keys: Key[] = []
  let looked = Number.NEGATIVE_INFINITY
  let looking: Promise<void> | undefined

  async function look(): Promise<void> {
    looked = clock.monotonic()
    try {
      const { jwks_uri } = (await read(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, options)) as {
        jwks_uri: string
      }
      const { keys: found = [] } = (await read(jwks_uri, options)) as {
        keys?: (webcrypto.JsonWebKey & { kid?: string })[]
      }
      keys = found.map(jwk => ({ id: jwk.kid, key: createPublicKey({ key: jwk, format: 'jwk' }) }))
    } catch (error) {
      log.error({ error, issuer }, 'oidc authenticator: initializing plugin')
    }
  }

  const isSigned = (token: string, { alg = '', kid }: Header): boolean =>
    keys.some(({ id, key }) => (kid === undefined || id === undefined || id === kid) && isSignedBy(token, alg, key))

  return {
    async authenticate(token): Promise<Authenticated | undefined> {
      const [header, claims] = token.split('.').map(parsed) as [Header?, Claims?]
      if (!header || claims?.iss !== issuer || token.split('.').length !== 3) return undefined
      if (!algorithms.includes(header.alg ?? ''))
        return { error: `oidc: verify token: oidc: id token signed with unsupported algorithm` }
      if (!isSigned(token, header) && clock.monotonic() - looked >= PAUSE) {
        looking ??= look().finally(() => {
          looking = undefined
        })
      }
      if (looking) await looking
      if (!isSigned(token, header)) return { error: 'oidc: verify token: failed to verify signature' }
      return judged(claims, options, clock.now() / 1000)
    },
  }
}

function judged(claims: Claims, options: OidcOptions, now: number): Authenticated {
  const { clientId, usernameClaim = 'sub', groupsClaim, groupsPrefix = '', requiredClaims = {} } = options
  const wrong = (detail: string): Authenticated => ({ error: `oidc: ${detail}` })
  const audiences = [claims.aud].flat()
  if (!audiences.includes(clientId))
    return wrong(`verify token: oidc: expected audience ${JSON.stringify(clientId)} got ${JSON.stringify(audiences)}`)
  if (!(Number(claims.exp) > now)) return wrong('verify token: oidc: token is expired')
  if (claims.nbf !== undefined && Number(claims.nbf) > now + 300)
    return wrong('verify token: oidc: current time is before the nbf (not before) time')
  for (const [name, value] of Object.entries(requiredClaims))
    if (claims[name] !== value) return wrong(`required claim ${name} not present in ID token`)
  const name = claims[usernameClaim]
  if (typeof name !== 'string')
    return wrong(`parse username claims ${JSON.stringify(usernameClaim)}: claim not present`)
  if (usernameClaim === 'email' && claims.email_verified !== undefined && claims.email_verified !== true)
    return wrong('email not verified')
  const groups = groupsClaim === undefined ? [] : [claims[groupsClaim] ?? []].flat()
  if (groups.some(group => typeof group !== 'string'))
    return wrong(
      `parse groups claim ${JSON.stringify(groupsClaim)}: json: cannot unmarshal into Go value of type string`,
    )
  const prefixed = groups.map(group => `${groupsPrefix}${group}`)
  return {
    user: {
      name: `${usernamePrefix(options)}${name}`,
      groups: [...prefixed, 'system:authenticated'],
      ...(typeof claims.jti === 'string'
        ? { extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`] } }
        : {}),
    },
    audiences: [clientId],
  }
}

function usernamePrefix({ usernamePrefix: given, usernameClaim = 'sub', issuer }: OidcOptions): string {
  if (given === '-') return ''
  return given ?? (usernameClaim === 'email' ? '' : `${issuer}#`)
}

/** Of the algorithms of RFC 7518 those that have a public key. */
function isSignedBy(token: string, algorithm: string, key: KeyObject): boolean {
  const [, family, size = ''] = /^(RS|ES|PS)(256|384|512)$/.exec(algorithm) ?? []
  if (!family || (family === 'ES') !== (key.asymmetricKeyType === 'ec')) return false
  const end = token.lastIndexOf('.')
  const options = {
    key,
    ...(family === 'ES' ? { dsaEncoding: 'ieee-p1363' as const } : {}),
    ...(family === 'PS' ? { padding: PSS_PADDING } : {}),
  }
  return verify(HASHES[size], Buffer.from(token.slice(0, end)), options, Buffer.from(token.slice(end + 1), 'base64url'))
}

function parsed(part: string): object | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

async function read(url: string, { ca }: OidcOptions): Promise<unknown> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, { ...(ca ? { ca } : {}), agent: false, timeout: TIMEOUT }, resolve)
    sent.once('timeout', () => sent.destroy(new Error('context deadline exceeded')))
    sent.once('error', reject)
    sent.end()
  })
  const body = await readAtMost(MAX_DOCUMENT, answer)
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`)
  return JSON.parse(body.toString())
}
