import type { meta } from './types/index.ts'

/** What every object of the API has. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
}

export interface Subresource {
  name: string
  /** Verbs of discovery: `get`, `patch`, `update`, `create`. */
  verbs: string[]
  /** The kind that is exchanged, when it is not the parent's: `Scale` of `autoscaling/v1`. */
  group?: string
  version?: string
  kind: string
}

/**
 * One resource of one group version: all that is known of a kind without its fields.
 * `T` is the kind's TypeScript shape, so that a client's answer has a type.
 */
export interface Resource<T = KubeObject> {
  /** Empty for the core group. */
  group: string
  version: string
  /** Plural, lower case, as in paths. */
  resource: string
  singular: string
  kind: string
  namespaced: boolean
  shortNames: string[]
  categories: string[]
  verbs: string[]
  subresources: Subresource[]
  /** The model's name of the type: `apps/v1.Deployment`. */
  type: string
  /** Of a custom resource whose lists are not called by its kind. */
  listKind?: string
  /** The version that objects are kept in, where that is another. */
  storedAs?: string
  /** Fields of a custom resource that selectors may name: `spec.color`. */
  selectable?: string[]
  /** Only carries `T`; never set. */
  readonly shape?: T
}

/** `PodList` */
export const listKind = ({ kind, listKind: own }: Pick<Resource, 'kind' | 'listKind'>): string => own ?? `${kind}List`

/** The type of a list: `core/v1.PodList`. */
export const listType = (resource: Pick<Resource, 'kind' | 'listKind' | 'type'>): string =>
  resource.type.slice(0, -resource.kind.length) + listKind(resource)

/** `v1` or `apps/v1`, as objects carry it. */
export const apiVersion = (of: { group: string; version: string }): string =>
  of.group ? `${of.group}/${of.version}` : of.version

/** An object as somebody writes it: anything may be left out. */
export type Draft<T> = T extends (infer Item)[]
  ? Draft<Item>[]
  : T extends object
    ? { [K in keyof T]?: Draft<T[K]> }
    : T
