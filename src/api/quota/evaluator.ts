import type { KubeObject, Resource } from '../resource.ts'
import type { ResourceList } from '../resource-lists.ts'
import type { core } from '../types/index.ts'

export type Scope = core.ScopedResourceSelectorRequirement

/** Knows what the objects of one resource use of a quota. Source: k8s.io/apiserver/pkg/quota/v1 Evaluator */
export interface QuotaEvaluator<T extends KubeObject = KubeObject> {
  /** Whether this resource of a quota is used by such objects. */
  measures(name: string): boolean
  /** What the object uses at `now`, in milliseconds since 1970. */
  usage(object: T, now: number): ResourceList
  /** Absent: such objects are in no scope. */
  inScope?(object: T, scope: Scope): boolean
  /** Of the resources that a quota measures, those which the object has to speak of and does not, as a message says it. */
  lacks?(object: T, measured: string[]): string | undefined
}

/** `count/deployments.apps` */
export const countName = ({ group, resource }: Pick<Resource, 'group' | 'resource'>): string =>
  `count/${group ? `${resource}.${group}` : resource}`

/** Whether `value` is one that the requirement of a scope names; undefined when the object has none. */
export function scopeMatches({ operator, values = [] }: Scope, value: string | undefined): boolean {
  if (operator === 'Exists') return value !== undefined
  if (operator === 'DoesNotExist') return value === undefined
  const named = value !== undefined && values.includes(value)
  return operator === 'In' ? named : !named
}
