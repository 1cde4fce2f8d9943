import type { FieldError, scheduling } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { forbidden, immutable, oneOf } from '../validation/field.ts'

/** Source: k8s.io/kubernetes/pkg/apis/scheduling/validation, pkg/registry/scheduling/priorityclass/strategy.go */

const HIGHEST_USER_PRIORITY = 1_000_000_000
const SYSTEM_PREFIX = 'system-'
const SYSTEM_CLASSES: Record<string, number> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

const RESERVED = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only`

function systemClassProblem(name: string, value: number, globalDefault: boolean): string | undefined {
  const wanted = SYSTEM_CLASSES[name]
  if (wanted === undefined) return `${name} is not a known system priority class`
  if (value !== wanted) return `value of ${name} PriorityClass must be ${wanted}`
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined
}

export const priorityClassStrategy: Strategy<scheduling.PriorityClass> = {
  defaults(priorityClass) {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  validate({ metadata, value, preemptionPolicy, globalDefault }, old) {
    if (old)
      return [
        ...(value === old.value ? [] : [forbidden('value', 'may not be changed in an update.')]),
        ...immutable('preemptionPolicy', preemptionPolicy, old.preemptionPolicy),
      ]
    const problems: FieldError[] = []
    if (metadata.name?.startsWith(SYSTEM_PREFIX)) {
      const reason = systemClassProblem(metadata.name, value, globalDefault ?? false)
      if (reason) problems.push(forbidden('metadata.name', `${RESERVED}. error: ${reason}`))
    } else if (value > HIGHEST_USER_PRIORITY) {
      problems.push(forbidden('value', `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`))
    }
    return [...problems, ...oneOf('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never'])]
  },
  // Set to 1 and never counted on, since nothing of a class that counts can change.
  generation: false,
  prepareCreate({ metadata }) {
    metadata.generation = 1
  },
}
