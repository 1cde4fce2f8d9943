import type { Draft, KubeObject, meta, Resource } from '../api/index.ts'

/** Which object. `namespace` is left out for cluster-scoped kinds. */
export interface Ref {
  namespace?: string
  name: string
}

export interface ListOptions {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  /** Asks for PartialObjectMetadata; a server that cannot give it answers with whole objects. */
  metadataOnly?: boolean
  limit?: number
  continue?: string
  resourceVersion?: string
  resourceVersionMatch?: 'Exact' | 'NotOlderThan'
}

export interface List<T> {
  metadata: meta.ListMeta
  items: T[]
}

export interface WatchOptions {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  metadataOnly?: boolean
  /** Only what happened after it. */
  resourceVersion: string
  bookmarks?: boolean
  timeoutSeconds?: number
  signal?: AbortSignal
}

export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  /** Only `metadata.resourceVersion` of the object is set. */
  | { type: 'BOOKMARK'; object: T }

export type Patch =
  | { type: 'json'; body: { op: string; path: string; value?: unknown; from?: string }[] }
  | { type: 'merge' | 'strategic' | 'apply'; body: object }

export interface DeleteOptions {
  gracePeriodSeconds?: number
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  preconditions?: { uid?: string; resourceVersion?: string }
}

/** `subresource`: `status`, `scale`, `finalize`. */
export interface WriteOptions {
  subresource?: string
  dryRun?: boolean
  /** Who changes the fields, for server-side apply; default: the first word of the user agent. */
  fieldManager?: string
  /** With an `apply` patch: takes over fields that others manage. */
  force?: boolean
}

/**
 * The Kubernetes API with types. Every call rejects with a StatusError for an answer that is not success, and with a
 * TransportError when no answer came; both after the call's own timeout at the latest (30 s; watches have none).
 */
export interface Client {
  get<T extends KubeObject>(type: Resource<T>, ref: Ref, options?: { subresource?: string }): Promise<T>
  /** Every item carries its `apiVersion` and `kind`, though the server leaves them out. */
  list<T extends KubeObject>(type: Resource<T>, options?: ListOptions): Promise<List<T>>
  /** The namespace is taken from `object.metadata.namespace`. */
  create<T extends KubeObject>(type: Resource<T>, object: Draft<T>, options?: { dryRun?: boolean }): Promise<T>
  /** Fails with Conflict unless `object.metadata.resourceVersion` is the present one. */
  update<T extends KubeObject>(type: Resource<T>, object: T, options?: WriteOptions): Promise<T>
  patch<T extends KubeObject>(type: Resource<T>, ref: Ref, patch: Patch, options?: WriteOptions): Promise<T>
  delete<T extends KubeObject>(type: Resource<T>, ref: Ref, options?: DeleteOptions): Promise<void>
  deleteCollection<T extends KubeObject>(type: Resource<T>, options?: ListOptions & DeleteOptions): Promise<void>
  /** Ends when the server ends it; throws a StatusError with reason `Expired` when the revision is too old. */
  watch<T extends KubeObject>(type: Resource<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>
  /** Creates under a subresource: a Binding, an Eviction, a TokenRequest. */
  createSubresource<Out>(type: Resource, ref: Ref, subresource: string, body: object): Promise<Out>
  /** Any path, JSON in and out. */
  request<Out>(method: string, path: string, body?: object): Promise<Out>
  close(): Promise<void>
}
