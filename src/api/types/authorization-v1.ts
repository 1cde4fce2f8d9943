// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as meta from './meta-v1.ts'

export interface FieldSelectorAttributes {
  rawSelector?: string
  requirements?: meta.FieldSelectorRequirement[]
}

export interface LabelSelectorAttributes {
  rawSelector?: string
  requirements?: meta.LabelSelectorRequirement[]
}

export interface LocalSubjectAccessReview {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: SubjectAccessReviewSpec
  status: SubjectAccessReviewStatus
}

export interface NonResourceAttributes {
  path?: string
  verb?: string
}

export interface NonResourceRule {
  verbs: string[]
  nonResourceURLs?: string[]
}

export interface ResourceAttributes {
  namespace?: string
  verb?: string
  group?: string
  version?: string
  resource?: string
  subresource?: string
  name?: string
  fieldSelector?: FieldSelectorAttributes
  labelSelector?: LabelSelectorAttributes
}

export interface ResourceRule {
  verbs: string[]
  apiGroups?: string[]
  resources?: string[]
  resourceNames?: string[]
}

export interface SelfSubjectAccessReview {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: SelfSubjectAccessReviewSpec
  status: SubjectAccessReviewStatus
}

export interface SelfSubjectAccessReviewSpec {
  resourceAttributes?: ResourceAttributes
  nonResourceAttributes?: NonResourceAttributes
}

export interface SelfSubjectRulesReview {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: SelfSubjectRulesReviewSpec
  status: SubjectRulesReviewStatus
}

export interface SelfSubjectRulesReviewSpec {
  namespace?: string
}

export interface SubjectAccessReview {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: SubjectAccessReviewSpec
  status: SubjectAccessReviewStatus
}

export interface SubjectAccessReviewSpec {
  resourceAttributes?: ResourceAttributes
  nonResourceAttributes?: NonResourceAttributes
  user?: string
  groups?: string[]
  extra?: Record<string, string[]>
  uid?: string
}

export interface SubjectAccessReviewStatus {
  allowed: boolean
  denied?: boolean
  reason?: string
  evaluationError?: string
}

export interface SubjectRulesReviewStatus {
  resourceRules: ResourceRule[]
  nonResourceRules: NonResourceRule[]
  incomplete: boolean
  evaluationError?: string
}
