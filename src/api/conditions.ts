/** What conditions of all kinds have. Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions */
export interface AnyCondition {
  type?: string
  status?: string
  reason?: string
  message?: string
  lastTransitionTime?: string
}

export const findCondition = <C extends AnyCondition>(
  conditions: C[] | undefined,
  type: string | undefined,
): C | undefined => conditions?.find(condition => condition.type === type)

export const isConditionTrue = (conditions: AnyCondition[] | undefined, type: string): boolean =>
  findCondition(conditions, type)?.status === 'True'

/**
 * The conditions with this one in the place of the one of its type. Its lastTransitionTime stays what it was while the
 * status does.
 */
export function withCondition<C extends AnyCondition>(conditions: C[] | undefined, condition: C): C[] {
  const before = findCondition(conditions, condition.type)
  if (!before) return [...(conditions ?? []), condition]
  const same = before.status === condition.status
  const next = same ? { ...condition, lastTransitionTime: before.lastTransitionTime } : condition
  return conditions!.map(each => (each === before ? next : each))
}
