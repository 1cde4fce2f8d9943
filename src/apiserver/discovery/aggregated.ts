import type { Resource, Subresource } from '../../api/index.ts'
import type { ServedGroup } from './groups.ts'

/**
 * `/api` and `/apis` with everything in one document.
 * Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
 */
export const aggregated = (groups: ServedGroup[], apiVersion: string) => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion,
  metadata: {},
  items: groups.map(({ name, versions }) => ({
    metadata: name ? { name } : {},
    versions: versions.map(({ version, resources, stale }) => ({
      version,
      resources: resources.map(describe),
      freshness: stale ? 'Stale' : 'Current',
    })),
  })),
})

function describe(resource: Resource) {
  const { kind, namespaced, singular, verbs, shortNames, categories, subresources } = resource
  return {
    resource: resource.resource,
    responseKind: { group: '', version: '', kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length ? { shortNames } : {}),
    ...(categories.length ? { categories } : {}),
    ...(subresources.length ? { subresources: subresources.map(describeSubresource) } : {}),
  }
}

const describeSubresource = (subresource: Subresource) => ({
  subresource: subresource.name,
  responseKind: responseKind(subresource),
  verbs: subresource.verbs,
})

/** Group and version stay empty where they are those of the place in the document. */
const responseKind = ({ group = '', version = '', kind }: Subresource) => ({ group, version, kind })
