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
  const place = placeOf(resource)
  return {
    resource: resource.resource,
    responseKind: { ...place, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length ? { shortNames } : {}),
    ...(categories.length ? { categories } : {}),
    ...(subresources.length ? { subresources: subresources.map(each => describeSubresource(each, place)) } : {}),
  }
}

type Place = { group: string; version: string }

/** Group and version stay empty where they are those of the place in the document, but for custom resources. */
const placeOf = ({ listKind, group, version }: Resource): Place =>
  listKind ? { group, version } : { group: '', version: '' }

const describeSubresource = ({ name, group, version, kind, verbs }: Subresource, place: Place) => ({
  subresource: name,
  responseKind: { ...(version ? { group: group ?? '', version } : place), kind },
  verbs,
})
