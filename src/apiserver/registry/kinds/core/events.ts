import { type core, type events, type FieldError, names } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { complaints, IMMUTABLE, invalid, required, same } from '../../validation/field.ts'

const HOUR_IN_SECONDS = 3600
const LONGEST_NAME = 128
const LONGEST_MESSAGE = 1024
/** Where events about objects without a namespace go. */
const CLUSTER_NAMESPACES = ['default', 'kube-system']

/** Events are many and soon stale: they live for an hour. */
const shared = { ttl: HOUR_IN_SECONDS, allowCreateOnUpdate: true, allowUnconditionalUpdate: true } as const

/** Source: k8s.io/kubernetes/pkg/apis/core/validation/events.go, pkg/registry/core/event/strategy.go */
export const eventStrategy: Strategy<core.Event> = {
  ...shared,
  validate: event => validateReport(event, 'reportingComponent'),
  fields({ involvedObject, reason, reportingComponent, source, type }) {
    return {
      ...referenceFields('involvedObject', involvedObject),
      reason: reason ?? '',
      reportingComponent: reportingComponent ?? '',
      source: source?.component || reportingComponent || '',
      type: type ?? '',
    }
  },
}

/** The same events, as events.k8s.io/v1 shows them: judged more strictly, in the older version's words. */
export const eventV1Strategy: Strategy<events.Event> = {
  ...shared,
  validate: (event, old) => [
    ...validateReport(asCore(event), 'reportingController'),
    ...(old ? [] : [...validateSeries(event), ...validateNew(event)]),
  ],
  validateUpdate: (event, old) => [
    ...(same(event.series, old.series) ? [] : validateSeries(event)),
    ...validateUnchanged(event, old),
  ],
  fields({ regarding, reason, reportingController, type }) {
    return {
      ...referenceFields('regarding', regarding),
      reason: reason ?? '',
      reportingController: reportingController ?? '',
      type: type ?? '',
    }
  },
}

/** What of an event is judged by the same rules in both versions. */
type Report = Pick<
  core.Event,
  | 'metadata'
  | 'involvedObject'
  | 'eventTime'
  | 'reportingComponent'
  | 'reportingInstance'
  | 'action'
  | 'reason'
  | 'message'
>

const asCore = ({ regarding = {}, reportingController, note, ...event }: events.Event): Report => ({
  ...event,
  involvedObject: regarding,
  reportingComponent: reportingController ?? '',
  reportingInstance: event.reportingInstance ?? '',
  message: note,
})

function validateReport(event: Report, controllerField: string): FieldError[] {
  const own = event.metadata.namespace
  const other = event.involvedObject.namespace ?? ''
  const strays = invalid('involvedObject.namespace', other, 'does not match event.namespace')
  if (!event.eventTime) {
    const agrees = other ? own === other : own === undefined || own === 'default'
    return agrees ? [] : [strays]
  }
  const { reportingComponent: controller = '', message } = event
  const problems = other || CLUSTER_NAMESPACES.includes(own ?? '') ? [] : [strays]
  if (!controller) problems.push(required(controllerField))
  problems.push(...complaints(controllerField, controller, names.qualifiedNameProblems(controller)))
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    const value = event[field]
    if (!value) problems.push(required(field))
    else if (value.length > LONGEST_NAME)
      problems.push(invalid(field, '', `can have at most ${LONGEST_NAME} characters`))
  }
  if ((message?.length ?? 0) > LONGEST_MESSAGE) {
    problems.push(invalid('message', '', `can have at most ${LONGEST_MESSAGE} characters`))
  }
  return problems
}

function validateSeries({ series }: events.Event): FieldError[] {
  if (!series) return []
  return [
    ...(series.count < 2 ? [invalid('series.count', '', 'should be at least 2')] : []),
    ...(series.lastObservedTime ? [] : [required('series.lastObservedTime')]),
  ]
}

/** What only clients of the older version set. */
function validateNew(event: events.Event): FieldError[] {
  const { type = '', deprecatedSource: source } = event
  const unset = (field: string, value: unknown) => (value ? [invalid(field, '', 'needs to be unset')] : [])
  return [
    ...(event.eventTime ? [] : [required('eventTime')]),
    ...(type === 'Normal' || type === 'Warning' ? [] : [invalid('type', '', `has invalid value: ${type}`)]),
    ...unset('firstTimestamp', event.deprecatedFirstTimestamp),
    ...unset('lastTimestamp', event.deprecatedLastTimestamp),
    ...unset('count', event.deprecatedCount),
    ...unset('source', source?.component || source?.host),
  ]
}

type Field = keyof events.Event

/** Each field that stays as it was, with the older version's name for it; one is looked at twice. */
const FIXED: [field: Field, name: string, empty?: unknown][] = [
  ['regarding', 'involvedObject', {}],
  ['reason', 'reason', ''],
  ['note', 'message', ''],
  ['deprecatedSource', 'source', {}],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count', 0],
  ['reason', 'reason', ''],
  ['type', 'type', ''],
  ['eventTime', 'eventTime'],
  ['action', 'action', ''],
  ['related', 'related'],
  ['reportingController', 'reportingController', ''],
  ['reportingInstance', 'reportingInstance', ''],
]

const validateUnchanged = (event: events.Event, old: events.Event): FieldError[] =>
  FIXED.flatMap(([field, name, empty]) =>
    same(event[field] ?? empty, old[field] ?? empty)
      ? []
      : [invalid(name, shown(name, event[field] ?? empty ?? null), IMMUTABLE)],
  )

const REFERENCE_NAMES = {
  kind: 'Kind',
  namespace: 'Namespace',
  name: 'Name',
  uid: 'UID',
  apiVersion: 'APIVersion',
  resourceVersion: 'ResourceVersion',
  fieldPath: 'FieldPath',
}

/** Upstream shows its own structs, whose fields are named otherwise. */
function shown(name: string, value: unknown): unknown {
  const given = value as Record<string, string>
  if (name === 'source') return { Component: given.component ?? '', Host: given.host ?? '' }
  if (value === null || (name !== 'involvedObject' && name !== 'related')) return value
  return Object.fromEntries(Object.entries(REFERENCE_NAMES).map(([field, goName]) => [goName, given[field] ?? '']))
}

/** What can be selected of the object that an event is about. */
function referenceFields(prefix: string, about: core.ObjectReference = {}): Record<string, string> {
  return Object.fromEntries(REFERENCE_FIELDS.map(field => [`${prefix}.${field}`, about[field] ?? '']))
}

const REFERENCE_FIELDS = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const
