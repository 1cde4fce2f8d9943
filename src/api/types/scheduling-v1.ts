// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as meta from './meta-v1.ts'

export interface PriorityClass {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  value: number
  globalDefault?: boolean
  description?: string
  preemptionPolicy?: 'Never' | 'PreemptLowerPriority'
}

export interface PriorityClassList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: PriorityClass[]
}
