import { type FieldError, names, type node, type scheduling } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { complaints, forbidden, immutable, oneOf, required } from '../validation/field.ts'
import { validateResourceValue } from '../validation/resources.ts'
import { validateTolerations } from '../validation/scheduling.ts'

/** Priority and runtime classes. Source: k8s.io/kubernetes/pkg/apis/scheduling/validation, pkg/apis/node/validation */

const HIGHEST_USER_PRIORITY = 1_000_000_000
const SYSTEM_PREFIX = 'system-'
const SYSTEM_CLASSES: Record<string, number> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

const RESERVED = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only`

function systemClassProblem(name: string, value: number): string | undefined {
  const wanted = SYSTEM_CLASSES[name]
  if (wanted === undefined) return `${name} is not a known system priority class`
  return value === wanted ? undefined : `value of ${name} PriorityClass must be ${wanted}`
}

export const priorityClassStrategy: Strategy<scheduling.PriorityClass> = {
  defaults(priorityClass) {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  validate({ metadata, value, preemptionPolicy }) {
    const problems: FieldError[] = []
    if (metadata.name?.startsWith(SYSTEM_PREFIX)) {
      const reason = systemClassProblem(metadata.name, value)
      if (reason) problems.push(forbidden('metadata.name', `${RESERVED}. error: ${reason}`))
    } else if (value > HIGHEST_USER_PRIORITY) {
      problems.push(forbidden('value', `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`))
    }
    return [...problems, ...oneOf('preemptionPolicy', preemptionPolicy, ['Never', 'PreemptLowerPriority'])]
  },
  validateUpdate: (priorityClass, old) => [
    ...(priorityClass.value === old.value ? [] : [forbidden('value', 'may not be changed in an update.')]),
    ...immutable('preemptionPolicy', priorityClass.preemptionPolicy, old.preemptionPolicy),
  ],
}

export const runtimeClassStrategy: Strategy<node.RuntimeClass> = {
  validate: ({ handler, overhead, scheduling: where }) => [
    ...(handler ? complaints('handler', handler, names.dns1123LabelProblems(handler)) : [required('handler')]),
    ...Object.entries(overhead?.podFixed ?? {}).flatMap(([name, amount]) =>
      validateResourceValue(name, amount, `overhead.podFixed[${name}]`),
    ),
    ...validateTolerations(where?.tolerations, 'scheduling.tolerations'),
  ],
  validateUpdate: ({ handler }, { handler: old }) => immutable('handler', handler, old),
}
