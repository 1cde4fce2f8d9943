// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as meta from './meta-v1.ts'

export interface APIGroupDiscovery {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  versions?: APIVersionDiscovery[]
}

export interface APIGroupDiscoveryList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: APIGroupDiscovery[]
}

export interface APIResourceDiscovery {
  resource: string
  responseKind?: unknown
  scope: string
  singularResource: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
  subresources?: APISubresourceDiscovery[]
}

export interface APISubresourceDiscovery {
  subresource: string
  responseKind?: unknown
  acceptedTypes?: unknown[]
  verbs: string[]
}

export interface APIVersionDiscovery {
  version: string
  resources?: APIResourceDiscovery[]
  freshness?: string
}
