// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as meta from './meta-v1.ts'

export interface BoundObjectReference {
  kind?: string
  apiVersion?: string
  name?: string
  uid?: string
}

export interface SelfSubjectReview {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  status: SelfSubjectReviewStatus
}

export interface SelfSubjectReviewStatus {
  userInfo: UserInfo
}

export interface TokenRequest {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: TokenRequestSpec
  status: TokenRequestStatus
}

export interface TokenRequestSpec {
  audiences?: string[]
  expirationSeconds?: number
  boundObjectRef?: BoundObjectReference
}

export interface TokenRequestStatus {
  token: string
  expirationTimestamp: string
}

export interface TokenReview {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: TokenReviewSpec
  status: TokenReviewStatus
}

export interface TokenReviewSpec {
  token: string
  audiences?: string[]
}

export interface TokenReviewStatus {
  authenticated?: boolean
  user: UserInfo
  audiences?: string[]
  error?: string
}

export interface UserInfo {
  username?: string
  uid?: string
  groups?: string[]
  extra?: Record<string, string[]>
}
