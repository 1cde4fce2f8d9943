// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as core from './core-v1.ts'
import type * as meta from './meta-v1.ts'

export interface Event {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  eventTime: string
  series?: EventSeries
  reportingController?: string
  reportingInstance?: string
  action?: string
  reason?: string
  regarding: core.ObjectReference
  related?: core.ObjectReference
  note?: string
  type?: string
  deprecatedSource: core.EventSource
  deprecatedFirstTimestamp?: string
  deprecatedLastTimestamp?: string
  deprecatedCount?: number
}

export interface EventList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: Event[]
}

export interface EventSeries {
  count: number
  lastObservedTime: string
}
