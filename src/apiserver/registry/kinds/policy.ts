import type { policy } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { invalid, notSupported } from '../validation/field.ts'
import { validateAmount, validateAtMostAll } from '../validation/int-or-percent.ts'
import { validateLabelSelector } from '../validation/selectors.ts'

const EVICTION_POLICIES = ['AlwaysAllow', 'IfHealthyBudget']

/** Source: k8s.io/kubernetes/pkg/apis/policy/validation ValidatePodDisruptionBudget */
export const podDisruptionBudgetStrategy: Strategy<policy.PodDisruptionBudget> = {
  validate({ spec }) {
    const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec
    const both = minAvailable !== undefined && maxUnavailable !== undefined
    return [
      ...(both ? [invalid('spec', shown(spec), 'minAvailable and maxUnavailable cannot be both set')] : []),
      ...validateAmount(minAvailable, 'spec.minAvailable'),
      ...validateAtMostAll(minAvailable, 'spec.minAvailable'),
      ...validateAmount(maxUnavailable, 'spec.maxUnavailable'),
      ...validateAtMostAll(maxUnavailable, 'spec.maxUnavailable'),
      ...validateLabelSelector(spec.selector, 'spec.selector'),
      ...(policy === undefined || EVICTION_POLICIES.includes(policy)
        ? []
        : [notSupported('spec.unhealthyPodEvictionPolicy', policy, EVICTION_POLICIES)]),
    ]
  },
  allowUnconditionalUpdate: false,
}

/** As upstream's own struct names its fields. */
const shown = (spec: policy.PodDisruptionBudgetSpec) => ({
  MinAvailable: spec.minAvailable ?? null,
  Selector: spec.selector ?? null,
  MaxUnavailable: spec.maxUnavailable ?? null,
  UnhealthyPodEvictionPolicy: spec.unhealthyPodEvictionPolicy ?? null,
})
