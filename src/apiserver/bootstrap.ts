import { type Draft, formatTime, is, type KubeObject, type Resource, resources } from '../api/index.ts'
import { create } from './registry/create.ts'
import { ownCall, type Registry } from './registry/registry.ts'
import { update } from './registry/update.ts'

const NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease', 'default']

/** Source: k8s.io/kubernetes/pkg/apis/scheduling/v1 helpers.go SystemPriorityClasses */
const PRIORITY_CLASSES = [
  {
    name: 'system-node-critical',
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    name: 'system-cluster-critical',
    value: 2_000_000_000,
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
]

export interface BootstrapOptions {
  advertiseAddress: string
  port: number
  /** The first address of the services' range, which is the API server's own. */
  serviceAddress: string
  serviceRange: string
  /** Whether this server is to be found there; by default it is. Source: --endpoint-reconciler-type */
  endpoints?: boolean
}

const CIDR_READY = { type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' }

/** Makes what every cluster has from its first moment, where it is not there yet. */
export async function bootstrap(registry: Registry, options: BootstrapOptions): Promise<void> {
  const now = formatTime(registry.clock.now())
  for (const name of NAMESPACES) await ensure(registry, resources.namespaces, { metadata: { name } })
  for (const { name, ...rest } of PRIORITY_CLASSES)
    await ensure(registry, resources.priorityClasses, {
      metadata: { name },
      preemptionPolicy: 'PreemptLowerPriority',
      ...rest,
    })
  await Promise.all([
    ensure(registry, resources.serviceCIDRs, {
      metadata: { name: 'kubernetes' },
      spec: { cidrs: [options.serviceRange] },
      status: { conditions: [{ ...CIDR_READY, lastTransitionTime: now }] },
    }),
    ensure(registry, resources.configMaps, {
      metadata: { name: TOKEN_TRACKING, namespace: 'kube-system' },
      data: { since: now.slice(0, '2026-01-02'.length) },
    }),
  ])
  await bootstrapService(registry, options)
}

/** Says since when it is noted which tokens of the old kind, those in Secrets, are still in use. */
const TOKEN_TRACKING = 'kube-apiserver-legacy-service-account-token-tracking'

/** The Service `kubernetes`, by which pods find this server. Source: k8s.io/kubernetes/pkg/controlplane/controller/kubernetesservice */
async function bootstrapService(
  registry: Registry,
  { advertiseAddress, port, serviceAddress, endpoints: found = true }: BootstrapOptions,
): Promise<void> {
  const labels = { component: 'apiserver', provider: 'kubernetes' }
  const metadata = { name: 'kubernetes', namespace: 'default' }
  const servicePorts = [{ name: 'https', protocol: 'TCP' as const, port: 443, targetPort: port }]
  await ensure(
    registry,
    resources.services,
    {
      metadata: { ...metadata, labels },
      spec: { clusterIP: serviceAddress, type: 'ClusterIP', sessionAffinity: 'None', ports: servicePorts },
    },
    service => {
      service.spec.ports = servicePorts
    },
  )
  if (!found) return
  const ports = [{ name: 'https', port, protocol: 'TCP' as const }]
  await ensure(
    registry,
    resources.endpoints,
    {
      metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: [{ ip: advertiseAddress }], ports }],
    },
    endpoints => {
      endpoints.subsets = [{ addresses: [{ ip: advertiseAddress }], ports }]
    },
  )
  const slice = {
    addressType: advertiseAddress.includes(':') ? ('IPv6' as const) : ('IPv4' as const),
    endpoints: [{ addresses: [advertiseAddress], conditions: { ready: true } }],
    ports,
  }
  await ensure(
    registry,
    resources.endpointSlices,
    { metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kubernetes' } }, ...slice },
    found => void Object.assign(found, slice),
  )
}

/** Makes the object, or brings the present one up to date. No webhook that is out of order keeps a server from starting. */
export async function ensure<T extends KubeObject>(
  registry: Registry,
  resource: Resource<T>,
  draft: Draft<T>,
  bringUpToDate?: (object: T) => void,
): Promise<void> {
  const served = registry.served(resource as Resource)
  const { object } = served.codec.decode({ kind: resource.kind, apiVersion: '', ...(draft as object) })
  const { name, namespace = '' } = object.metadata
  object.apiVersion = resource.group ? `${resource.group}/${resource.version}` : resource.version
  served.codec.default(object)
  const exists = await registry.reader.read(resource, namespace, name)
  try {
    if (!exists)
      return void (await create(registry, { ...ownCall(served, namespace), admitted: true, trusted: true }, object))
  } catch (error) {
    if (!is(error, 'AlreadyExists')) throw error
  }
  if (!bringUpToDate) return
  const change = (old: KubeObject) => {
    bringUpToDate(old as T)
    return old
  }
  await update(registry, { ...ownCall(served, namespace, name), admitted: true, trusted: true }, change, {
    relative: true,
  })
}
