// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as meta from './meta-v1.ts'

export interface AggregationRule {
  clusterRoleSelectors?: meta.LabelSelector[]
}

export interface ClusterRole {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  rules?: PolicyRule[]
  aggregationRule?: AggregationRule
}

export interface ClusterRoleBinding {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  subjects?: Subject[]
  roleRef: RoleRef
}

export interface ClusterRoleBindingList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: ClusterRoleBinding[]
}

export interface ClusterRoleList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: ClusterRole[]
}

export interface PolicyRule {
  verbs: string[]
  apiGroups?: string[]
  resources?: string[]
  resourceNames?: string[]
  nonResourceURLs?: string[]
}

export interface Role {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  rules?: PolicyRule[]
}

export interface RoleBinding {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  subjects?: Subject[]
  roleRef: RoleRef
}

export interface RoleBindingList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: RoleBinding[]
}

export interface RoleList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: Role[]
}

export interface RoleRef {
  apiGroup: string
  kind: string
  name: string
}

export interface Subject {
  kind: string
  apiGroup?: string
  name: string
  namespace?: string
}
