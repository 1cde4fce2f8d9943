// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as meta from './meta-v1.ts'

export interface Lease {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: LeaseSpec
}

export interface LeaseList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: Lease[]
}

export interface LeaseSpec {
  holderIdentity?: string
  leaseDurationSeconds?: number
  acquireTime?: string
  renewTime?: string
  leaseTransitions?: number
  strategy?: string
  preferredHolder?: string
}
