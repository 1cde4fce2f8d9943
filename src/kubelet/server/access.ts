import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { type authentication, resources } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import type { Client } from '../../client/index.ts'
import { HttpError } from './http-error.ts'

/** Lets a request in, or rejects with a 401 or a 403. */
export type Access = (request: IncomingMessage, path: string) => Promise<void>

interface AccessOptions {
  client: Client
  nodeName: string
  clock: Clock
}

interface User {
  name: string
  groups: string[]
  uid?: string
  extra?: Record<string, string[]>
}

/** Milliseconds that answers are believed for. Source: KubeletConfiguration authentication.webhook, authorization.webhook */
const TOKEN_TTL = 2 * 60_000
const ALLOWED_TTL = 5 * 60_000
const REFUSED_TTL = 30_000
const REMEMBERED = 1000

const VERBS: Record<string, string> = { POST: 'create', GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

/**
 * Who asks is known by a client certificate or by a token; the API server says whose the token is and what he may do with
 * this node. Source: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/
 */
export function createAccess({ client, nodeName, clock }: AccessOptions): Access {
  const users = remembering<User | undefined>(clock)
  const decisions = remembering<boolean>(clock)

  async function userOf(request: IncomingMessage): Promise<User | undefined> {
    const certified = certifiedUser(request.socket as TLSSocket)
    if (certified) return certified
    const token = request.headers.authorization?.match(/^bearer +(\S+)\s*$/i)?.[1]
    if (!token) return undefined
    const key = createHash('sha256').update(token).digest('base64')
    return users(key, async () => ({ value: await review(token), ttl: TOKEN_TTL }))
  }

  async function review(token: string): Promise<User | undefined> {
    const { status } = await client.create(resources.tokenReviews, { spec: { token } })
    if (!status?.authenticated) return undefined
    const { username = '', groups = [], uid, extra } = status.user as authentication.UserInfo
    return { name: username, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) }
  }

  async function may({ name, groups, uid, extra }: User, verb: string, subresource: string): Promise<boolean> {
    const spec = {
      user: name,
      groups,
      ...(uid ? { uid } : {}),
      ...(extra ? { extra } : {}),
      resourceAttributes: { verb, group: '', version: 'v1', resource: 'nodes', name: nodeName, subresource },
    }
    return decisions(JSON.stringify(spec), async () => {
      const { status } = await client.create(resources.subjectAccessReviews, { spec })
      const allowed = status?.allowed ?? false
      return { value: allowed, ttl: allowed ? ALLOWED_TTL : REFUSED_TTL }
    })
  }

  return async (request, path) => {
    const user = await userOf(request)
    if (!user) throw new HttpError(401, 'Unauthorized')
    // The API server itself, which could not be asked about itself while it asks.
    if (user.groups.includes('system:masters')) return
    const verb = VERBS[request.method ?? ''] ?? ''
    const subresources = subresourcesOf(path)
    for (const subresource of subresources) if (await may(user, verb, subresource)) return
    throw new HttpError(
      403,
      `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}])`,
    )
  }
}

/** As what of a Node a path is judged: by the first that is allowed. Source: k8s.io/kubernetes/pkg/kubelet/server/auth.go */
function subresourcesOf(path: string): string[] {
  const [what = ''] = path.split('/').slice(1)
  const own: Record<string, string[]> = {
    stats: ['stats'],
    metrics: ['metrics'],
    logs: ['log'],
    pods: ['pods', 'proxy'],
    runningPods: ['pods', 'proxy'],
    healthz: ['healthz', 'proxy'],
    configz: ['configz', 'proxy'],
  }
  return own[what] ?? ['proxy']
}

function certifiedUser(socket: TLSSocket): User | undefined {
  if (!socket.authorized) return undefined
  const { subject } = socket.getPeerCertificate()
  if (!subject?.CN) return undefined
  const { CN, O } = subject as unknown as { CN: string | string[]; O?: string | string[] }
  const groups = O === undefined ? [] : [O].flat()
  return { name: [CN].flat().at(-1)!, groups: [...groups, 'system:authenticated'] }
}

/** Answers from memory for as long as the one who found out says. */
function remembering<T>(clock: Clock) {
  const known = new Map<string, { value: T; until: number }>()
  return async (key: string, find: () => Promise<{ value: T; ttl: number }>): Promise<T> => {
    const found = known.get(key)
    if (found && found.until > clock.monotonic()) return found.value
    known.delete(key)
    const { value, ttl } = await find()
    if (known.size >= REMEMBERED) known.delete(known.keys().next().value!)
    known.set(key, { value, until: clock.monotonic() + ttl })
    return value
  }
}
