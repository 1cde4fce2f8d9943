import type { coordination } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { nonNegative, positive } from '../validation/field.ts'

/** Source: k8s.io/kubernetes/pkg/apis/coordination/validation, pkg/registry/coordination/lease/strategy.go */
export const leaseStrategy: Strategy<coordination.Lease> = {
  validate: ({ spec }) => [
    ...positive('spec.leaseDurationSeconds', spec.leaseDurationSeconds),
    ...nonNegative('spec.leaseTransitions', spec.leaseTransitions),
  ],
  generation: false,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
}
