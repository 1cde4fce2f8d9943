// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as meta from './meta-v1.ts'

export interface APIService {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: APIServiceSpec
  status: APIServiceStatus
}

export interface APIServiceCondition {
  type: string
  status: string
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface APIServiceList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: APIService[]
}

export interface APIServiceSpec {
  service?: ServiceReference
  group?: string
  version?: string
  insecureSkipTLSVerify?: boolean
  caBundle?: string
  groupPriorityMinimum: number
  versionPriority: number
}

export interface APIServiceStatus {
  conditions?: APIServiceCondition[]
}

export interface ServiceReference {
  namespace?: string
  name?: string
  port?: number
}
