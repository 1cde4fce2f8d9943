/**
 * The admission plugins of kube-apiserver 1.36, in the order in which they run; `true`: unless told otherwise.
 * Source: k8s.io/kubernetes/pkg/kubeapiserver/options/plugins.go AllOrderedPlugins
 */
const PLUGINS: Record<string, boolean> = {
  AlwaysAdmit: false,
  NamespaceAutoProvision: false,
  NamespaceLifecycle: true,
  NamespaceExists: false,
  LimitPodHardAntiAffinityTopology: false,
  LimitRanger: true,
  ServiceAccount: true,
  NodeRestriction: false,
  TaintNodesByCondition: true,
  AlwaysPullImages: false,
  ImagePolicyWebhook: false,
  PodSecurity: true,
  PodNodeSelector: false,
  Priority: true,
  DefaultTolerationSeconds: true,
  PodTolerationRestriction: false,
  EventRateLimit: false,
  ExtendedResourceToleration: false,
  DefaultStorageClass: true,
  StorageObjectInUseProtection: true,
  PodGroupProtection: true,
  OwnerReferencesPermissionEnforcement: false,
  PersistentVolumeClaimResize: true,
  RuntimeClass: true,
  CertificateApproval: true,
  CertificateSigning: true,
  ClusterTrustBundleAttest: true,
  CertificateSubjectRestriction: true,
  DefaultIngressClass: true,
  DenyServiceExternalIPs: false,
  PodTopologyLabels: true,
  PodGroupWorkloadExists: true,
  NodeDeclaredFeatureValidator: true,
  JobValidation: true,
  PodResizeValidator: true,
  MutatingAdmissionPolicy: true,
  MutatingAdmissionWebhook: true,
  ValidatingAdmissionPolicy: true,
  ValidatingAdmissionWebhook: true,
  ResourceQuota: true,
  AlwaysDeny: false,
}

const NAMES = Object.keys(PLUGINS)

export const isAdmissionPlugin = (name: string): boolean => Object.hasOwn(PLUGINS, name)

/** Those that run, in their order. */
export const runningPlugins = (enabled: string[], disabled: string[]): string[] =>
  NAMES.filter(name => !disabled.includes(name) && (PLUGINS[name] || enabled.includes(name)))
