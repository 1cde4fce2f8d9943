import type { Resource } from '../../api/index.ts'

/** The resources of one group version, in the order of their names. */
export interface ServedVersion {
  version: string
  resources: Resource[]
  /** Another server serves it and cannot be reached, so that this is what is remembered. */
  stale?: boolean
}

/** One group version that another server serves by way of this one. */
export interface RemoteVersion extends ServedVersion {
  group: string
}

/** One API group; its preferred version comes first. */
export interface ServedGroup {
  name: string
  versions: ServedVersion[]
}

/** In the order in which upstream lists its own groups. Source: DefaultGenericAPIServicePriorities of the control plane. */
const ORDER = [
  '',
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'resource.k8s.io',
  'flowcontrol.apiserver.k8s.io',
]

/**
 * Groups in the order of discovery: upstream's own first, then others by name. A version that another server serves is no
 * more one's own.
 */
export function groupsOf(resources: Resource[], remote: RemoteVersion[] = []): ServedGroup[] {
  const taken = new Set(remote.map(({ group, version }) => `${group}/${version}`))
  const kept = taken.size ? resources.filter(({ group, version }) => !taken.has(`${group}/${version}`)) : resources
  const own = Map.groupBy(kept, ({ group }) => group)
  const further = Map.groupBy(remote, ({ group }) => group)
  const names = [...new Set([...own.keys(), ...further.keys()])].sort(byPlace)
  return names.map(name => ({ name, versions: versionsOf(own.get(name) ?? [], further.get(name) ?? []) }))
}

function byPlace(a: string, b: string): number {
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length)
  return place(a) - place(b) || (a < b ? -1 : 1)
}

function versionsOf(own: Resource[], remote: RemoteVersion[]): ServedVersion[] {
  const served = [...Map.groupBy(own, ({ version }) => version)].map(([version, resources]) => ({ version, resources }))
  return [...served, ...remote]
    .map(each => ({ ...each, resources: each.resources.toSorted((a, b) => (a.resource < b.resource ? -1 : 1)) }))
    .sort((a, b) => byVersion(a.version, b.version))
}

const STABILITY = ['alpha', 'beta', undefined]

/**
 * Newest and most stable first: v10, v2, v1, v11beta2, v10beta3, v3beta1, v12alpha1, foo1.
 * Source: k8s.io/apimachinery/pkg/version CompareKubeAwareVersionStrings
 */
export function byVersion(a: string, b: string): number {
  const [one, two] = [ranked(a), ranked(b)]
  if (!one || !two) return one ? -1 : two ? 1 : a < b ? -1 : a > b ? 1 : 0
  return two.stability - one.stability || two.major - one.major || two.minor - one.minor
}

function ranked(version: string): { stability: number; major: number; minor: number } | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (!match) return undefined
  const [, major, stability, minor] = match
  return { stability: STABILITY.indexOf(stability), major: Number(major), minor: Number(minor ?? 0) }
}
