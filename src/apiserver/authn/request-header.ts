import type { TLSSocket } from 'node:tls'
import type { Context, User } from '../pipeline/context.ts'
import type { RequestHeader } from './extension.ts'
import { certificatesOf, isSignedBy } from './x509.ts'

/** Believes a proxy that has asked its clients who they are, and says so in headers. */
export interface FrontProxy {
  /** Whether who is at the other end is that proxy; what it says changes with every request. */
  trusts(socket: TLSSocket): boolean
  /** Whom the proxy speaks for, if for anybody; takes the headers that say so away. */
  userOf(request: Context['request']): User | undefined
}

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#authenticating-proxy */
export function frontProxy(options: RequestHeader): FrontProxy {
  const authorities = certificatesOf(options.ca)
  const lower = (names: string[]) => names.map(name => name.toLowerCase())
  const headers = {
    user: lower(options.usernameHeaders),
    uid: lower(options.uidHeaders ?? []),
    groups: lower(options.groupHeaders),
    extra: lower(options.extraHeaderPrefixes),
  }
  return {
    trusts(socket) {
      if (!socket.authorized || !isSignedBy(socket, authorities)) return false
      const { CN } = socket.getPeerCertificate().subject as { CN?: string | string[] }
      const name = [CN ?? ''].flat().at(-1)!
      return !options.allowedNames.length || options.allowedNames.includes(name)
    },
    userOf(request) {
      const name = headers.user.map(header => valuesOf(request, header)[0]).find(Boolean)
      if (!name) return undefined
      const uid = headers.uid.map(header => valuesOf(request, header)[0]).find(Boolean)
      const groups = headers.groups.flatMap(header => valuesOf(request, header).filter(Boolean))
      const extra = extraOf(request, headers.extra)
      strip(request, headers)
      return {
        name,
        ...(uid ? { uid } : {}),
        groups: groups.includes('system:authenticated') ? groups : [...groups, 'system:authenticated'],
        ...(Object.keys(extra).length ? { extra } : {}),
      }
    },
  }
}

/** One by one: Node joins headers that are given several times. */
function valuesOf({ headers, rawHeaders }: Context['request'], name: string): string[] {
  if (!(name in headers)) return []
  const values: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]!.toLowerCase() === name) values.push(rawHeaders[index + 1]!.trim())
  return values
}

function extraOf(request: Context['request'], prefixes: string[]): Record<string, string[]> {
  const extra: Record<string, string[]> = {}
  for (const name of Object.keys(request.headers))
    for (const prefix of prefixes)
      if (name.startsWith(prefix)) {
        const key = decoded(name.slice(prefix.length))
        extra[key] = [...(extra[key] ?? []), ...valuesOf(request, name)]
      }
  return extra
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

function strip({ headers }: Context['request'], { user, uid, groups, extra }: Record<string, string[]>): void {
  for (const name of [...user!, ...uid!, ...groups!]) delete headers[name]
  for (const name of Object.keys(headers)) if (extra!.some(prefix => name.startsWith(prefix))) delete headers[name]
}
