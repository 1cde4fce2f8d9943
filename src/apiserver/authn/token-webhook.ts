import type { authentication } from '../../api/index.ts'
import type { Clock, Logger } from '../../base/index.ts'
import { type Connection, poster } from '../webhook/post.ts'
import type { Authenticated, TokenJudge } from './tokens.ts'

export interface TokenWebhookOptions {
  connection: Connection
  /** Of the review. */
  version: 'v1' | 'v1beta1'
  /** Milliseconds that an answer is remembered. */
  ttl: number
}

const TIMEOUT = 30_000
const ATTEMPTS = 5
const FIRST_PAUSE = 500
const GROWTH = 1.5
const REMEMBERED = 2000

/**
 * Shows tokens to another service.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication
 */
export function tokenWebhook(
  { connection, version, ttl }: TokenWebhookOptions,
  ownAudiences: string[],
  { clock, log }: { clock: Clock; log: Logger },
): TokenJudge {
  const { post } = poster(connection, TIMEOUT, clock)
  const known = new Map<string, { judged: Authenticated | undefined; until: number }>()

  async function ask(token: string, audiences: string[]): Promise<Partial<authentication.TokenReviewStatus>> {
    const apiVersion = `authentication.k8s.io/${version}`
    const review = { kind: 'TokenReview', apiVersion, metadata: {}, spec: { token, audiences }, status: { user: {} } }
    for (let attempt = 1, pause = FIRST_PAUSE; ; attempt++, pause *= GROWTH) {
      try {
        const answer = JSON.parse((await post(review)).toString()) as Partial<authentication.TokenReview>
        return answer.status ?? {}
      } catch (error) {
        if (attempt === ATTEMPTS) throw error
        await clock.sleep(pause)
      }
    }
  }

  async function judge(token: string, audiences: string[]): Promise<Authenticated | undefined> {
    try {
      const status = await ask(token, audiences)
      if (!status.authenticated) return status.error ? { error: status.error } : undefined
      const { username = '', uid, groups = [], extra } = status.user ?? {}
      const shared = status.audiences?.length ? audiences.filter(each => status.audiences!.includes(each)) : audiences
      if (!shared.length) return undefined
      const user = {
        name: username,
        ...(uid ? { uid } : {}),
        groups: groups.includes('system:authenticated') ? groups : [...groups, 'system:authenticated'],
        ...(extra ? { extra } : {}),
      }
      return { user, audiences: shared }
    } catch (error) {
      log.error({ error }, 'Failed to make webhook authenticator request')
      return { error: (error as Error).message }
    }
  }

  return {
    async authenticate(token, audiences = ownAudiences) {
      const key = `${audiences.join(' ')} ${token}`
      const remembered = known.get(key)
      if (remembered && remembered.until > clock.monotonic()) return remembered.judged
      known.delete(key)
      const judged = await judge(token, audiences)
      // What could not be found out is asked anew.
      if (judged && 'error' in judged) return judged
      if (known.size >= REMEMBERED) known.delete(known.keys().next().value!)
      known.set(key, { judged, until: clock.monotonic() + ttl })
      return judged
    },
  }
}
