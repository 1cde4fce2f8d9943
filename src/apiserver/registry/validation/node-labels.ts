import type { meta } from '../../../api/index.ts'
import { own } from './field.ts'

/** Source: k8s.io/kubernetes/pkg/api/node/util.go */

const since = (version: string, instead: string) => `deprecated since ${version}; use ${instead} instead`

const OLD_LABELS: Record<string, string> = {
  'beta.kubernetes.io/arch': since('v1.14', '"kubernetes.io/arch"'),
  'beta.kubernetes.io/os': since('v1.14', '"kubernetes.io/os"'),
  'failure-domain.beta.kubernetes.io/region': since('v1.17', '"topology.kubernetes.io/region"'),
  'failure-domain.beta.kubernetes.io/zone': since('v1.17', '"topology.kubernetes.io/zone"'),
  'beta.kubernetes.io/instance-type': since('v1.17', '"node.kubernetes.io/instance-type"'),
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': since('v1.22', 'Taints and Tolerations'),
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
}

/** What is to be said of a label that nodes once had; undefined for any other. */
export const oldLabel = (key: string): string | undefined => own(OLD_LABELS, key)

/** Of a label selector that chooses nodes. */
export function nodeSelectorWarnings(selector: meta.LabelSelector | undefined, path: string): string[] {
  const expressions = (selector?.matchExpressions ?? []).flatMap(({ key }, index) => {
    const text = oldLabel(key)
    return text ? [`${path}.matchExpressions[${index}].key: ${key} is ${text}`] : []
  })
  const labels = Object.keys(selector?.matchLabels ?? {}).flatMap(key => {
    const text = oldLabel(key)
    return text ? [`${path}.matchLabels.${key}: ${text}`] : []
  })
  return [...expressions, ...labels]
}
