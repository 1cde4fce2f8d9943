import { type AnyCondition, findCondition } from '../api/index.ts'

/**
 * The conditions with this one in place of the one of its type, whose transition time it keeps while its status is the
 * same. One of the same status and reason stays as it is, whatever its message, as upstream has it for workloads.
 */
export function withWorkloadCondition<C extends AnyCondition>(conditions: C[] | undefined, condition: C): C[] {
  const current = findCondition(conditions, condition.type)
  const same = current !== undefined && current.status === condition.status
  if (same && current.reason === condition.reason) return conditions!
  const next = same ? { ...condition, lastTransitionTime: current.lastTransitionTime } : condition
  return [...withoutCondition(conditions, condition.type), next]
}

export const withoutCondition = <C extends AnyCondition>(conditions: C[] | undefined, type: string | undefined): C[] =>
  (conditions ?? []).filter(condition => condition.type !== type)
