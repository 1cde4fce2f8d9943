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
import {
  mutatingPolicyStrategy,
  mutatingWebhookStrategy,
  policyBindingStrategy,
  validatingPolicyStrategy,
  validatingWebhookStrategy,
} from './admissionregistration.ts'
import { controllerRevisionStrategy } from './apps/controllerrevisions.ts'
import { daemonSetStrategy } from './apps/daemonsets.ts'
import { deploymentStrategy } from './apps/deployments.ts'
import { replicaSetStrategy } from './apps/replicasets.ts'
import { statefulSetStrategy } from './apps/statefulsets.ts'
import { horizontalPodAutoscalerStrategy } from './autoscaling.ts'
import { cronJobStrategy } from './batch/cronjobs.ts'
import { jobStrategy } from './batch/jobs.ts'
import { certificateSigningRequestStrategy } from './certificates.ts'
import { leaseStrategy } from './coordination.ts'
import { configMapStrategy } from './core/configmaps.ts'
import { endpointsStrategy } from './core/endpoints.ts'
import { eventStrategy, eventV1Strategy } from './core/events.ts'
import { namespaceStrategy } from './core/namespaces.ts'
import { nodeStrategy } from './core/nodes.ts'
import { podStrategy, podTemplateStrategy } from './core/pods.ts'
import { limitRangeStrategy, resourceQuotaStrategy } from './core/quotas.ts'
import { replicationControllerStrategy } from './core/replicationcontrollers.ts'
import { secretStrategy } from './core/secrets.ts'
import { ServiceAllocator } from './core/service-allocator.ts'
import { serviceStrategy } from './core/services.ts'
import { persistentVolumeClaimStrategy, persistentVolumeStrategy } from './core/volumes.ts'
import { endpointSliceStrategy } from './discovery.ts'
import { apiServiceStrategy, customResourceDefinitionStrategy } from './extensions.ts'
import { flowSchemaStrategy, priorityLevelStrategy } from './flowcontrol.ts'
import {
  ingressClassStrategy,
  ingressStrategy,
  ipAddressStrategy,
  networkPolicyStrategy,
  serviceCidrStrategy,
} from './networking.ts'
import { podDisruptionBudgetStrategy } from './policy.ts'
import { clusterRoleBindingStrategy, clusterRoleStrategy, roleBindingStrategy, roleStrategy } from './rbac.ts'
import { resourceClaimStrategy, resourceClaimTemplateStrategy, resourceSliceStrategy } from './resource.ts'
import { priorityClassStrategy, runtimeClassStrategy } from './scheduling.ts'
import {
  csiDriverStrategy,
  csiNodeStrategy,
  csiStorageCapacityStrategy,
  storageClassStrategy,
  volumeAttachmentStrategy,
  volumeAttributesClassStrategy,
} from './storage.ts'
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

/** A kind that is not here does nothing beyond what every kind does: ServiceAccounts, for one. */
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
  services: serviceStrategy(allocator),
  'admissionregistration.k8s.io/mutatingadmissionpolicies': mutatingPolicyStrategy,
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': policyBindingStrategy,
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': mutatingWebhookStrategy,
  'admissionregistration.k8s.io/validatingadmissionpolicies': validatingPolicyStrategy,
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': policyBindingStrategy,
  'admissionregistration.k8s.io/validatingwebhookconfigurations': validatingWebhookStrategy,
  'apiextensions.k8s.io/customresourcedefinitions': customResourceDefinitionStrategy,
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
