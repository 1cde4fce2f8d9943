import { errors } from '../../api/index.ts'
import { type Attributes, type Authorizer, refusal } from '../authz/authorizer.ts'
import { ANONYMOUS } from './authenticate.ts'
import type { Context, User } from './context.ts'

const AUTHENTICATED = 'system:authenticated'
const UNAUTHENTICATED = 'system:unauthenticated'
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/
const EXTRA = 'impersonate-extra-'

/** Whom a request asks to be, as it asks for it. */
interface Wanted {
  name: string
  uid: string
  groups: string[]
  extra: Record<string, string[]>
}

/** Whether the request asks to act as somebody else. */
export const impersonates = ({ headers }: Context['request']): boolean =>
  'impersonate-user' in headers || 'impersonate-group' in headers || 'impersonate-uid' in headers

/**
 * The user that the request asks to act as. Rejects with 403 unless the one who asks may act as that user, each group, the
 * uid and each extra.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */
export async function impersonated(authorizer: Authorizer, { request, user }: Context): Promise<User> {
  const wanted = wantedOf(request)
  if (!wanted.name)
    throw errors.internal('requested impersonation of groups, a uid or extra without impersonating a user')
  for (const what of asked(wanted)) {
    const attributes: Attributes = { ...NOTHING, ...what, user }
    const { allowed, reason } = await authorizer.authorize(attributes)
    if (!allowed) throw refusal(attributes, reason)
  }
  const { name, uid, extra } = wanted
  return {
    name,
    ...(uid ? { uid } : {}),
    groups: groupsOf(wanted),
    ...(Object.keys(extra).length ? { extra } : {}),
  }
}

const NOTHING = {
  isResourceRequest: true,
  verb: 'impersonate',
  path: '',
  group: '',
  version: 'v1',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
}

const IN_AUTHENTICATION = 'authentication.k8s.io'

/** What the one who asks must be allowed to impersonate, one by one. */
function asked({ name, uid, groups, extra }: Wanted): Partial<Attributes>[] {
  const account = name.match(SERVICE_ACCOUNT)
  return [
    account ? { resource: 'serviceaccounts', namespace: account[1]!, name: account[2]! } : { resource: 'users', name },
    ...groups.map(group => ({ resource: 'groups', name: group })),
    ...(uid ? [{ group: IN_AUTHENTICATION, resource: 'uids', name: uid }] : []),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map(value => ({ group: IN_AUTHENTICATION, resource: 'userextras', subresource: key, name: value })),
    ),
  ]
}

/** Those that are named, and those that everybody of the kind is in. */
function groupsOf({ name, groups }: Wanted): string[] {
  const account = name.match(SERVICE_ACCOUNT)
  const own = account ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : []
  const all = groups.length ? groups : own
  if (all.includes(AUTHENTICATED) || all.includes(UNAUTHENTICATED)) return all
  return [...all, name === ANONYMOUS.name ? UNAUTHENTICATED : AUTHENTICATED]
}

/** From the headers as they came: Node joins those that are given several times. */
function wantedOf({ rawHeaders }: Context['request']): Wanted {
  const wanted: Wanted = { name: '', uid: '', groups: [], extra: {} }
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [header, value] = [rawHeaders[index]!.toLowerCase(), rawHeaders[index + 1]!]
    if (header === 'impersonate-user') wanted.name = value
    else if (header === 'impersonate-uid') wanted.uid = value
    else if (header === 'impersonate-group') wanted.groups.push(value)
    else if (header.startsWith(EXTRA)) {
      const key = decoded(header.slice(EXTRA.length))
      wanted.extra[key] = [...(wanted.extra[key] ?? []), value]
    }
  }
  return wanted
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}
