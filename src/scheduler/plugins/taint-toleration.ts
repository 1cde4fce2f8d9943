import type { core } from '../../api/index.ts'
import type { Plugin } from '../framework.ts'
import { normalizeReversed } from './normalize.ts'

const name = 'TaintToleration'

/**
 * Keeps a pod off nodes with a NoSchedule or NoExecute taint that it does not tolerate, and prefers those with few
 * PreferNoSchedule taints. Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
export const taintToleration: Plugin = {
  name,
  events: ['NodeAdd', 'NodeTaint'],
  filter(_state, pod, { node }) {
    const repels = (taint: core.Taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(pod.spec.tolerations, taint)
    if (node!.spec.taints?.some(repels))
      return { plugin: name, reasons: ['node(s) had untolerated taint(s)'], unresolvable: true }
  },
  score(_state, pod, { node }) {
    const dislikes = (taint: core.Taint) =>
      taint.effect === 'PreferNoSchedule' && !tolerates(pod.spec.tolerations, taint)
    return node!.spec.taints?.filter(dislikes).length ?? 0
  },
  normalize: normalizeReversed,
}

export const tolerates = (tolerations: core.Toleration[] | undefined, taint: core.Taint): boolean =>
  tolerations?.some(
    ({ key, operator, value, effect }) =>
      (!effect || effect === taint.effect) &&
      (!key || key === taint.key) &&
      (operator === 'Exists' || ((!operator || operator === 'Equal') && (value ?? '') === (taint.value ?? ''))),
  ) ?? false
