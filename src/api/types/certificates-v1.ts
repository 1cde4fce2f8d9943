// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as meta from './meta-v1.ts'

export interface CertificateSigningRequest {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: CertificateSigningRequestSpec
  status: CertificateSigningRequestStatus
}

export interface CertificateSigningRequestCondition {
  type: string
  status: string
  reason?: string
  message?: string
  lastUpdateTime?: string
  lastTransitionTime?: string
}

export interface CertificateSigningRequestList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: CertificateSigningRequest[]
}

export interface CertificateSigningRequestSpec {
  request: string
  signerName: string
  expirationSeconds?: number
  usages?: ('any' | 'cert sign' | 'client auth' | 'code signing' | 'content commitment' | 'crl sign' | 'data encipherment' | 'decipher only' | 'digital signature' | 'email protection' | 'encipher only' | 'ipsec end system' | 'ipsec tunnel' | 'ipsec user' | 'key agreement' | 'key encipherment' | 'microsoft sgc' | 'netscape sgc' | 'ocsp signing' | 's/mime' | 'server auth' | 'signing' | 'timestamping')[]
  username?: string
  uid?: string
  groups?: string[]
  extra?: Record<string, string[]>
}

export interface CertificateSigningRequestStatus {
  conditions?: CertificateSigningRequestCondition[]
  certificate?: string
}
