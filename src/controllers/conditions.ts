import { formatTime } from '../api/index.ts'

interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
}

/**
 * The conditions with `condition` in place of its like, which keeps its transition time while its status is the same.
 * One that says the same already stays as it is, whatever its message, as upstream has it for workloads.
 */
export function withCondition<T extends Condition>(conditions: T[] | undefined, condition: T, now: number): T[] {
  const current = conditions?.find(({ type }) => type === condition.type)
  if (current?.status === condition.status && current.reason === condition.reason) return conditions ?? []
  const lastTransitionTime = current?.status === condition.status ? current.lastTransitionTime : formatTime(now)
  return [...withoutCondition(conditions, condition.type), { ...condition, lastTransitionTime }]
}

export const withoutCondition = <T extends Condition>(conditions: T[] | undefined, type: string): T[] =>
  (conditions ?? []).filter(condition => condition.type !== type)
