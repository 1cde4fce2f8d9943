/** Admission plugins of kube-apiserver 1.36. Source: k8s.io/kubernetes/pkg/kubeapiserver/options/plugins.go */
const PLUGINS = `
  AlwaysAdmit AlwaysDeny AlwaysPullImages CertificateApproval CertificateSigning CertificateSubjectRestriction
  ClusterTrustBundleAttest DefaultIngressClass DefaultStorageClass DefaultTolerationSeconds DenyServiceExternalIPs
  EventRateLimit ExtendedResourceToleration ImagePolicyWebhook JobValidation LimitPodHardAntiAffinityTopology LimitRanger
  MutatingAdmissionPolicy MutatingAdmissionWebhook NamespaceAutoProvision NamespaceExists NamespaceLifecycle
  NodeDeclaredFeatureValidator NodeRestriction OwnerReferencesPermissionEnforcement PersistentVolumeClaimResize
  PodGroupProtection PodGroupWorkloadExists PodNodeSelector PodResizeValidator PodSecurity PodTolerationRestriction
  PodTopologyLabels Priority ResourceQuota RuntimeClass ServiceAccount StorageObjectInUseProtection TaintNodesByCondition
  ValidatingAdmissionPolicy ValidatingAdmissionWebhook
`
  .trim()
  .split(/\s+/)

interface PluginFlags {
  enableAdmissionPlugins?: string[]
  disableAdmissionPlugins?: string[]
}

/** Source: k8s.io/apiserver/pkg/server/options admission.go Validate */
export function pluginProblems({ enableAdmissionPlugins: on = [], disableAdmissionPlugins: off = [] }: PluginFlags) {
  const both = on.filter(name => off.includes(name))
  return [
    ...(both.length
      ? [`[${both.sort().join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`]
      : []),
    ...on.filter(isUnknown).map(name => `enable-admission-plugins plugin ${JSON.stringify(name)} is unknown`),
    ...off.filter(isUnknown).map(name => `disable-admission-plugins plugin ${JSON.stringify(name)} is unknown`),
  ]
}

const isUnknown = (name: string) => !PLUGINS.includes(name)
