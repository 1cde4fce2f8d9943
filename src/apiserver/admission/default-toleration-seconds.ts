import type { core } from '../../api/index.ts'
import type { AdmissionPlugin } from './admission.ts'

const SECONDS = 300
const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

/** A pod stays for five minutes on a node that is lost. Source: k8s.io/kubernetes/plugin/pkg/admission/defaulttolerationseconds */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  mutate({ operation, resource, subresource, object }) {
    if (operation !== 'CREATE' || resource.resource !== 'pods' || subresource) return
    const { spec } = object as core.Pod
    for (const key of TAINTS) {
      const tolerated = spec.tolerations?.some(
        toleration =>
          (toleration.key === key || !toleration.key) && (toleration.effect === 'NoExecute' || !toleration.effect),
      )
      if (tolerated) continue
      const own = { key, operator: 'Exists' as const, effect: 'NoExecute' as const, tolerationSeconds: SECONDS }
      spec.tolerations = [...(spec.tolerations ?? []), own]
    }
  },
}
