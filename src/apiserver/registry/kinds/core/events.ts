import { type core, type events, type FieldError, names } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { complaints, invalid, required } from '../../validation/field.ts'

const HOUR_IN_SECONDS = 3600
const LONGEST_NAME = 128
const LONGEST_MESSAGE = 1024
/** Where events about objects without a namespace go. */
const CLUSTER_NAMESPACES = ['', 'default', 'kube-system']

/** Events are many and soon stale: they live for an hour. */
const shared = { ttl: HOUR_IN_SECONDS, allowCreateOnUpdate: true, allowUnconditionalUpdate: true } as const

/** Source: k8s.io/kubernetes/pkg/apis/core/validation/events.go, pkg/registry/core/event/strategy.go */
export const eventStrategy: Strategy<core.Event> = {
  ...shared,
  validate(event) {
    return [
      ...validateNamespace(event.metadata.namespace, event.involvedObject?.namespace, 'involvedObject'),
      ...(event.eventTime ? validateReport(event) : []),
    ]
  },
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

/** The same events, as events.k8s.io/v1 shows them. */
export const eventV1Strategy: Strategy<events.Event> = {
  ...shared,
  validate: event => validateNamespace(event.metadata.namespace, event.regarding?.namespace, 'regarding'),
  fields({ regarding, reason, reportingController, type }) {
    return {
      ...referenceFields('regarding', regarding),
      reason: reason ?? '',
      reportingController: reportingController ?? '',
      type: type ?? '',
    }
  },
}

function validateNamespace(own: string, other = '', path: string): FieldError[] {
  const agrees = other ? own === other : CLUSTER_NAMESPACES.includes(own ?? '')
  return agrees ? [] : [invalid(`${path}.namespace`, other, 'does not match event.namespace')]
}

/** What the newer API demands of whoever reports. */
function validateReport(event: core.Event): FieldError[] {
  const { reportingComponent, message } = event
  const problems = reportingComponent
    ? complaints('reportingController', reportingComponent, names.qualifiedNameProblems(reportingComponent))
    : [required('reportingController')]
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

/** What can be selected of the object that an event is about. */
function referenceFields(prefix: string, about: core.ObjectReference = {}): Record<string, string> {
  return Object.fromEntries(REFERENCE_FIELDS.map(field => [`${prefix}.${field}`, about[field] ?? '']))
}

const REFERENCE_FIELDS = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const
