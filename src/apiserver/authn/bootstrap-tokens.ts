import { timingSafeEqual } from 'node:crypto'
import { type core, resources } from '../../api/index.ts'
import type { Reader } from '../registry/reader.ts'
import type { TokenJudge } from './tokens.ts'

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const TYPE = 'bootstrap.kubernetes.io/token'
const GROUP = 'system:bootstrappers'
const EXTRA_GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/

/**
 * Tokens by which new nodes join; each is a Secret of kube-system. `now`: milliseconds since the epoch
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
 */
export const bootstrapTokens = (reader: Reader, now: () => number): TokenJudge => ({
  async authenticate(token, audiences) {
    const [, id = '', secret = ''] = TOKEN.exec(token) ?? []
    if (!id) return undefined
    const found = await reader.read(resources.secrets, 'kube-system', `bootstrap-token-${id}`)
    const groups = found && groupsOf(found, id, secret, now())
    return groups && { user: { name: `system:bootstrap:${id}`, groups }, audiences: audiences ?? [] }
  },
})

/** The groups of who shows this token; undefined when it is not a good one. */
function groupsOf({ type, data = {}, metadata }: core.Secret, id: string, secret: string, now: number) {
  const text = (field: string) => Buffer.from(data[field] ?? '', 'base64').toString()
  if (type !== TYPE || metadata.deletionTimestamp) return undefined
  if (!same(text('token-secret'), secret) || text('token-id') !== id) return undefined
  const expires = text('expiration')
  if (expires && !(Date.parse(expires) > now)) return undefined
  if (text('usage-bootstrap-authentication') !== 'true') return undefined
  const extra = text('auth-extra-groups')
    .split(',')
    .map(group => group.trim())
    .filter(group => group !== '')
  if (extra.some(group => !EXTRA_GROUP.test(group))) return undefined
  return [...new Set([GROUP, ...extra])].sort().concat('system:authenticated')
}

function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
