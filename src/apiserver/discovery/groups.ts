import type { Resource } from '../../api/index.ts'

/** The resources of one group version, in the order of their names. */
export interface ServedVersion {
  version: string
  resources: Resource[]
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

/** Groups in the order of discovery: upstream's own first, then others by name. */
export function groupsOf(resources: Resource[]): ServedGroup[] {
  const groups = Map.groupBy(resources, ({ group }) => group)
  return [...groups.keys()].sort(byPlace).map(name => ({ name, versions: versionsOf(groups.get(name)!) }))
}

function byPlace(a: string, b: string): number {
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length)
  return place(a) - place(b) || (a < b ? -1 : 1)
}

function versionsOf(resources: Resource[]): ServedVersion[] {
  const versions = Map.groupBy(resources, ({ version }) => version)
  return [...versions.keys()].sort(byVersion).map(version => ({
    version,
    resources: versions.get(version)!.sort((a, b) => (a.resource < b.resource ? -1 : 1)),
  }))
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
