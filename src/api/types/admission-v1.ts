// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as authentication from './authentication-v1.ts'
import type * as meta from './meta-v1.ts'

export interface AdmissionRequest {
  uid: string
  kind: unknown
  resource: unknown
  subResource?: string
  requestKind?: unknown
  requestResource?: unknown
  requestSubResource?: string
  name?: string
  namespace?: string
  operation: string
  userInfo: authentication.UserInfo
  object: unknown
  oldObject: unknown
  dryRun?: boolean
  options: unknown
}

export interface AdmissionResponse {
  uid: string
  allowed: boolean
  status?: meta.Status
  patch?: string
  patchType?: string
  auditAnnotations?: Record<string, string>
  warnings?: string[]
}

export interface AdmissionReview {
  apiVersion: string
  kind: string
  request?: AdmissionRequest
  response?: AdmissionResponse
}
