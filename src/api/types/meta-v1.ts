// Generated from ../model.json by scripts/generate-types.ts. Do not edit.

export interface APIGroup {
  apiVersion: string
  kind: string
  name: string
  versions: GroupVersionForDiscovery[]
  preferredVersion: GroupVersionForDiscovery
  serverAddressByClientCIDRs?: ServerAddressByClientCIDR[]
}

export interface APIGroupList {
  apiVersion: string
  kind: string
  groups: APIGroup[]
}

export interface APIResource {
  name: string
  singularName: string
  namespaced: boolean
  group?: string
  version?: string
  kind: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
  storageVersionHash?: string
}

export interface APIResourceList {
  apiVersion: string
  kind: string
  groupVersion: string
  resources: APIResource[]
}

export interface APIVersions {
  apiVersion: string
  kind: string
  versions: string[]
  serverAddressByClientCIDRs: ServerAddressByClientCIDR[]
}

export interface ApplyOptions {
  apiVersion: string
  kind: string
  dryRun?: string[]
  force: boolean
  fieldManager: string
}

export interface Condition {
  type: string
  status: string
  observedGeneration?: number
  lastTransitionTime: string
  reason: string
  message: string
}

export interface CreateOptions {
  apiVersion: string
  kind: string
  dryRun?: string[]
  fieldManager?: string
  fieldValidation?: string
}

export interface DeleteOptions {
  apiVersion: string
  kind: string
  gracePeriodSeconds?: number
  preconditions?: Preconditions
  orphanDependents?: boolean
  propagationPolicy?: string
  dryRun?: string[]
  ignoreStoreReadErrorWithClusterBreakingPotential?: boolean
}

export interface FieldSelectorRequirement {
  key: string
  operator: string
  values?: string[]
}

export interface GetOptions {
  apiVersion: string
  kind: string
  resourceVersion?: string
}

export interface GroupVersionForDiscovery {
  groupVersion: string
  version: string
}

export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: LabelSelectorRequirement[]
}

export interface LabelSelectorRequirement {
  key: string
  operator: string
  values?: string[]
}

export interface List {
  apiVersion: string
  kind: string
  metadata: ListMeta
  items: unknown[]
}

export interface ListMeta {
  selfLink?: string
  resourceVersion?: string
  continue?: string
  remainingItemCount?: number
  shardInfo?: ShardInfo
}

export interface ListOptions {
  apiVersion: string
  kind: string
  labelSelector?: string
  fieldSelector?: string
  watch?: boolean
  allowWatchBookmarks?: boolean
  resourceVersion?: string
  resourceVersionMatch?: string
  timeoutSeconds?: number
  limit?: number
  continue?: string
  sendInitialEvents?: boolean
  shardSelector?: string
}

export interface ManagedFieldsEntry {
  manager?: string
  operation?: string
  apiVersion?: string
  time?: string
  fieldsType?: string
  fieldsV1?: Record<string, unknown>
  subresource?: string
}

export interface ObjectMeta {
  name: string
  generateName?: string
  namespace: string
  selfLink?: string
  uid: string
  resourceVersion: string
  generation?: number
  creationTimestamp: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface PartialObjectMetadata {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

export interface PartialObjectMetadataList {
  apiVersion: string
  kind: string
  metadata: ListMeta
  items: PartialObjectMetadata[]
}

export interface PatchOptions {
  apiVersion: string
  kind: string
  dryRun?: string[]
  force?: boolean
  fieldManager?: string
  fieldValidation?: string
}

export interface Preconditions {
  uid?: string
  resourceVersion?: string
}

export interface RootPaths {
  paths: string[]
}

export interface ServerAddressByClientCIDR {
  clientCIDR: string
  serverAddress: string
}

export interface ShardInfo {
  selector: string
}

export interface Status {
  apiVersion: string
  kind: string
  metadata: ListMeta
  status?: string
  message?: string
  reason?: string
  details?: StatusDetails
  code?: number
}

export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

export interface Table {
  apiVersion: string
  kind: string
  metadata: ListMeta
  columnDefinitions: TableColumnDefinition[]
  rows: TableRow[]
}

export interface TableColumnDefinition {
  name: string
  type: string
  format: string
  description: string
  priority: number
}

export interface TableOptions {
  apiVersion: string
  kind: string
  '-': boolean
  includeObject?: string
}

export interface TableRow {
  cells: unknown[]
  conditions?: TableRowCondition[]
  object: unknown
}

export interface TableRowCondition {
  type: string
  status: string
  reason?: string
  message?: string
}

export interface TypeMeta {
  kind?: string
  apiVersion?: string
}

export interface UpdateOptions {
  apiVersion: string
  kind: string
  dryRun?: string[]
  fieldManager?: string
  fieldValidation?: string
}
