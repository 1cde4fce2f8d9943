import { resources } from '../../api/index.ts'
import type { User } from '../pipeline/context.ts'
import type { Reader } from '../registry/reader.ts'
import { type SigningKey, type VerifyingKey, verifiedClaims } from './keys.ts'

/** An object that a token dies with. */
interface Bound {
  name: string
  uid: string
}

/** Source: k8s.io/kubernetes/pkg/serviceaccount claims.go */
export interface Claims {
  iss: string
  sub: string
  aud: string[]
  jti: string
  exp: number
  iat: number
  nbf: number
  'kubernetes.io': {
    namespace: string
    serviceaccount: Bound
    pod?: Bound
    secret?: Bound
    node?: { name: string; uid?: string }
    warnafter?: number
  }
}

export interface TokenOptions {
  /** Signs new tokens. */
  issuer: string
  /** Whose tokens are believed besides. */
  furtherIssuers?: string[]
  /** Whom a token has to be meant for; by default the issuer. Source: --api-audiences */
  audiences?: string[]
  /** Whether the account has to be there still; by default it has to. Source: --service-account-lookup */
  lookup?: boolean
  /** Whether the tokens of pods outlive what is asked for them; by default they do. */
  extend?: boolean
  /** Seconds that no token outlives. */
  longest?: number
  signing: SigningKey
  verifying: VerifyingKey[]
  /** Tokens that the server was started with, and whose they are. */
  fixed?: Map<string, User>
}

export interface TokenJudge {
  /** Who shows this token; an error when it is not to be believed, undefined when it is another's to judge. */
  authenticate(token: string, audiences?: string[]): Promise<Authenticated | undefined>
}

/** The first that believes a token decides; what the others found wrong is told together. */
export const anyToken = (judges: TokenJudge[]) => ({
  async authenticate(token: string, audiences?: string[]): Promise<Authenticated> {
    const problems: string[] = []
    for (const judge of judges) {
      const judged = await judge.authenticate(token, audiences)
      if (judged && 'user' in judged) return judged
      if (judged) problems.push(judged.error)
    }
    const all = ['invalid bearer token', ...problems]
    return { error: all.length === 1 ? all[0]! : `[${all.join(', ')}]` }
  },
})

export type Authenticated = { user: User; audiences: string[] } | { error: string }

/** How many verified tokens are remembered, so that a client that shows the same one again costs no signature check. */
const REMEMBERED = 2000

/** Judges service-account tokens. */
export class TokenAuthenticator implements TokenJudge {
  readonly #options: TokenOptions
  readonly #reader: Reader
  readonly #now: () => number
  readonly #issuers: Set<string>
  readonly #audiences: string[]
  readonly #verified = new Map<string, Claims>()

  /** `now`: milliseconds since the epoch. */
  constructor(options: TokenOptions, reader: Reader, now: () => number) {
    this.#options = options
    this.#reader = reader
    this.#now = now
    this.#issuers = new Set([options.issuer, ...(options.furtherIssuers ?? [])])
    this.#audiences = options.audiences ?? [options.issuer]
  }

  /** Who shows this token; an error when it is not to be believed, now or for these audiences. */
  async authenticate(token: string, audiences = this.#audiences): Promise<Authenticated | undefined> {
    const fixed = this.#options.fixed?.get(token)
    if (fixed) return { user: fixed, audiences }
    const claims = this.#claims(token)
    if (!claims || !this.#issuers.has(claims.iss)) return undefined
    const seconds = this.#now() / 1000
    if (!(claims.exp > seconds)) return { error: 'service account token has expired' }
    if (claims.nbf > seconds + 60) return { error: 'service account token is not valid yet' }
    const shared = audiences.filter(audience => claims.aud.includes(audience))
    if (!shared.length) {
      const quoted = (list: string[]) => `[${list.map(item => JSON.stringify(item)).join(' ')}]`
      return {
        error: `token audiences ${quoted(claims.aud)} is invalid for the target audiences ${quoted(audiences)}`,
      }
    }
    const gone = await this.#gone(claims)
    return gone ? { error: gone } : { user: userOf(claims), audiences: shared }
  }

  #claims(token: string): Claims | undefined {
    const known = this.#verified.get(token)
    if (known) return known
    const claims = verifiedClaims(token, this.#options.verifying)
    if (!isClaims(claims)) return undefined
    if (this.#verified.size >= REMEMBERED) this.#verified.delete(this.#verified.keys().next().value!)
    this.#verified.set(token, claims)
    return claims
  }

  /** What the token was bound to and is no more, in upstream's words. */
  async #gone({
    'kubernetes.io': { namespace, serviceaccount, pod, secret, node },
  }: Claims): Promise<string | undefined> {
    if (this.#options.lookup === false) return undefined
    const account = await this.#reader.read(resources.serviceAccounts, namespace, serviceaccount.name)
    if (account?.metadata.uid !== serviceaccount.uid) return 'service account token has been invalidated'
    if (pod) {
      const held = await this.#reader.read(resources.pods, namespace, pod.name)
      if (held?.metadata.uid !== pod.uid) return 'service account token has been invalidated'
    }
    if (secret) {
      const held = await this.#reader.read(resources.secrets, namespace, secret.name)
      if (held?.metadata.uid !== secret.uid) return 'service account token has been invalidated'
    }
    if (node && !pod) {
      const held = await this.#reader.read(resources.nodes, '', node.name)
      if (!held || (node.uid && held.metadata.uid !== node.uid)) return 'service account token has been invalidated'
    }
    return undefined
  }
}

/** Source: k8s.io/apiserver/pkg/authentication/serviceaccount util.go */
function userOf({ jti, 'kubernetes.io': { namespace, serviceaccount, pod, node } }: Claims): User {
  const extra: Record<string, string[]> = { 'authentication.kubernetes.io/credential-id': [`JTI=${jti}`] }
  if (pod) {
    extra['authentication.kubernetes.io/pod-name'] = [pod.name]
    extra['authentication.kubernetes.io/pod-uid'] = [pod.uid]
  }
  if (node) {
    extra['authentication.kubernetes.io/node-name'] = [node.name]
    if (node.uid) extra['authentication.kubernetes.io/node-uid'] = [node.uid]
  }
  return {
    name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra,
  }
}

function isClaims(value: Record<string, unknown> | undefined): value is Record<string, unknown> & Claims {
  const own = value?.['kubernetes.io'] as Partial<Claims['kubernetes.io']> | undefined
  return (
    typeof value?.iss === 'string' &&
    typeof value.exp === 'number' &&
    Array.isArray(value.aud) &&
    typeof own?.namespace === 'string' &&
    typeof own.serviceaccount?.name === 'string' &&
    typeof own.serviceaccount.uid === 'string'
  )
}
