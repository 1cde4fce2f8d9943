import type { policy } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { invalid, optionalOneOf } from '../validation/field.ts'
import { validateAmount, validateAtMostAll } from '../validation/int-or-percent.ts'
import { validateLabelSelector } from '../validation/selectors.ts'

const EVICTION_POLICIES = ['AlwaysAllow', 'IfHealthyBudget']

/** Source: k8s.io/kubernetes/pkg/apis/policy/validation ValidatePodDisruptionBudget */
export const podDisruptionBudgetStrategy: Strategy<policy.PodDisruptionBudget> = {
  validate({ spec }) {
    const { minAvailable, maxUnavailable } = spec
    const both = minAvailable !== undefined && maxUnavailable !== undefined
    return [
      ...(both ? [invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set')] : []),
      ...validateAmount(minAvailable, 'spec.minAvailable'),
      ...validateAtMostAll(minAvailable, 'spec.minAvailable'),
      ...validateAmount(maxUnavailable, 'spec.maxUnavailable'),
      ...validateAtMostAll(maxUnavailable, 'spec.maxUnavailable'),
      ...validateLabelSelector(spec.selector, 'spec.selector'),
      ...optionalOneOf('spec.unhealthyPodEvictionPolicy', spec.unhealthyPodEvictionPolicy, EVICTION_POLICIES),
    ]
  },
  allowUnconditionalUpdate: false,
}
