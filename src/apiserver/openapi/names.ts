/** Where upstream's Go packages are, when not at k8s.io/api/GROUP. */
const PACKAGES: Record<string, string> = {
  meta: 'io.k8s.apimachinery.pkg.apis.meta',
  apiextensions: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions',
  apiregistration: 'io.k8s.kube-aggregator.pkg.apis.apiregistration',
}

/** Types that belong to no version of the API. */
const UNVERSIONED: Record<string, string> = {
  'resource.Quantity': 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  'intstr.IntOrString': 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  'runtime.RawExtension': 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  'runtime.Object': 'io.k8s.apimachinery.pkg.runtime.RawExtension',
}

/** `apps/v1.Deployment` to `io.k8s.api.apps.v1.Deployment` */
export function schemaName(type: string): string {
  const unversioned = UNVERSIONED[type]
  if (unversioned) return unversioned
  const [group = '', rest = ''] = type.split('/')
  // Of a custom resource, in whose definition the group is a domain.
  if (group.includes('.')) return `${group.split('.').reverse().join('.')}.${rest}`
  return `${PACKAGES[group] ?? `io.k8s.api.${group}`}.${rest}`
}
