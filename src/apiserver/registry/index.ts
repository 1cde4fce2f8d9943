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
import { definitionStrategy } from '../crd/definition-strategy.ts'
import {
  mutatingPolicyStrategy,
  mutatingWebhookStrategy,
  policyBindingStrategy,
  validatingPolicyStrategy,
  validatingWebhookStrategy,
} from './kinds/admissionregistration/index.ts'
import { controllerRevisionStrategy } from './kinds/apps/controllerrevisions.ts'
import { daemonSetStrategy } from './kinds/apps/daemonsets.ts'
import { deploymentStrategy } from './kinds/apps/deployments.ts'
import { replicaSetStrategy } from './kinds/apps/replicasets.ts'
import { statefulSetStrategy } from './kinds/apps/statefulsets.ts'
import { horizontalPodAutoscalerStrategy } from './kinds/autoscaling.ts'
import { cronJobStrategy } from './kinds/batch/cronjobs.ts'
import { jobStrategy } from './kinds/batch/jobs.ts'
import { certificateSigningRequestStrategy } from './kinds/certificates.ts'
import { leaseStrategy } from './kinds/coordination.ts'
import { configMapStrategy } from './kinds/core/configmaps.ts'
import { endpointsStrategy } from './kinds/core/endpoints.ts'
import { eventStrategy, eventV1Strategy } from './kinds/core/events.ts'
import { namespaceStrategy } from './kinds/core/namespaces.ts'
import { nodeStrategy } from './kinds/core/nodes.ts'
import { podStrategy, podTemplateStrategy } from './kinds/core/pods.ts'
import { limitRangeStrategy, resourceQuotaStrategy } from './kinds/core/quotas.ts'
import { replicationControllerStrategy } from './kinds/core/replicationcontrollers.ts'
import { secretStrategy } from './kinds/core/secrets.ts'
import { ServiceAllocator } from './kinds/core/service-allocator.ts'
import { serviceAccountStrategy } from './kinds/core/serviceaccounts.ts'
import { serviceStrategy } from './kinds/core/services.ts'
import { persistentVolumeClaimStrategy, persistentVolumeStrategy } from './kinds/core/volumes.ts'
import { endpointSliceStrategy } from './kinds/discovery.ts'
import { apiServiceStrategy } from './kinds/extensions.ts'
import { flowSchemaStrategy, priorityLevelStrategy } from './kinds/flowcontrol.ts'
import { ingressClassStrategy, ingressStrategy } from './kinds/ingress.ts'
import { ipAddressStrategy, networkPolicyStrategy, serviceCidrStrategy } from './kinds/networking.ts'
import { runtimeClassStrategy } from './kinds/node.ts'
import { podDisruptionBudgetStrategy } from './kinds/policy.ts'
import { clusterRoleBindingStrategy, clusterRoleStrategy, roleBindingStrategy, roleStrategy } from './kinds/rbac.ts'
import {
  deviceClassStrategy,
  resourceClaimStrategy,
  resourceClaimTemplateStrategy,
  resourceSliceStrategy,
} from './kinds/resource/index.ts'
import { priorityClassStrategy } from './kinds/scheduling.ts'
import {
  csiDriverStrategy,
  csiNodeStrategy,
  csiStorageCapacityStrategy,
  storageClassStrategy,
  volumeAttachmentStrategy,
  volumeAttributesClassStrategy,
} from './kinds/storage.ts'
import type { Strategy } from './strategy.ts'

export interface StrategyOptions {
  /** `10.96.0.0/16`; one range of either family. */
  serviceClusterIpRange: string
  /** `30000-32767`, both ends included. */
  serviceNodePortRange: string
  /** Seconds that events are kept, where it is not the usual hour. */
  eventTtl?: number
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
  if (options.eventTtl !== undefined)
    for (const name of ['events', 'events.k8s.io/events'])
      strategies[name] = { ...strategies[name], ttl: options.eventTtl }
  return {
    strategyFor: ({ group, resource }) => strategies[group ? `${group}/${resource}` : resource] ?? {},
    restoreServices: services => allocator.restore(services),
  }
}

/** A kind that is not here does nothing beyond what every kind does. */
const table = (allocator: ServiceAllocator): Record<string, Strategy> => ({
  configmaps: configMapStrategy,
  endpoints: endpointsStrategy,
  events: eventStrategy,
  limitranges: limitRangeStrategy,
  namespaces: namespaceStrategy,
  nodes: nodeStrategy,
  persistentvolumeclaims: persistentVolumeClaimStrategy,
  persistentvolumes: persistentVolumeStrategy,
  pods: podStrategy,
  podtemplates: podTemplateStrategy,
  replicationcontrollers: replicationControllerStrategy,
  resourcequotas: resourceQuotaStrategy,
  secrets: secretStrategy,
  serviceaccounts: serviceAccountStrategy,
  services: serviceStrategy(allocator),
  'admissionregistration.k8s.io/mutatingadmissionpolicies': mutatingPolicyStrategy,
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': policyBindingStrategy,
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': mutatingWebhookStrategy,
  'admissionregistration.k8s.io/validatingadmissionpolicies': validatingPolicyStrategy,
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': policyBindingStrategy,
  'admissionregistration.k8s.io/validatingwebhookconfigurations': validatingWebhookStrategy,
  'apiextensions.k8s.io/customresourcedefinitions': definitionStrategy,
  'apiregistration.k8s.io/apiservices': apiServiceStrategy,
  'apps/controllerrevisions': controllerRevisionStrategy,
  'apps/daemonsets': daemonSetStrategy,
  'apps/deployments': deploymentStrategy,
  'apps/replicasets': replicaSetStrategy,
  'apps/statefulsets': statefulSetStrategy,
  'autoscaling/horizontalpodautoscalers': horizontalPodAutoscalerStrategy,
  'batch/cronjobs': cronJobStrategy,
  'batch/jobs': jobStrategy,
  'certificates.k8s.io/certificatesigningrequests': certificateSigningRequestStrategy,
  'coordination.k8s.io/leases': leaseStrategy,
  'discovery.k8s.io/endpointslices': endpointSliceStrategy,
  'events.k8s.io/events': eventV1Strategy,
  'flowcontrol.apiserver.k8s.io/flowschemas': flowSchemaStrategy,
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': priorityLevelStrategy,
  'networking.k8s.io/ingressclasses': ingressClassStrategy,
  'networking.k8s.io/ingresses': ingressStrategy,
  'networking.k8s.io/ipaddresses': ipAddressStrategy,
  'networking.k8s.io/networkpolicies': networkPolicyStrategy,
  'networking.k8s.io/servicecidrs': serviceCidrStrategy,
  'node.k8s.io/runtimeclasses': runtimeClassStrategy,
  'policy/poddisruptionbudgets': podDisruptionBudgetStrategy,
  'rbac.authorization.k8s.io/clusterrolebindings': clusterRoleBindingStrategy,
  'rbac.authorization.k8s.io/clusterroles': clusterRoleStrategy,
  'rbac.authorization.k8s.io/rolebindings': roleBindingStrategy,
  'rbac.authorization.k8s.io/roles': roleStrategy,
  'resource.k8s.io/deviceclasses': deviceClassStrategy,
  'resource.k8s.io/resourceclaims': resourceClaimStrategy,
  'resource.k8s.io/resourceclaimtemplates': resourceClaimTemplateStrategy,
  'resource.k8s.io/resourceslices': resourceSliceStrategy,
  'scheduling.k8s.io/priorityclasses': priorityClassStrategy,
  'storage.k8s.io/csidrivers': csiDriverStrategy,
  'storage.k8s.io/csinodes': csiNodeStrategy,
  'storage.k8s.io/csistoragecapacities': csiStorageCapacityStrategy,
  'storage.k8s.io/storageclasses': storageClassStrategy,
  'storage.k8s.io/volumeattachments': volumeAttachmentStrategy,
  'storage.k8s.io/volumeattributesclasses': volumeAttributesClassStrategy,
})
