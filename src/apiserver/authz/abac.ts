import type { User } from '../pipeline/context.ts'
import { ALLOWED, type Attributes, type Authorizer, NO_RULES } from './authorizer.ts'

interface Spec {
  user?: string
  group?: string
  readonly?: boolean
  apiGroup?: string
  resource?: string
  namespace?: string
  nonResourcePath?: string
}

const READ = ['get', 'list', 'watch']
const AUTHENTICATED = 'system:authenticated'

/**
 * Judges by a file of policies, a JSON object a line. Throws when a line is none.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/abac/
 */
export function abacAuthorizer(text: string): Authorizer {
  const policies = parse(text)
  return {
    authorize: attributes =>
      policies.some(policy => matches(policy, attributes)) ? ALLOWED : { allowed: false, reason: 'No policy matched.' },
    rulesFor(user, namespace) {
      const own = policies.filter(
        policy => isSubject(policy, user) && (policy.namespace === '*' || (policy.namespace ?? '') === namespace),
      )
      return {
        ...NO_RULES,
        resource: own.flatMap(({ readonly, apiGroup = '', resource }) =>
          resource ? [{ verbs: verbsOf(readonly), apiGroups: [apiGroup], resources: [resource] }] : [],
        ),
        nonResource: own.flatMap(({ readonly, nonResourcePath }) =>
          nonResourcePath ? [{ verbs: verbsOf(readonly), nonResourceURLs: [nonResourcePath] }] : [],
        ),
      }
    },
  }
}

const verbsOf = (readonly: boolean | undefined) => (readonly ? READ : ['*'])

function parse(text: string): Spec[] {
  return text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim()
    if (!trimmed || trimmed.startsWith('#')) return []
    try {
      const policy = JSON.parse(trimmed) as Spec & { kind?: string; spec?: Spec }
      return [policy.kind === undefined ? unversioned(policy) : versioned(policy.spec ?? {})]
    } catch (error) {
      throw new Error(`error reading policy file, line ${index + 1}: ${trimmed}: ${(error as Error).message}`)
    }
  })
}

const isAnybody = ({ user, group }: Spec) => user === '*' || group === '*'

/** `*` means everybody who says who he is. */
const versioned = (spec: Spec): Spec => (isAnybody(spec) ? { ...spec, user: '', group: AUTHENTICATED } : spec)

/** Lines from before there were versions: what they do not say is open. */
function unversioned(spec: Spec): Spec {
  const { user, group, readonly, namespace, resource } = spec
  const anybody = isAnybody(spec) || !(user || group)
  return {
    ...(anybody ? { group: AUTHENTICATED } : { user, group }),
    readonly,
    apiGroup: '*',
    namespace: namespace || '*',
    resource: resource || '*',
    ...(namespace || resource ? {} : { nonResourcePath: '*' }),
  }
}

function matches(
  policy: Spec,
  { user, verb, isResourceRequest, path, namespace, resource, group }: Attributes,
): boolean {
  if (!isSubject(policy, user) || (policy.readonly && !READ.includes(verb))) return false
  const is = (wanted: string | undefined, value: string) => wanted === '*' || (wanted ?? '') === value
  if (isResourceRequest)
    return is(policy.namespace, namespace) && is(policy.resource, resource) && is(policy.apiGroup, group)
  const { nonResourcePath = '' } = policy
  return (
    nonResourcePath === path || (nonResourcePath.endsWith('*') && path.startsWith(nonResourcePath.replace(/\*+$/, '')))
  )
}

function isSubject({ user, group }: Spec, { name, groups }: User): boolean {
  if (!user && !group) return false
  return (!user || user === name) && (!group || groups.includes(group))
}
