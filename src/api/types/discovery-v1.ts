// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as core from './core-v1.ts'
import type * as meta from './meta-v1.ts'

export interface Endpoint {
  addresses: string[]
  conditions: EndpointConditions
  hostname?: string
  targetRef?: core.ObjectReference
  deprecatedTopology?: Record<string, string>
  nodeName?: string
  zone?: string
  hints?: EndpointHints
}

export interface EndpointConditions {
  ready?: boolean
  serving?: boolean
  terminating?: boolean
}

export interface EndpointHints {
  forZones?: ForZone[]
  forNodes?: ForNode[]
}

export interface EndpointPort {
  name?: string
  protocol?: 'SCTP' | 'TCP' | 'UDP'
  port?: number
  appProtocol?: string
}

export interface EndpointSlice {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  addressType: string
  endpoints?: Endpoint[]
  ports?: EndpointPort[]
}

export interface EndpointSliceList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: EndpointSlice[]
}

export interface ForNode {
  name: string
}

export interface ForZone {
  name: string
}
