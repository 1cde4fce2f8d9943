import type { KubeObject, Resource } from '../../api/index.ts'
import {
  apiServiceColumns,
  certificateSigningRequestColumns,
  componentStatusColumns,
  configMapColumns,
  eventColumns,
  leaseColumns,
  namespaceColumns,
  nodeColumns,
  priorityClassColumns,
  resourceQuotaColumns,
  secretColumns,
  serviceAccountColumns,
} from './cluster.ts'
import { defaultColumns } from './columns.ts'
import {
  endpointSliceColumns,
  endpointsColumns,
  ingressClassColumns,
  ingressColumns,
  ipAddressColumns,
  networkPolicyColumns,
  serviceCidrColumns,
  serviceColumns,
} from './network.ts'
import { podColumns, podTemplateColumns } from './pods.ts'
import {
  flowSchemaColumns,
  mutatingPolicyColumns,
  plainColumns,
  policyBindingColumns,
  priorityLevelColumns,
  resourceClaimColumns,
  resourceSliceColumns,
  roleBindingColumns,
  runtimeClassColumns,
  validatingPolicyColumns,
  webhookColumns,
} from './policy.ts'
import {
  csiDriverColumns,
  csiNodeColumns,
  persistentVolumeClaimColumns,
  persistentVolumeColumns,
  storageClassColumns,
  volumeAttachmentColumns,
  volumeAttributesClassColumns,
} from './storage.ts'
import type { Column } from './table.ts'
import {
  controllerRevisionColumns,
  cronJobColumns,
  daemonSetColumns,
  deploymentColumns,
  horizontalPodAutoscalerColumns,
  jobColumns,
  podDisruptionBudgetColumns,
  replicaSetColumns,
  replicationControllerColumns,
  scaleColumns,
  statefulSetColumns,
} from './workloads.ts'

/**
 * What `kubectl get` shows of each kind, by `group/resource`.
 * Source: k8s.io/kubernetes/pkg/printers/internalversion/printers.go
 */
const COLUMNS: Record<string, Column[]> = {
  componentstatuses: componentStatusColumns,
  configmaps: configMapColumns,
  endpoints: endpointsColumns,
  events: eventColumns,
  namespaces: namespaceColumns,
  nodes: nodeColumns,
  persistentvolumeclaims: persistentVolumeClaimColumns,
  persistentvolumes: persistentVolumeColumns,
  pods: podColumns,
  podtemplates: podTemplateColumns,
  replicationcontrollers: replicationControllerColumns,
  resourcequotas: resourceQuotaColumns,
  secrets: secretColumns,
  serviceaccounts: serviceAccountColumns,
  services: serviceColumns,
  'admissionregistration.k8s.io/mutatingadmissionpolicies': mutatingPolicyColumns,
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': policyBindingColumns,
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': webhookColumns,
  'admissionregistration.k8s.io/validatingadmissionpolicies': validatingPolicyColumns,
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': policyBindingColumns,
  'admissionregistration.k8s.io/validatingwebhookconfigurations': webhookColumns,
  'apiregistration.k8s.io/apiservices': apiServiceColumns,
  'apps/controllerrevisions': controllerRevisionColumns,
  'apps/daemonsets': daemonSetColumns,
  'apps/deployments': deploymentColumns,
  'apps/replicasets': replicaSetColumns,
  'apps/statefulsets': statefulSetColumns,
  'autoscaling/horizontalpodautoscalers': horizontalPodAutoscalerColumns,
  'autoscaling/scales': scaleColumns,
  'batch/cronjobs': cronJobColumns,
  'batch/jobs': jobColumns,
  'certificates.k8s.io/certificatesigningrequests': certificateSigningRequestColumns,
  'coordination.k8s.io/leases': leaseColumns,
  'discovery.k8s.io/endpointslices': endpointSliceColumns,
  'events.k8s.io/events': eventColumns,
  'flowcontrol.apiserver.k8s.io/flowschemas': flowSchemaColumns,
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': priorityLevelColumns,
  'networking.k8s.io/ingressclasses': ingressClassColumns,
  'networking.k8s.io/ingresses': ingressColumns,
  'networking.k8s.io/ipaddresses': ipAddressColumns,
  'networking.k8s.io/networkpolicies': networkPolicyColumns,
  'networking.k8s.io/servicecidrs': serviceCidrColumns,
  'node.k8s.io/runtimeclasses': runtimeClassColumns,
  'policy/poddisruptionbudgets': podDisruptionBudgetColumns,
  'rbac.authorization.k8s.io/clusterrolebindings': roleBindingColumns,
  'rbac.authorization.k8s.io/rolebindings': roleBindingColumns,
  'resource.k8s.io/deviceclasses': plainColumns,
  'resource.k8s.io/resourceclaims': resourceClaimColumns,
  'resource.k8s.io/resourceclaimtemplates': plainColumns,
  'resource.k8s.io/resourceslices': resourceSliceColumns,
  'scheduling.k8s.io/priorityclasses': priorityClassColumns,
  'storage.k8s.io/csidrivers': csiDriverColumns,
  'storage.k8s.io/csinodes': csiNodeColumns,
  'storage.k8s.io/storageclasses': storageClassColumns,
  'storage.k8s.io/volumeattachments': volumeAttachmentColumns,
  'storage.k8s.io/volumeattributesclasses': volumeAttributesClassColumns,
}

/** The columns of a resource; its name and the time of its creation when it has none of its own. */
export const columnsFor = <T extends KubeObject>({ group, resource }: Resource<T>): Column[] =>
  COLUMNS[group ? `${group}/${resource}` : resource] ?? defaultColumns

export { humanDuration } from './duration.ts'
export type { Cell, Column } from './table.ts'
