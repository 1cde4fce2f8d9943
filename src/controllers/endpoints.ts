import { isDeepStrictEqual } from 'node:util'
import { type core, is, isHeadless, isPodReady, resources } from '../api/index.ts'
import type { Component } from '../base/index.ts'
import { from, startController } from '../client/index.ts'
import { type Context, recorderOf } from './context.ts'
import { portsKey } from './endpointslice/distribute.ts'
import {
  addressOf,
  hostnameIn,
  isReachable,
  portsOf,
  selectedPods,
  selectsPods,
  servicesOf,
} from './endpointslice/endpoint.ts'
import { found } from './found.ts'

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by'
const MANAGER = 'endpoint-controller'
const HEADLESS = 'service.kubernetes.io/headless'
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'
const MOST_ADDRESSES = 1000

/**
 * Keeps the older list of what a Service leads to, of the name of the Service.
 * Source: https://kubernetes.io/docs/concepts/services-networking/service/#endpoints
 */
export function startEndpointsController(context: Context): Component {
  const { client, informers, clock, log } = context
  const services = informers.get(resources.services)
  const pods = informers.get(resources.pods)
  const endpoints = informers.get(resources.endpoints)
  const recorder = recorderOf(context, 'endpoint-controller')

  const controller = startController({
    name: 'endpoint',
    sources: [from(services), from(pods, servicesOf(services)), from(endpoints)],
    reconcile,
    clock,
    log,
  })

  async function reconcile(key: string): Promise<void> {
    const service = services.lister.getByKey(key)
    const current = endpoints.lister.getByKey(key)
    if (!service) {
      if (current?.metadata.labels?.[MANAGED_BY] === MANAGER) {
        await found(client.delete(resources.endpoints, current.metadata))
      }
      return
    }
    if (!selectsPods(service) || service.metadata.deletionTimestamp) return
    const { subsets, truncated } = subsetsOf(service)
    const { namespace, name } = service.metadata
    const labels = labelsOf(service)
    const annotations = annotationsOf(service, current, truncated)
    try {
      if (!current) {
        await client.create(resources.endpoints, { metadata: { namespace, name, labels, annotations }, subsets })
        return
      }
      const same =
        isDeepStrictEqual(current.subsets ?? [], subsets) &&
        isDeepStrictEqual(current.metadata.labels, labels) &&
        current.metadata.annotations?.[OVER_CAPACITY] === annotations[OVER_CAPACITY]
      if (same) return
      const metadata = { ...current.metadata, labels, annotations }
      await client.update(resources.endpoints, { ...current, metadata, subsets })
    } catch (error) {
      if (!is(error, 'Conflict')) {
        const what = current ? 'FailedToUpdateEndpoint' : 'FailedToCreateEndpoint'
        recorder.warning(
          service,
          what,
          `Failed to ${current ? 'update' : 'create'} endpoint ${key}: ${(error as Error).message}`,
        )
      }
      throw error
    }
  }

  function subsetsOf(service: core.Service): { subsets: core.EndpointSubset[]; truncated: boolean } {
    const family = service.spec.ipFamilies?.[0] ?? 'IPv4'
    const subsets = new Map<string, core.EndpointSubset>()
    const candidates = selectedPods(pods, service).filter(pod => isReachable(pod) && !pod.metadata.deletionTimestamp)
    const usable = candidates.filter(pod => addressOf(pod, family)).sort(byReadiness)
    for (const pod of usable.slice(0, MOST_ADDRESSES)) {
      const ports = portsOf(pod, service).map(({ port = 0, name, protocol, appProtocol }) => ({
        ...(name ? { name } : {}),
        port,
        protocol,
        ...(appProtocol ? { appProtocol } : {}),
      }))
      // A Service with ports of which the pod knows none does not lead there.
      if (ports.length === 0 && service.spec.ports?.length) continue
      const subset = subsets.get(portsKey(ports)) ?? (ports.length ? { ports } : {})
      subsets.set(portsKey(ports), subset)
      const ready = service.spec.publishNotReadyAddresses || isPodReady(pod)
      const list = ready ? 'addresses' : 'notReadyAddresses'
      subset[list] = [...(subset[list] ?? []), endpointAddress(pod, service, addressOf(pod, family)!)]
    }
    for (const subset of subsets.values()) {
      subset.addresses?.sort(byIp)
      subset.notReadyAddresses?.sort(byIp)
    }
    const sorted = [...subsets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, subset]) => subset)
    return { subsets: sorted, truncated: usable.length > MOST_ADDRESSES }
  }

  return {
    async stop() {
      await controller.stop()
      await recorder.stop()
    },
  }
}

function endpointAddress(pod: core.Pod, service: core.Service, ip: string): core.EndpointAddress {
  const { name, namespace, uid } = pod.metadata
  return {
    ip,
    ...(hostnameIn(pod, service) ? { hostname: pod.spec.hostname } : {}),
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  }
}

/** When not all have room, the ready ones have. */
const byReadiness = (a: core.Pod, b: core.Pod): number => Number(isPodReady(b)) - Number(isPodReady(a))

const byIp = (a: core.EndpointAddress, b: core.EndpointAddress): number => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0)

function labelsOf(service: core.Service): Record<string, string> {
  const { [HEADLESS]: _, ...labels } = service.metadata.labels ?? {}
  return { ...labels, [MANAGED_BY]: MANAGER, ...(isHeadless(service) ? { [HEADLESS]: '' } : {}) }
}

function annotationsOf(service: core.Service, current: core.Endpoints | undefined, truncated: boolean) {
  const { [OVER_CAPACITY]: _, ...annotations } = { ...current?.metadata.annotations, ...service.metadata.annotations }
  return truncated ? { ...annotations, [OVER_CAPACITY]: 'truncated' } : annotations
}
