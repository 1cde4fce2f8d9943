import { resources, serviceKeys } from '../api/index.ts'
import type { Informers } from '../client/index.ts'
import type { Directory } from './zone.ts'

const BY_SERVICE = 'dns/service'
const BY_ADDRESS = 'dns/address'

/** The zone's contents, from what informers know. */
export function informedDirectory(informers: Informers): Directory & { synced: Promise<unknown> } {
  const services = informers.get(resources.services)
  const slices = informers.get(resources.endpointSlices)
  const namespaces = informers.get(resources.namespaces, { metadataOnly: true })
  services.addIndex(BY_ADDRESS, ({ spec }) => spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []))
  slices.addIndex(BY_SERVICE, serviceKeys)
  slices.addIndex(BY_ADDRESS, ({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses))
  return {
    synced: Promise.all([services.synced, slices.synced, namespaces.synced]),
    hasNamespace: name => namespaces.lister.get({ name }) !== undefined,
    service: (namespace, name) => services.lister.get({ namespace, name }),
    slices: (namespace, service) => slices.lister.byIndex(BY_SERVICE, `${namespace}/${service}`),
    servicesAt: ip => services.lister.byIndex(BY_ADDRESS, ip),
    slicesAt: ip => slices.lister.byIndex(BY_ADDRESS, ip),
  }
}
