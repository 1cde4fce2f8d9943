import type { flowcontrol } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { each, forbidden, invalid, notSupported, required } from '../validation/field.ts'

/** Source: k8s.io/kubernetes/pkg/apis/flowcontrol/v1/defaults.go, pkg/apis/flowcontrol/validation */

const LOWEST_PRECEDENCE = 10_000

export const flowSchemaStrategy: Strategy<flowcontrol.FlowSchema> = {
  defaults({ spec }) {
    spec.matchingPrecedence ||= 1000
  },
  validate({ spec }) {
    const { matchingPrecedence: precedence, distinguisherMethod: method } = spec
    const problems =
      precedence < 1 || precedence > LOWEST_PRECEDENCE
        ? [
            invalid(
              'spec.matchingPrecedence',
              precedence,
              `must be a value between 1 and ${LOWEST_PRECEDENCE} (inclusive)`,
            ),
          ]
        : []
    if (method && method.type !== 'ByUser' && method.type !== 'ByNamespace') {
      problems.push(notSupported('spec.distinguisherMethod', { type: method.type }, ['ByNamespace', 'ByUser']))
    }
    if (!spec.priorityLevelConfiguration?.name) {
      problems.push(required('spec.priorityLevelConfiguration.name', 'must reference a priority level'))
    }
    return [
      ...problems,
      ...each(spec.rules, 'spec.rules', ({ subjects }, path) =>
        subjects?.length ? [] : [required(`${path}.subjects`, 'subjects must contain at least one value')],
      ),
    ]
  },
}

export const priorityLevelStrategy: Strategy<flowcontrol.PriorityLevelConfiguration> = {
  defaults({ spec }) {
    if (spec.exempt) {
      spec.exempt.nominalConcurrencyShares ??= 0
      spec.exempt.lendablePercent ??= 0
    }
    const { limited } = spec
    if (!limited) return
    limited.nominalConcurrencyShares ??= 30
    limited.lendablePercent ??= 0
    const { queuing } = limited.limitResponse
    if (!queuing) return
    queuing.handSize ||= 8
    queuing.queues ||= 64
    queuing.queueLengthLimit ||= 50
  },
  validate({ spec }) {
    if (spec.type === 'Exempt') {
      return spec.limited ? [forbidden('spec.limited', 'must be nil if the type is not Limited')] : []
    }
    if (spec.type !== 'Limited') return [notSupported('spec.type', spec.type, ['Exempt', 'Limited'])]
    if (spec.exempt) return [forbidden('spec.exempt', 'must be nil if the type is Limited')]
    return spec.limited ? [] : [required('spec.limited', 'must not be empty when type is Limited')]
  },
}
