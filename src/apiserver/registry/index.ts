/**
 * What each kind does beyond what every kind does, looked up by `group/resource`.
 *
 * Strategies are made once for a server, since those of Services hold what is unique in the cluster:
 *
 *     const strategies = createStrategies({ serviceClusterIpRange: '10.96.0.0/16', serviceNodePortRange: '30000-32767', random })
 *     strategies.restoreServices(await allServices())    // before the first request, and again after a restore
 *     const strategy = strategies.strategyFor(resource)
 *
 * A strategy expects the model's plain defaults to be there and, in `prepareCreate`, the system's metadata (uid, creationTimestamp).
 * `defaults` runs once more after admission has changed the object.
 */

import type { core, Resource } from '../../api/index.ts'
import type { Random } from '../../base/index.ts'
import { deploymentStrategy } from './apps/deployments.ts'
import { replicaSetStrategy } from './apps/replicasets.ts'
import { leaseStrategy } from './coordination.ts'
import { configMapStrategy } from './core/configmaps.ts'
import { eventStrategy } from './core/events.ts'
import { namespaceStrategy } from './core/namespaces.ts'
import { nodeStrategy } from './core/nodes.ts'
import { podStrategy } from './core/pods.ts'
import { secretStrategy } from './core/secrets.ts'
import { ServiceAllocator } from './core/service-allocator.ts'
import { serviceAccountStrategy } from './core/serviceaccounts.ts'
import { serviceStrategy } from './core/services.ts'
import { endpointSliceStrategy } from './discovery.ts'
import type { Strategy } from './strategy.ts'

export interface StrategyOptions {
  /** `10.96.0.0/16`; one range of either family. */
  serviceClusterIpRange: string
  /** `30000-32767`, both ends included. */
  serviceNodePortRange: string
  random: Random
}

export interface Strategies {
  strategyFor(resource: Resource): Strategy
  /** Takes the addresses and node ports of the services that exist; forgets all others. */
  restoreServices(services: core.Service[]): void
}

export function createStrategies(options: StrategyOptions): Strategies {
  const allocator = new ServiceAllocator(options)
  const strategies = table(allocator)
  return {
    strategyFor: ({ group, resource }) => strategies[group ? `${group}/${resource}` : resource] ?? {},
    restoreServices: services => allocator.restore(services),
  }
}

const table = (allocator: ServiceAllocator): Record<string, Strategy> => ({
  configmaps: configMapStrategy,
  events: eventStrategy,
  namespaces: namespaceStrategy,
  nodes: nodeStrategy,
  pods: podStrategy,
  secrets: secretStrategy,
  serviceaccounts: serviceAccountStrategy,
  services: serviceStrategy(allocator),
  'apps/deployments': deploymentStrategy,
  'apps/replicasets': replicaSetStrategy,
  'coordination.k8s.io/leases': leaseStrategy,
  'discovery.k8s.io/endpointslices': endpointSliceStrategy,
})
