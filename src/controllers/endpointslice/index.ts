import { isDeepStrictEqual } from 'node:util'
import {
  type core,
  type discovery,
  isHeadless,
  type Resource,
  resources,
  SERVICE_NAME,
  serviceKeys,
} from '../../api/index.ts'
import type { Component } from '../../base/index.ts'
import { from, keyOf, startController } from '../../client/index.ts'
import { type Context, recorderOf } from '../context.ts'
import { found } from '../found.ts'
import { controllerReference } from '../owners.ts'
import { distribute, type Group, type Plan, portsKey } from './distribute.ts'
import { addressOf, endpointOf, isReachable, portsOf, selectedPods, selectsPods, servicesOf } from './endpoint.ts'

const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
const MANAGER = 'endpointslice-controller.k8s.io'
const HEADLESS = 'service.kubernetes.io/headless'
const ZONE = 'topology.kubernetes.io/zone'
/** Upstream's --max-endpoints-per-slice. */
const MOST_ENDPOINTS = 100
/** Milliseconds after which a write that the informer does not show is taken to be overtaken. */
const LONGEST_LAG = 10_000

/**
 * Keeps, for each Service with a selector, the list of what it leads to.
 * Source: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
 */
export function startEndpointSliceController(context: Context): Component {
  const { client, informers, clock, log } = context
  const services = informers.get(resources.services)
  const pods = informers.get(resources.pods)
  const nodes = informers.get(resources.nodes)
  const slices = informers.get(resources.endpointSlices)
  slices.addIndex(SERVICE_NAME, slice => [serviceKey(slice) ?? []].flat())
  const recorder = recorderOf(context, 'endpoint-slice-controller')
  /** By Service, when its slices were written last, and the version of each; of a deleted one, none. */
  const written = new Map<string, { at: number; versions: Map<string, string | undefined> }>()

  const controller = startController({
    name: 'endpointslice',
    sources: [from(services), from(pods, servicesOf(services)), from(slices, serviceKey)],
    needs: [nodes],
    reconcile,
    clock,
    log,
  })

  const endNodes = nodes.addHandlers({
    update(old, node) {
      if (zoneOf(old) === zoneOf(node)) return
      for (const service of services.lister.list()) controller.enqueue(keyOf(service))
    },
  })

  async function reconcile(key: string) {
    const service = services.lister.getByKey(key)
    // Slices of a Service that is gone have it as their owner, and go with it.
    if (!service) {
      written.delete(key)
      return
    }
    if (!service.spec.selector || service.metadata.deletionTimestamp) return
    const present = slices.lister.byIndex(SERVICE_NAME, key)
    if (isBehind(key, present)) return { after: LONGEST_LAG }
    const { plans, surplus } = distribute(groupsOf(service), present, MOST_ENDPOINTS)
    const versions = new Map<string, string | undefined>()
    written.set(key, { at: clock.monotonic(), versions })
    try {
      for (const plan of plans) await write(service, plan, versions)
      for (const { metadata } of surplus) {
        await found(client.delete(resources.endpointSlices, metadata))
        versions.set(metadata.name, undefined)
      }
    } catch (error) {
      const message = `Error updating Endpoint Slices for Service ${key}: ${(error as Error).message}`
      recorder.warning(service, 'FailedToUpdateEndpointSlices', message)
      throw error
    }
  }

  async function write(service: core.Service, plan: Plan, versions: Map<string, string | undefined>): Promise<void> {
    const { slice, addressType, ports, endpoints } = plan
    const { namespace, name } = service.metadata
    const labels = labelsOf(service)
    if (!slice) {
      const ownerReferences = [controllerReference(service, resources.services as Resource)]
      const metadata = { namespace, generateName: `${name}-`, labels, ownerReferences }
      const created = await client.create(resources.endpointSlices, { metadata, addressType, endpoints, ports })
      versions.set(created.metadata.name, created.metadata.resourceVersion)
      return
    }
    if (!plan.changed && isDeepStrictEqual(labels, slice.metadata.labels)) return
    const metadata = { ...slice.metadata, labels }
    const updated = await client.update(resources.endpointSlices, { ...slice, metadata, endpoints, ports })
    versions.set(updated.metadata.name, updated.metadata.resourceVersion)
  }

  /** Whether the lister does not yet show our own last writes: to act on it would write twice. */
  function isBehind(key: string, present: discovery.EndpointSlice[]): boolean {
    const last = written.get(key)
    if (!last || clock.monotonic() - last.at > LONGEST_LAG) return false
    const shown = new Map(present.map(({ metadata }) => [metadata.name, metadata.resourceVersion]))
    for (const [name, version] of last.versions) {
      const current = shown.get(name)
      if (version === undefined ? current !== undefined : !current || Number(current) < Number(version)) return true
    }
    return false
  }

  /** The Service's endpoints by address family and by ports, which differ where a port's name means different numbers. */
  function groupsOf(service: core.Service): Group[] {
    if (!selectsPods(service)) return []
    const reachable = selectedPods(pods, service).filter(isReachable)
    return familiesOf(service).flatMap(addressType => {
      const groups = new Map<string, Group>()
      for (const pod of reachable) {
        const address = addressOf(pod, addressType)
        if (!address) continue
        const ports = portsOf(pod, service)
        const node = nodes.lister.get({ name: pod.spec.nodeName ?? '' })
        const group = groups.get(portsKey(ports)) ?? { addressType, ports, endpoints: [] }
        groups.set(portsKey(ports), group)
        group.endpoints.push(endpointOf(pod, service, address, node && zoneOf(node)))
      }
      return groups.size > 0 ? [...groups.values()] : [{ addressType, ports: [], endpoints: [] }]
    })
  }

  return {
    async stop() {
      endNodes()
      await controller.stop()
      await recorder.stop()
    },
  }
}

/** Only slices that are made here: others may make slices for a Service too. */
const serviceKey = (slice: discovery.EndpointSlice): string | undefined =>
  slice.metadata.labels?.[MANAGED_BY] === MANAGER ? serviceKeys(slice)[0] : undefined

const zoneOf = ({ metadata }: core.Node): string | undefined => metadata.labels?.[ZONE]

const familiesOf = ({ spec }: core.Service): string[] => (spec.ipFamilies?.length ? spec.ipFamilies : ['IPv4'])

/** The Service's own labels, and ours. */
function labelsOf(service: core.Service): Record<string, string> {
  const { [HEADLESS]: _, ...labels } = service.metadata.labels ?? {}
  return {
    ...labels,
    [SERVICE_NAME]: service.metadata.name,
    [MANAGED_BY]: MANAGER,
    ...(isHeadless(service) ? { [HEADLESS]: '' } : {}),
  }
}
