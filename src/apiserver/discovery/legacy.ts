import { createHash } from 'node:crypto'
import { apiVersion, type Resource } from '../../api/index.ts'
import type { ServedGroup, ServedVersion } from './groups.ts'

/** `/api` */
export const coreVersions = (group: ServedGroup | undefined, serverAddress: string) => ({
  kind: 'APIVersions',
  versions: group?.versions.map(({ version }) => version) ?? [],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
})

/** `/apis` */
export const groupList = (groups: ServedGroup[]) => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groups.filter(({ name }) => name).map(describeGroup),
})

/** `/apis/GROUP` */
export const group = (served: ServedGroup) => ({ kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(served) })

function describeGroup({ name, versions }: ServedGroup) {
  const described = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: described, preferredVersion: described[0] }
}

/** `/api/v1` and `/apis/GROUP/VERSION`. Upstream leaves the apiVersion out of the former. */
export const resourceList = ({ name }: ServedGroup, { version, resources }: ServedVersion) => ({
  kind: 'APIResourceList',
  ...(name ? { apiVersion: 'v1' } : {}),
  groupVersion: apiVersion({ group: name, version }),
  resources: resources.flatMap(describeResource),
})

function describeResource(resource: Resource) {
  const { namespaced, kind, verbs, shortNames, categories } = resource
  const described = {
    name: resource.resource,
    singularName: resource.singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length ? { shortNames } : {}),
    ...(categories.length ? { categories } : {}),
    ...(verbs.includes('watch') ? { storageVersionHash: storageVersionHash(resource) } : {}),
  }
  const subresources = resource.subresources.map(({ name, group, version, kind, verbs }) => ({
    name: `${resource.resource}/${name}`,
    singularName: '',
    namespaced,
    ...(version ? { group, version } : {}),
    kind,
    verbs,
  }))
  return [described, ...subresources]
}

/** What is served in several versions is stored in one. */
const STORED_AS: Record<string, string> = {
  'events.k8s.io/v1/Event': '/v1/Event',
  'autoscaling/v1/HorizontalPodAutoscaler': 'autoscaling/v2/HorizontalPodAutoscaler',
}

/** Source: k8s.io/apiserver/pkg/endpoints/discovery StorageVersionHash */
function storageVersionHash({ group, version, kind, storedAs = version }: Resource): string {
  const served = `${group}/${storedAs}/${kind}`
  return createHash('sha256')
    .update(STORED_AS[served] ?? served)
    .digest()
    .toString('base64', 0, 8)
}
