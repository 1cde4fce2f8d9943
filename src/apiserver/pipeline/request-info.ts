import type { RequestInfo } from './context.ts'

const VERBS: Record<string, string> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** Subresources of a namespace; any other segment after its name is a resource within it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])

/**
 * Reads a method and a path as upstream does, legacy `watch/` and `proxy/` prefixes included.
 * Source: k8s.io/apiserver/pkg/endpoints/request RequestInfoFactory
 */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const info: RequestInfo = {
    isResourceRequest: false,
    verb: method.toLowerCase(),
    path,
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    parts: [],
  }
  const segments = path.split('/').filter(segment => segment !== '')
  const legacy = segments[0] === 'api'
  const shortest = legacy ? 3 : 4
  if ((!legacy && segments[0] !== 'apis') || segments.length < shortest) return info

  info.isResourceRequest = true
  info.group = legacy ? '' : segments[1]!
  info.version = segments[shortest - 2]!
  info.verb = VERBS[method] ?? ''
  let rest = segments.slice(shortest - 1)
  if (rest[0] === 'watch' && rest.length > 1) {
    info.verb = 'watch'
    rest = rest.slice(1)
  }
  if (rest[0] === 'namespaces') {
    if (rest[1] !== undefined) info.namespace = rest[1]
    if (rest[2] !== undefined && !NAMESPACE_SUBRESOURCES.has(rest[2])) rest = rest.slice(2)
  }
  info.parts = rest
  info.resource = rest[0] ?? ''
  info.name = rest[1] ?? ''
  info.subresource = rest[2] ?? ''
  if (info.name === '') widen(info, query)
  return info
}

/** Without a name, the verbs that read or delete one object mean the collection. */
function widen(info: RequestInfo, query: URLSearchParams): void {
  if (info.verb === 'get') info.verb = isTrue(query.get('watch')) ? 'watch' : 'list'
  else if (info.verb === 'delete') info.verb = 'deletecollection'
  if (info.verb !== 'list' && info.verb !== 'watch') return
  // A list of one named object is judged by that name, so that a rule with resourceNames can allow it.
  const named = query.get('fieldSelector')?.match(/^metadata\.name==?([^,]+)$/)
  if (named) info.name = named[1]!
}

/** How Go's query decoder reads a boolean: absent, `false` and `0` are false, anything else is true. */
export const isTrue = (value: string | null): boolean =>
  value !== null && !['false', 'False', 'FALSE', '0', 'f', 'F'].includes(value)
