import type { coordination } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { nonNegative, positive } from '../validation/field.ts'

/** Coordinated leader election is behind a gate that upstream leaves closed; what is for it alone is dropped. */
function dropCoordinated({ spec }: coordination.Lease): void {
  delete spec.strategy
  delete spec.preferredHolder
}

/** Source: k8s.io/kubernetes/pkg/apis/coordination/validation, pkg/registry/coordination/lease/strategy.go */
export const leaseStrategy: Strategy<coordination.Lease> = {
  prepareCreate: dropCoordinated,
  prepareUpdate: dropCoordinated,
  validate: ({ spec }) => [
    ...positive('spec.leaseDurationSeconds', spec.leaseDurationSeconds),
    ...nonNegative('spec.leaseTransitions', spec.leaseTransitions),
  ],
  generation: false,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
}
