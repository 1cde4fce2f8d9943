import { errors, names, StatusError } from '../../api/index.ts'
import { type Attributes, type Authorizer, MASTERS, refusal } from '../authz/authorizer.ts'
import { ANONYMOUS } from './authenticate.ts'
import type { Context, User } from './context.ts'

const AUTHENTICATED = 'system:authenticated'
const UNAUTHENTICATED = 'system:unauthenticated'
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/
const NODE = 'system:node:'
const NODE_NAME = 'authentication.kubernetes.io/node-name'
const EXTRA = 'impersonate-extra-'

/** Whom a request asks to be, as it asks for it. */
interface Wanted {
  name: string
  uid: string
  groups: string[]
  extra: Record<string, string[]>
}

export interface Impersonated {
  user: User
  /** The verb by which it was allowed; empty for the one that allows all there is to it. */
  constraint: string
}

/** One way of being allowed to act as somebody; the first that allows it decides. */
interface Mode {
  /** Empty for the oldest, which allows to be somebody whatever he then does. */
  name: string
  applies(wanted: Wanted, requestor: User): boolean
}

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/#constrained-impersonation (KEP-5284) */
const MODES: Mode[] = [
  {
    name: 'associated-node',
    applies: (wanted, requestor) =>
      isBare(wanted) &&
      nodeOf(wanted) !== undefined &&
      SERVICE_ACCOUNT.test(requestor.name) &&
      requestor.extra?.[NODE_NAME]?.length === 1 &&
      requestor.extra[NODE_NAME][0] === nodeOf(wanted),
  },
  { name: 'arbitrary-node', applies: wanted => isBare(wanted) && nodeOf(wanted) !== undefined },
  { name: 'serviceaccount', applies: wanted => isBare(wanted) && SERVICE_ACCOUNT.test(wanted.name) },
  { name: 'user-info', applies: wanted => nodeOf(wanted) === undefined && !SERVICE_ACCOUNT.test(wanted.name) },
  { name: '', applies: () => true },
]

/** Whether the request asks to act as somebody else. */
export function impersonates({ headers }: Context['request']): boolean {
  for (const name in headers) if (name.startsWith('impersonate-')) return isImpersonation(name)
  return false
}

const isImpersonation = (name: string): boolean =>
  name === 'impersonate-user' || name === 'impersonate-group' || name === 'impersonate-uid' || name.startsWith(EXTRA)

/**
 * The user that the request asks to act as. Rejects with 403 unless the one who asks may act as that user, each group, the
 * uid and each extra, and do as he what the request is about.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
 */
export async function impersonated(authorizer: Authorizer, { request, user, info }: Context): Promise<Impersonated> {
  const wanted = wantedOf(request)
  if (!wanted.name) throw refused(errors.badRequest(`requested ${goStruct(wanted)} without impersonating a user name`))
  let first: unknown
  for (const mode of MODES) {
    if (!mode.applies(wanted, user)) continue
    try {
      if (mode.name) await check(authorizer, asked(mode, { ...info, user }, `impersonate-on:${mode.name}:${info.verb}`))
      return await be(authorizer, mode, wanted, user)
    } catch (error) {
      first ??= error
    }
  }
  throw first
}

async function be(authorizer: Authorizer, mode: Mode, wanted: Wanted, user: User): Promise<Impersonated> {
  const verb = mode.name ? `impersonate:${mode.name}` : 'impersonate'
  for (const what of parts(mode, wanted)) {
    const attributes = asked(mode, { ...NOTHING, ...what, verb, user }, verb)
    if (what.never) throw refused(refusal(attributes, what.never))
    await check(authorizer, attributes)
  }
  const { name, uid, extra } = wanted
  const actual: User = {
    name,
    ...(uid ? { uid } : {}),
    groups: groupsOf(mode, wanted),
    ...(Object.keys(extra).length ? { extra } : {}),
  }
  return { user: actual, constraint: mode.name ? verb : '' }
}

async function check(authorizer: Authorizer, attributes: Attributes): Promise<void> {
  const { allowed, reason } = await authorizer.authorize(attributes)
  if (!allowed) throw refused(refusal(attributes, reason))
}

/** Who is bound to a node may be any node as which he runs, so that it is no matter which one. */
function asked({ name }: Mode, attributes: Attributes, verb: string): Attributes {
  if (name !== 'associated-node') return { ...attributes, verb }
  const { user } = attributes
  const keys = Object.keys(user.extra ?? {}).sort()
  return {
    ...attributes,
    verb,
    ...(verb === `impersonate:${name}` ? { name: '*' } : {}),
    user: { ...user, extra: { 'authentication.kubernetes.io/associated-node-keys': keys } },
  }
}

const NOTHING = {
  isResourceRequest: true,
  path: '',
  group: '',
  version: 'v1',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
}

const IN_AUTHENTICATION = 'authentication.k8s.io'

type Part = Partial<Attributes> & { never?: string }

/** What the one who asks must be allowed to impersonate, one by one. */
function parts(mode: Mode, wanted: Wanted): Part[] {
  const { name, uid, groups, extra } = wanted
  const group = mode.name ? IN_AUTHENTICATION : ''
  const account = name.match(SERVICE_ACCOUNT)
  const node = mode.name ? nodeOf(wanted) : undefined
  const who = account
    ? { resource: 'serviceaccounts', namespace: account[1]!, name: account[2]! }
    : node !== undefined
      ? { resource: 'nodes', name: node }
      : { resource: 'users', name }
  return [
    { group, ...who },
    ...(uid ? [{ group: IN_AUTHENTICATION, resource: 'uids', name: uid }] : []),
    ...groups.map(each => ({
      group,
      resource: 'groups',
      name: each,
      ...(mode.name && each === MASTERS ? { never: 'impersonating the system:masters group is not allowed' } : {}),
      ...(mode.name && each === '' ? { never: 'impersonating the empty string group is not allowed' } : {}),
    })),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map(value => ({
        group: IN_AUTHENTICATION,
        resource: 'userextras',
        subresource: key,
        name: value,
        ...(mode.name ? neverExtra(key, value) : {}),
      })),
    ),
  ]
}

/** What the newer ways of impersonation do not let by, though the oldest does. */
function neverExtra(key: string, value: string): { never?: string } {
  if (value === '') return { never: 'impersonating the empty string value in extra is not allowed' }
  if (!key) return { never: 'impersonating the empty string key in extra is not allowed' }
  const [domain = '', ...path] = key.split('/')
  if (names.dns1123SubdomainProblems(domain).length || !path.join('/'))
    return {
      never: `impersonating an invalid key in extra is not allowed: extra.key: Invalid value: ${JSON.stringify(key)}: must be a domain-prefixed path (such as "acme.io/foo")`,
    }
  if (key !== key.toLowerCase())
    return { never: `impersonating a non-lowercase key in extra is not allowed: ${JSON.stringify(key)}` }
  return {}
}

/** Those that are named, and those that everybody of the kind is in. */
function groupsOf({ name: mode }: Mode, wanted: Wanted): string[] {
  const { name, groups } = wanted
  const account = name.match(SERVICE_ACCOUNT)
  const accounts = account ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : []
  const own = mode && nodeOf(wanted) !== undefined ? ['system:nodes'] : accounts
  const all = groups.length ? groups : own
  if (name === ANONYMOUS.name) return all.includes(UNAUTHENTICATED) ? all : [...all, UNAUTHENTICATED]
  return all.includes(AUTHENTICATED) || all.includes(UNAUTHENTICATED) ? all : [...all, AUTHENTICATED]
}

const isBare = ({ uid, groups, extra }: Wanted): boolean => !uid && !groups.length && !Object.keys(extra).length

function nodeOf({ name }: Wanted): string | undefined {
  const node = name.startsWith(NODE) ? name.slice(NODE.length) : ''
  return node && !names.dns1123SubdomainProblems(node).length ? node : undefined
}

/** From the headers as they came: Node joins those that are given several times. */
function wantedOf({ rawHeaders }: Context['request']): Wanted {
  const wanted: Wanted = { name: '', uid: '', groups: [], extra: {} }
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [header, value] = [rawHeaders[index]!.toLowerCase(), rawHeaders[index + 1]!]
    if (header === 'impersonate-user') wanted.name ||= value
    else if (header === 'impersonate-uid') wanted.uid ||= value
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

/** No browser is to make anything else of it than what it is. */
export const refused = ({ status }: StatusError): StatusError =>
  new StatusError(status, { 'X-Content-Type-Options': 'nosniff' })

/** As Go prints it with `%#v`, since that is what upstream says. */
function goStruct({ name, uid, groups, extra }: Wanted): string {
  const list = (values: string[]) => `[]string{${values.map(value => JSON.stringify(value)).join(', ')}}`
  const entries = Object.entries(extra).map(([key, values]) => `${JSON.stringify(key)}:${list(values)}`)
  return (
    `&user.DefaultInfo{Name:${JSON.stringify(name)}, UID:${JSON.stringify(uid)}, ` +
    `Groups:${groups.length ? list(groups) : '[]string(nil)'}, ` +
    `Extra:${entries.length ? `map[string][]string{${entries.join(', ')}}` : 'map[string][]string(nil)'}}`
  )
}
