import type { FieldError, KubeObject } from '../../api/index.ts'
import type { User } from '../pipeline/context.ts'

/** What a strategy may know of the request and of the cluster. Reads see the newest state. */
export interface StrategyContext {
  user: User
  dryRun: boolean
  /** The part that is written; empty for the object itself. */
  subresource: string
  /** RFC 3339 time of the request. */
  now: string
  /** Reads another object, for rules that span two. Undefined when there is none. */
  read(group: string, resource: string, namespace: string, name: string): Promise<KubeObject | undefined>
}

/**
 * What one kind does beyond what every kind does. All members are optional; an absent one means the generic behaviour.
 * A strategy is one file under registry/, registered by `group/resource` in registry/index.ts.
 * Functions work on decoded objects that belong to the request: they may change `object`, never `old`.
 */
export interface Strategy<T extends KubeObject = KubeObject> {
  /** Defaults that depend on other fields. Idempotent; runs after the model's plain defaults, on every write. */
  defaults?(object: T): void
  /** Clears or sets what a client may not choose. The generic path has already emptied `status` where it is a subresource. */
  prepareCreate?(object: T, context: StrategyContext): void | Promise<void>
  /** The generic path has already kept `status` (or, on the status subresource, all but `status`) from `old`. */
  prepareUpdate?(object: T, old: T, context: StrategyContext): void | Promise<void>
  /** On create and, before `validateUpdate`, on update, where `old` is the object that this one replaces. */
  validate?(object: T, old?: T): FieldError[]
  validateUpdate?(object: T, old: T): FieldError[]
  validateStatusUpdate?(object: T, old: T): FieldError[]
  /** A change by way of a subresource that writes what the object itself may not. */
  validatePart?(subresource: string, object: T, old: T): FieldError[]
  /** Texts for `Warning: 299` headers. */
  warnings?(object: T, old?: T): string[]
  /** As `warnings`, for a write by way of the status subresource. */
  statusWarnings?(object: T, old: T): string[]
  /** Selectable fields beyond metadata.name and metadata.namespace; the value of an absent field is ''. */
  fields?(object: T): Record<string, string>
  /** A create keeps the `status` that the client sends (Node), although it is a subresource. */
  statusOnCreate?: boolean
  /** Whether more than `metadata.finalizers` holds a deleted object back (a Namespace's `spec.finalizers`). */
  held?(object: T): boolean
  /** When the object is marked for deletion for the first time. */
  deleting?(object: T): void
  /** Whether `metadata.generation` counts changes; default: the kind has a `spec`. */
  generation?: boolean
  /** Of which parts of the metadata it counts changes too. */
  generationOf?: ('labels' | 'annotations' | 'finalizers' | 'ownerReferences')[]
  /** How the name is checked; default: a DNS subdomain. Returns upstream's complaints. */
  nameProblems?(name: string, prefix: boolean): string[]
  /** PUT of a name that does not exist creates it (Lease, Endpoints, Event...). */
  allowCreateOnUpdate?: boolean
  /** PUT without a resourceVersion overwrites; default true as for most kinds upstream. */
  allowUnconditionalUpdate?: boolean
  /** Seconds of grace for a delete; 0 deletes at once. Absent: no graceful deletion for this kind. */
  gracePeriod?(object: T, requested: number | undefined): number
  /** What happens when the client names no propagation policy; default `background`. */
  defaultPropagation?: 'orphan' | 'background'
  /** Seconds that an object lives without being written again (Events). */
  ttl?: number
  /** Reserves what must be unique in the cluster (cluster addresses, node ports) and fills it in; `release` undoes it. */
  allocate?(object: T, old: T | undefined, context: StrategyContext): Promise<Allocation | undefined>
  /** After the object is gone. */
  afterDelete?(object: T): void
}

export interface Allocation {
  /** The write did not happen: give back what was reserved. */
  release(): void
  /** The write happened: free what the old object held and the new one does not. */
  commit(): void
}
