/** Labels of Kubernetes' own that a kubelet may set on its Node. Source: k8s.io/kubelet/pkg/apis well_known_labels.go */
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
])
const KUBELET_DOMAINS = ['kubelet.kubernetes.io', 'node.kubernetes.io']
const OWN_DOMAINS = ['kubernetes.io', 'k8s.io']
const RESTRICTED_DOMAINS = ['node-restriction.kubernetes.io']

type Labels = Record<string, string> | undefined

/** Which of the labels that differ are not the kubelet's to change, sorted. */
export function forbiddenLabels(labels: Labels = {}, old: Labels = {}): string[] {
  const keys = new Set([...Object.keys(labels), ...Object.keys(old)])
  return [...keys].filter(key => labels[key] !== old[key] && isForbidden(key)).sort()
}

function isForbidden(key: string): boolean {
  if (isOf(key, RESTRICTED_DOMAINS)) return true
  return isOf(key, OWN_DOMAINS) && !KUBELET_LABELS.has(key) && !isOf(key, KUBELET_DOMAINS)
}

function isOf(key: string, domains: string[]): boolean {
  const slash = key.indexOf('/')
  const domain = slash === -1 ? '' : key.slice(0, slash)
  return domains.some(each => domain === each || domain.endsWith(`.${each}`))
}
