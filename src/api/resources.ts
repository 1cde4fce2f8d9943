import type { Resource, Subresource } from './resource.ts'
import type {
  admissionregistration,
  apiextensions,
  apiregistration,
  apps,
  authentication,
  authorization,
  autoscaling,
  autoscalingV1 as autoscalingV1Types,
  batch,
  certificates,
  coordination,
  core,
  discovery,
  events as eventsTypes,
  flowcontrol,
  networking,
  node,
  policy,
  rbac,
  resource,
  scheduling,
  storage,
} from './types/index.ts'

/**
 * Every resource of the stable groups of Kubernetes 1.36, as its discovery shows them.
 * A handle is named after the plural of its kind.
 */

interface Traits {
  namespaced?: boolean
  shortNames?: string[]
  categories?: string[]
  /** Default: all that an object in the store has. */
  verbs?: string[]
  subresources?: Subresource[]
}

/** All resources, in the order of their groups. */
export const allResources: Resource[] = []

const STORED = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const CHANGED = ['get', 'patch', 'update']
const PROXIED = ['create', 'delete', 'get', 'patch', 'update']

const namespaced = true
const all = ['all']
const apiExtensions = ['api-extensions']
/** Nothing of it is kept: it is a question that the answer answers. */
const createOnly = ['create']

/** A subresource that exchanges the parent itself; `group` declares what stands here with the parent's kind. */
const own = (name: string, verbs = CHANGED): Subresource => ({ name, verbs, kind: '' })
const status = own('status')
const scale: Subresource = { name: 'scale', verbs: CHANGED, group: 'autoscaling', version: 'v1', kind: 'Scale' }

/** What declares the resources of one group version. */
const group =
  (name: string, version: string) =>
  <T>(kind: string, plural: string, traits: Traits = {}): Resource<T> => {
    const declared: Resource<T> = {
      group: name,
      version,
      resource: plural,
      singular: kind.toLowerCase(),
      kind,
      namespaced: traits.namespaced ?? false,
      shortNames: traits.shortNames ?? [],
      categories: traits.categories ?? [],
      verbs: traits.verbs ?? STORED,
      subresources: (traits.subresources ?? []).map(sub => (sub.kind ? sub : { ...sub, kind })),
      type: `${name.split('.')[0] || 'core'}/${version}.${kind}`,
    }
    allResources.push(declared as Resource)
    return declared
  }

const v1 = group('', 'v1')
export const bindings = v1<core.Binding>('Binding', 'bindings', { namespaced, verbs: createOnly })
export const componentStatuses = v1<core.ComponentStatus>('ComponentStatus', 'componentstatuses', {
  shortNames: ['cs'],
  verbs: ['get', 'list'],
})
export const configMaps = v1<core.ConfigMap>('ConfigMap', 'configmaps', { namespaced, shortNames: ['cm'] })
export const endpoints = v1<core.Endpoints>('Endpoints', 'endpoints', { namespaced, shortNames: ['ep'] })
export const events = v1<core.Event>('Event', 'events', { namespaced, shortNames: ['ev'] })
export const limitRanges = v1<core.LimitRange>('LimitRange', 'limitranges', { namespaced, shortNames: ['limits'] })
export const namespaces = v1<core.Namespace>('Namespace', 'namespaces', {
  shortNames: ['ns'],
  verbs: STORED.filter(verb => verb !== 'deletecollection'),
  subresources: [own('finalize', ['update']), status],
})
export const nodes = v1<core.Node>('Node', 'nodes', {
  shortNames: ['no'],
  subresources: [{ name: 'proxy', verbs: PROXIED, kind: 'NodeProxyOptions' }, status],
})
export const persistentVolumeClaims = v1<core.PersistentVolumeClaim>(
  'PersistentVolumeClaim',
  'persistentvolumeclaims',
  { namespaced, shortNames: ['pvc'], subresources: [status] },
)
export const persistentVolumes = v1<core.PersistentVolume>('PersistentVolume', 'persistentvolumes', {
  shortNames: ['pv'],
  subresources: [status],
})
export const pods = v1<core.Pod>('Pod', 'pods', {
  namespaced,
  shortNames: ['po'],
  categories: all,
  subresources: [
    { name: 'attach', verbs: ['create', 'get'], kind: 'PodAttachOptions' },
    { name: 'binding', verbs: createOnly, kind: 'Binding' },
    own('ephemeralcontainers'),
    { name: 'eviction', verbs: createOnly, group: 'policy', version: 'v1', kind: 'Eviction' },
    { name: 'exec', verbs: ['create', 'get'], kind: 'PodExecOptions' },
    own('log', ['get']),
    { name: 'portforward', verbs: ['create', 'get'], kind: 'PodPortForwardOptions' },
    { name: 'proxy', verbs: PROXIED, kind: 'PodProxyOptions' },
    own('resize'),
    status,
  ],
})
export const podTemplates = v1<core.PodTemplate>('PodTemplate', 'podtemplates', { namespaced })
export const replicationControllers = v1<core.ReplicationController>(
  'ReplicationController',
  'replicationcontrollers',
  { namespaced, shortNames: ['rc'], categories: all, subresources: [scale, status] },
)
export const resourceQuotas = v1<core.ResourceQuota>('ResourceQuota', 'resourcequotas', {
  namespaced,
  shortNames: ['quota'],
  subresources: [status],
})
export const secrets = v1<core.Secret>('Secret', 'secrets', { namespaced })
export const serviceAccounts = v1<core.ServiceAccount>('ServiceAccount', 'serviceaccounts', {
  namespaced,
  shortNames: ['sa'],
  subresources: [
    { name: 'token', verbs: createOnly, group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
  ],
})
export const services = v1<core.Service>('Service', 'services', {
  namespaced,
  shortNames: ['svc'],
  categories: all,
  subresources: [{ name: 'proxy', verbs: PROXIED, kind: 'ServiceProxyOptions' }, status],
})

const admissionregistrationV1 = group('admissionregistration.k8s.io', 'v1')
export const mutatingAdmissionPolicies = admissionregistrationV1<admissionregistration.MutatingAdmissionPolicy>(
  'MutatingAdmissionPolicy',
  'mutatingadmissionpolicies',
  { categories: apiExtensions },
)
export const mutatingAdmissionPolicyBindings =
  admissionregistrationV1<admissionregistration.MutatingAdmissionPolicyBinding>(
    'MutatingAdmissionPolicyBinding',
    'mutatingadmissionpolicybindings',
    { categories: apiExtensions },
  )
export const mutatingWebhookConfigurations =
  admissionregistrationV1<admissionregistration.MutatingWebhookConfiguration>(
    'MutatingWebhookConfiguration',
    'mutatingwebhookconfigurations',
    { categories: apiExtensions },
  )
export const validatingAdmissionPolicies = admissionregistrationV1<admissionregistration.ValidatingAdmissionPolicy>(
  'ValidatingAdmissionPolicy',
  'validatingadmissionpolicies',
  { categories: apiExtensions, subresources: [status] },
)
export const validatingAdmissionPolicyBindings =
  admissionregistrationV1<admissionregistration.ValidatingAdmissionPolicyBinding>(
    'ValidatingAdmissionPolicyBinding',
    'validatingadmissionpolicybindings',
    { categories: apiExtensions },
  )
export const validatingWebhookConfigurations =
  admissionregistrationV1<admissionregistration.ValidatingWebhookConfiguration>(
    'ValidatingWebhookConfiguration',
    'validatingwebhookconfigurations',
    { categories: apiExtensions },
  )

export const customResourceDefinitions = group('apiextensions.k8s.io', 'v1')<apiextensions.CustomResourceDefinition>(
  'CustomResourceDefinition',
  'customresourcedefinitions',
  {
    shortNames: ['crd', 'crds'],
    categories: apiExtensions,
    subresources: [status],
  },
)

export const apiServices = group('apiregistration.k8s.io', 'v1')<apiregistration.APIService>(
  'APIService',
  'apiservices',
  { categories: apiExtensions, subresources: [status] },
)

const appsV1 = group('apps', 'v1')
export const controllerRevisions = appsV1<apps.ControllerRevision>('ControllerRevision', 'controllerrevisions', {
  namespaced,
})
export const daemonSets = appsV1<apps.DaemonSet>('DaemonSet', 'daemonsets', {
  namespaced,
  shortNames: ['ds'],
  categories: all,
  subresources: [status],
})
export const deployments = appsV1<apps.Deployment>('Deployment', 'deployments', {
  namespaced,
  shortNames: ['deploy'],
  categories: all,
  subresources: [scale, status],
})
export const replicaSets = appsV1<apps.ReplicaSet>('ReplicaSet', 'replicasets', {
  namespaced,
  shortNames: ['rs'],
  categories: all,
  subresources: [scale, status],
})
export const statefulSets = appsV1<apps.StatefulSet>('StatefulSet', 'statefulsets', {
  namespaced,
  shortNames: ['sts'],
  categories: all,
  subresources: [scale, status],
})

const authenticationV1 = group('authentication.k8s.io', 'v1')
export const selfSubjectReviews = authenticationV1<authentication.SelfSubjectReview>(
  'SelfSubjectReview',
  'selfsubjectreviews',
  { verbs: createOnly },
)
export const tokenReviews = authenticationV1<authentication.TokenReview>('TokenReview', 'tokenreviews', {
  verbs: createOnly,
})

const authorizationV1 = group('authorization.k8s.io', 'v1')
export const localSubjectAccessReviews = authorizationV1<authorization.LocalSubjectAccessReview>(
  'LocalSubjectAccessReview',
  'localsubjectaccessreviews',
  { namespaced, verbs: createOnly },
)
export const selfSubjectAccessReviews = authorizationV1<authorization.SelfSubjectAccessReview>(
  'SelfSubjectAccessReview',
  'selfsubjectaccessreviews',
  { verbs: createOnly },
)
export const selfSubjectRulesReviews = authorizationV1<authorization.SelfSubjectRulesReview>(
  'SelfSubjectRulesReview',
  'selfsubjectrulesreviews',
  { verbs: createOnly },
)
export const subjectAccessReviews = authorizationV1<authorization.SubjectAccessReview>(
  'SubjectAccessReview',
  'subjectaccessreviews',
  { verbs: createOnly },
)

const horizontalPodAutoscaler: Traits = {
  namespaced,
  shortNames: ['hpa'],
  categories: all,
  subresources: [status],
}
export const horizontalPodAutoscalers = group('autoscaling', 'v2')<autoscaling.HorizontalPodAutoscaler>(
  'HorizontalPodAutoscaler',
  'horizontalpodautoscalers',
  horizontalPodAutoscaler,
)
export const horizontalPodAutoscalersV1 = group('autoscaling', 'v1')<autoscalingV1Types.HorizontalPodAutoscaler>(
  'HorizontalPodAutoscaler',
  'horizontalpodautoscalers',
  horizontalPodAutoscaler,
)

const batchV1 = group('batch', 'v1')
export const cronJobs = batchV1<batch.CronJob>('CronJob', 'cronjobs', {
  namespaced,
  shortNames: ['cj'],
  categories: all,
  subresources: [status],
})
export const jobs = batchV1<batch.Job>('Job', 'jobs', { namespaced, categories: all, subresources: [status] })

export const certificateSigningRequests = group('certificates.k8s.io', 'v1')<certificates.CertificateSigningRequest>(
  'CertificateSigningRequest',
  'certificatesigningrequests',
  {
    shortNames: ['csr'],
    subresources: [own('approval'), status],
  },
)

export const leases = group('coordination.k8s.io', 'v1')<coordination.Lease>('Lease', 'leases', { namespaced })

export const endpointSlices = group('discovery.k8s.io', 'v1')<discovery.EndpointSlice>(
  'EndpointSlice',
  'endpointslices',
  { namespaced },
)

export const eventsV1 = group('events.k8s.io', 'v1')<eventsTypes.Event>('Event', 'events', {
  namespaced,
  shortNames: ['ev'],
})

const flowcontrolV1 = group('flowcontrol.apiserver.k8s.io', 'v1')
export const flowSchemas = flowcontrolV1<flowcontrol.FlowSchema>('FlowSchema', 'flowschemas', {
  subresources: [status],
})
export const priorityLevelConfigurations = flowcontrolV1<flowcontrol.PriorityLevelConfiguration>(
  'PriorityLevelConfiguration',
  'prioritylevelconfigurations',
  { subresources: [status] },
)

const networkingV1 = group('networking.k8s.io', 'v1')
export const ingressClasses = networkingV1<networking.IngressClass>('IngressClass', 'ingressclasses')
export const ingresses = networkingV1<networking.Ingress>('Ingress', 'ingresses', {
  namespaced,
  shortNames: ['ing'],
  subresources: [status],
})
export const ipAddresses = networkingV1<networking.IPAddress>('IPAddress', 'ipaddresses', { shortNames: ['ip'] })
export const networkPolicies = networkingV1<networking.NetworkPolicy>('NetworkPolicy', 'networkpolicies', {
  namespaced,
  shortNames: ['netpol'],
})
export const serviceCIDRs = networkingV1<networking.ServiceCIDR>('ServiceCIDR', 'servicecidrs', {
  subresources: [status],
})

export const runtimeClasses = group('node.k8s.io', 'v1')<node.RuntimeClass>('RuntimeClass', 'runtimeclasses')

export const podDisruptionBudgets = group('policy', 'v1')<policy.PodDisruptionBudget>(
  'PodDisruptionBudget',
  'poddisruptionbudgets',
  { namespaced, shortNames: ['pdb'], subresources: [status] },
)

const rbacV1 = group('rbac.authorization.k8s.io', 'v1')
export const clusterRoleBindings = rbacV1<rbac.ClusterRoleBinding>('ClusterRoleBinding', 'clusterrolebindings')
export const clusterRoles = rbacV1<rbac.ClusterRole>('ClusterRole', 'clusterroles')
export const roleBindings = rbacV1<rbac.RoleBinding>('RoleBinding', 'rolebindings', { namespaced })
export const roles = rbacV1<rbac.Role>('Role', 'roles', { namespaced })

const resourceV1 = group('resource.k8s.io', 'v1')
export const deviceClasses = resourceV1<resource.DeviceClass>('DeviceClass', 'deviceclasses')
export const resourceClaims = resourceV1<resource.ResourceClaim>('ResourceClaim', 'resourceclaims', {
  namespaced,
  subresources: [status],
})
export const resourceClaimTemplates = resourceV1<resource.ResourceClaimTemplate>(
  'ResourceClaimTemplate',
  'resourceclaimtemplates',
  { namespaced },
)
export const resourceSlices = resourceV1<resource.ResourceSlice>('ResourceSlice', 'resourceslices')

export const priorityClasses = group('scheduling.k8s.io', 'v1')<scheduling.PriorityClass>(
  'PriorityClass',
  'priorityclasses',
  { shortNames: ['pc'] },
)

const storageV1 = group('storage.k8s.io', 'v1')
export const csiDrivers = storageV1<storage.CSIDriver>('CSIDriver', 'csidrivers')
export const csiNodes = storageV1<storage.CSINode>('CSINode', 'csinodes')
export const csiStorageCapacities = storageV1<storage.CSIStorageCapacity>(
  'CSIStorageCapacity',
  'csistoragecapacities',
  { namespaced },
)
export const storageClasses = storageV1<storage.StorageClass>('StorageClass', 'storageclasses', { shortNames: ['sc'] })
export const volumeAttachments = storageV1<storage.VolumeAttachment>('VolumeAttachment', 'volumeattachments', {
  subresources: [status],
})
export const volumeAttributesClasses = storageV1<storage.VolumeAttributesClass>(
  'VolumeAttributesClass',
  'volumeattributesclasses',
  { shortNames: ['vac'] },
)

const byPath = new Map(allResources.map(each => [`${each.group}/${each.version}/${each.resource}`, each]))

/** The built-in resource at `/apis/GROUP/VERSION/.../PLURAL`; the core group is ''. */
export const findResource = (group: string, version: string, plural: string): Resource | undefined =>
  byPath.get(`${group}/${version}/${plural}`)
