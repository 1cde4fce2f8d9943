import { isDeepStrictEqual } from 'node:util'
import { type core, type discovery, is, resources, SERVICE_NAME } from '../api/index.ts'
import type { Clock, Component, Logger } from '../base/index.ts'
import { type Client, from, type Informers, startController } from '../client/index.ts'

export interface PublishOptions {
  client: Client
  informers: Informers
  /** Where the server listens. */
  address: string
  port: number
  /** Of the Service, which pods' resolv.conf names. */
  clusterIp: string
  clock: Clock
  log: Logger
}

const NAMESPACE = 'kube-system'
const NAME = 'kube-dns'
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
const MANAGER = 'k8ts-dns'

/** By this name programs look for the cluster's DNS. Source: kubernetes/cluster/addons/dns/coredns */
const LABELS = {
  'k8s-app': 'kube-dns',
  'kubernetes.io/cluster-service': 'true',
  'kubernetes.io/name': 'CoreDNS',
}

/**
 * Keeps the Service kube-system/kube-dns, and the EndpointSlice that leads it to this server, whatever anybody does
 * to them. A Service of that name with a selector is another DNS that somebody installed: it is left alone.
 */
export function publish({ client, informers, address, port, clusterIp, clock, log }: PublishOptions): Component {
  const services = informers.get(resources.services)
  const slices = informers.get(resources.endpointSlices)
  const isOurs = ({ metadata }: core.Service | discovery.EndpointSlice) =>
    metadata.namespace === NAMESPACE && metadata.name === NAME ? NAME : undefined
  const ref = { namespace: NAMESPACE, name: NAME }

  async function reconcile(): Promise<void> {
    const service = services.lister.get(ref)
    const slice = slices.lister.get(ref)
    if (service?.spec.selector && Object.keys(service.spec.selector).length > 0) {
      if (slice?.metadata.labels?.[MANAGED_BY] === MANAGER) await client.delete(resources.endpointSlices, ref)
      return
    }
    await keepService(service)
    await keepSlice(slice)
  }

  async function keepService(present: core.Service | undefined): Promise<void> {
    const wanted = dnsService(clusterIp)
    if (!present) {
      await client.create(resources.services, wanted)
      log.info({ clusterIp }, 'created the kube-dns Service')
      return
    }
    const labels = { ...present.metadata.labels, ...LABELS }
    const ports = wanted.spec.ports
    const same = isDeepStrictEqual(labels, present.metadata.labels) && isDeepStrictEqual(ports, plainPorts(present))
    if (!same)
      await client.update(resources.services, {
        ...present,
        metadata: { ...present.metadata, labels },
        spec: { ...present.spec, ports },
      })
  }

  async function keepSlice(present: discovery.EndpointSlice | undefined): Promise<void> {
    const wanted = dnsSlice(address, port)
    if (!present) {
      await client.create(resources.endpointSlices, wanted)
      return
    }
    const labels = { ...present.metadata.labels, ...wanted.metadata.labels }
    const same =
      isDeepStrictEqual(labels, present.metadata.labels) &&
      isDeepStrictEqual(present.endpoints, wanted.endpoints) &&
      isDeepStrictEqual(present.ports, wanted.ports)
    if (!same)
      await client.update(resources.endpointSlices, {
        ...present,
        ...wanted,
        metadata: { ...present.metadata, labels },
      })
  }

  return startController({
    name: 'dns',
    workers: 1,
    sources: [from(services, isOurs), from(slices, isOurs), once(NAME)],
    reconcile: () => reconcile().catch(ignoreRace),
    clock,
    log,
  })
}

/** Somebody else was faster, and the watch will say so. */
function ignoreRace(error: unknown): void {
  if (!is(error, 'AlreadyExists')) throw error
}

/** Looks at `key` once, though nothing has happened to it. */
const once = (key: string) => ({
  synced: Promise.resolve(),
  start: (enqueue: (key: string) => void) => {
    enqueue(key)
    return () => {}
  },
})

function dnsService(clusterIp: string) {
  return {
    metadata: { namespace: NAMESPACE, name: NAME, labels: LABELS },
    spec: {
      clusterIP: clusterIp,
      clusterIPs: [clusterIp],
      ports: [
        { name: 'dns', protocol: 'UDP' as const, port: 53, targetPort: 53 },
        { name: 'dns-tcp', protocol: 'TCP' as const, port: 53, targetPort: 53 },
      ],
    },
  }
}

const plainPorts = ({ spec }: core.Service) =>
  spec.ports?.map(({ name, protocol, port, targetPort }) => ({ name, protocol, port, targetPort }))

function dnsSlice(address: string, port: number) {
  return {
    metadata: { namespace: NAMESPACE, name: NAME, labels: { ...LABELS, [SERVICE_NAME]: NAME, [MANAGED_BY]: MANAGER } },
    addressType: address.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
    ports: [
      { name: 'dns', protocol: 'UDP' as const, port },
      { name: 'dns-tcp', protocol: 'TCP' as const, port },
    ],
  }
}
