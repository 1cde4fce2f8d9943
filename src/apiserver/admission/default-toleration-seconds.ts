import { type core, resources } from '../../api/index.ts'
import { type AdmissionPlugin, isOf } from './admission.ts'

/** How long, in seconds, a pod stays on a node that is not ready, and on one that is not reached. */
export interface TolerationSeconds {
  notReady: number
  unreachable: number
}

export const TOLERATION_SECONDS: TolerationSeconds = { notReady: 300, unreachable: 300 }

/** A pod stays for five minutes on a node that is lost. Source: k8s.io/kubernetes/plugin/pkg/admission/defaulttolerationseconds */
export const defaultTolerationSeconds = ({ notReady, unreachable }: TolerationSeconds): AdmissionPlugin => ({
  name: 'DefaultTolerationSeconds',
  mutate(attributes) {
    const { operation, object } = attributes
    if ((operation !== 'CREATE' && operation !== 'UPDATE') || !isOf(attributes, resources.pods)) return
    const { spec } = object as core.Pod
    for (const [key, tolerationSeconds] of [
      ['node.kubernetes.io/not-ready', notReady],
      ['node.kubernetes.io/unreachable', unreachable],
    ] as const) {
      const tolerated = spec.tolerations?.some(
        toleration =>
          (toleration.key === key || !toleration.key) && (toleration.effect === 'NoExecute' || !toleration.effect),
      )
      if (tolerated) continue
      const own = { key, operator: 'Exists' as const, effect: 'NoExecute' as const, tolerationSeconds }
      spec.tolerations = [...(spec.tolerations ?? []), own]
    }
  },
})
