import {
  type apiregistration,
  type certificates,
  type coordination,
  type core,
  type events,
  findCondition,
  type KubeObject,
  type scheduling,
} from '../../api/index.ts'
import { ageColumn, boolean, integer, NONE, nameColumn, text, UNKNOWN, wide } from './columns.ts'
import { humanDuration, since } from './duration.ts'
import type { Column } from './table.ts'

const ROLE_PREFIX = 'node-role.kubernetes.io/'
const ROLE_LABEL = 'kubernetes.io/role'

export const nodeColumns: Column<core.Node>[] = [
  nameColumn,
  text('Status', 'Whether the node is ready, and takes new pods.', nodeStatus),
  text('Roles', 'What the node is for, from its labels.', nodeRoles),
  ageColumn,
  text('Version', 'Version of the kubelet.', ({ status }) => status.nodeInfo?.kubeletVersion ?? ''),
  wide(text('Internal-IP', 'Address within the cluster.', node => nodeAddress(node, 'InternalIP'))),
  wide(text('External-IP', 'Address from outside.', node => nodeAddress(node, 'ExternalIP'))),
  wide(text('OS-Image', 'Operating system.', ({ status }) => status.nodeInfo?.osImage || UNKNOWN)),
  wide(text('Kernel-Version', 'Version of its kernel.', ({ status }) => status.nodeInfo?.kernelVersion || UNKNOWN)),
  wide(
    text(
      'Container-Runtime',
      'What runs the containers.',
      ({ status }) => status.nodeInfo?.containerRuntimeVersion || UNKNOWN,
    ),
  ),
]

function nodeStatus({ spec, status }: core.Node): string {
  const ready = findCondition(status.conditions, 'Ready')
  const state = !ready ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return spec.unschedulable ? `${state},SchedulingDisabled` : state
}

function nodeRoles({ metadata }: core.Node): string {
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX) && key !== ROLE_PREFIX) return [key.slice(ROLE_PREFIX.length)]
    return key === ROLE_LABEL && value ? [value] : []
  })
  return [...new Set(roles)].sort().join(',') || NONE
}

const nodeAddress = ({ status }: core.Node, wanted: string) =>
  status.addresses?.find(({ type }) => type === wanted)?.address ?? NONE

export const namespaceColumns: Column<core.Namespace>[] = [
  nameColumn,
  text('Status', 'Active, or Terminating while it is emptied.', ({ status }) => status.phase ?? ''),
  ageColumn,
]

export const configMapColumns: Column<core.ConfigMap>[] = [
  nameColumn,
  text('Data', 'How many keys it has.', ({ data, binaryData }) => size(data) + size(binaryData)),
  ageColumn,
]

export const secretColumns: Column<core.Secret>[] = [
  nameColumn,
  text('Type', 'What the data is for.', ({ type }) => type ?? ''),
  text('Data', 'How many keys it has.', ({ data }) => size(data)),
  ageColumn,
]

const size = (map: object | undefined) => Object.keys(map ?? {}).length

export const serviceAccountColumns: Column<core.ServiceAccount>[] = [
  nameColumn,
  text('Secrets', 'How many secrets it refers to.', ({ secrets }) => secrets?.length ?? 0),
  ageColumn,
]

/** One event, whichever of its two APIs it comes from. */
interface Report {
  about: core.ObjectReference
  source: core.EventSource
  component: string | undefined
  instance: string | undefined
  message: string | undefined
  first: string | undefined
  last: string | undefined
  count: number | undefined
}

type AnyEvent = core.Event | events.Event

function report(event: AnyEvent): Report {
  const shared = { instance: event.reportingInstance }
  if ('involvedObject' in event) {
    return {
      ...shared,
      about: event.involvedObject ?? {},
      source: event.source ?? {},
      component: event.reportingComponent,
      message: event.message,
      first: event.firstTimestamp,
      last: event.lastTimestamp,
      count: event.count,
    }
  }
  return {
    ...shared,
    about: event.regarding ?? {},
    source: event.deprecatedSource ?? {},
    component: event.reportingController,
    message: event.note,
    first: event.deprecatedFirstTimestamp,
    last: event.deprecatedLastTimestamp,
    count: event.deprecatedCount,
  }
}

const firstSeen = (event: AnyEvent) => report(event).first ?? event.eventTime

export const eventColumns: Column<AnyEvent>[] = [
  text('Last Seen', 'Time since it last happened.', (event, now) =>
    since(event.series?.lastObservedTime ?? report(event).last ?? firstSeen(event), now),
  ),
  text('Type', 'Normal or Warning.', ({ type }) => type ?? ''),
  text('Reason', 'Why it was reported, in one word.', ({ reason }) => reason ?? ''),
  text('Object', 'What it is about.', event => {
    const { kind = '', name } = report(event).about
    return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase()
  }),
  wide(text('Subobject', 'Which part of the object it is about.', event => report(event).about.fieldPath ?? '')),
  wide(text('Source', 'Who reported it.', eventSource)),
  text('Message', 'What happened.', event => (report(event).message ?? '').trim()),
  wide(text('First Seen', 'Time since it first happened.', (event, now) => since(firstSeen(event), now))),
  wide(text('Count', 'How often it happened.', event => event.series?.count ?? (report(event).count || 1))),
  wide(nameColumn),
]

function eventSource(event: AnyEvent): string {
  const { source, component, instance } = report(event)
  return [source.component || component, source.host || instance].filter(Boolean).join(', ')
}

export const leaseColumns: Column<coordination.Lease>[] = [
  nameColumn,
  text('Holder', 'Who holds it.', ({ spec }) => spec.holderIdentity ?? ''),
  ageColumn,
]

export const resourceQuotaColumns: Column<core.ResourceQuota>[] = [
  nameColumn,
  text('Request', 'Used and allowed, of requests and counts.', quota => quotaUse(quota, false)),
  text('Limit', 'Used and allowed, of limits.', quota => quotaUse(quota, true)),
  ageColumn,
]

function quotaUse({ status }: core.ResourceQuota, limits: boolean): string {
  const names = Object.keys(status.hard ?? {}).filter(name => name.startsWith('limits') === limits)
  return names
    .sort()
    .map(name => `${name}: ${status.used?.[name] ?? '0'}/${status.hard![name]}`)
    .join(', ')
}

export const priorityClassColumns: Column<scheduling.PriorityClass>[] = [
  nameColumn,
  integer('Value', 'Priority of the pods; more goes first.', ({ value }) => value ?? 0),
  boolean('Global-Default', 'Whether pods that name no class get it.', ({ globalDefault }) => globalDefault ?? false),
  ageColumn,
  text('PreemptionPolicy', 'Whether its pods push others out.', ({ preemptionPolicy }) => preemptionPolicy ?? ''),
]

export const certificateSigningRequestColumns: Column<certificates.CertificateSigningRequest>[] = [
  nameColumn,
  ageColumn,
  text('SignerName', 'Who is asked to sign.', ({ spec }) => spec.signerName || NONE),
  text('Requestor', 'Who asks.', ({ spec }) => spec.username ?? ''),
  text('RequestedDuration', 'How long the certificate should live.', ({ spec }) =>
    spec.expirationSeconds === undefined ? NONE : humanDuration(spec.expirationSeconds * 1000),
  ),
  text('Condition', 'What was decided.', ({ status }) => {
    const has = (wanted: string) => findCondition(status.conditions, wanted)
    const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
    return `${decision}${has('Failed') ? ',Failed' : ''}${status.certificate ? ',Issued' : ''}`
  }),
]

export const apiServiceColumns: Column<apiregistration.APIService>[] = [
  nameColumn,
  text('Service', 'Service that serves the group.', ({ spec }) =>
    spec.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local',
  ),
  text('Available', 'Whether it can be reached.', ({ status }) => {
    const available = findCondition(status.conditions, 'Available')
    if (!available) return 'Unknown'
    return available.status === 'True' ? 'True' : `${available.status} (${available.reason})`
  }),
  ageColumn,
]

export const componentStatusColumns: Column<core.ComponentStatus & KubeObject>[] = [
  nameColumn,
  text('Status', 'Whether the component is well.', ({ conditions }) => {
    const healthy = findCondition(conditions, 'Healthy')
    return healthy ? (healthy.status === 'True' ? 'Healthy' : 'Unhealthy') : 'Unknown'
  }),
  text('Message', 'What it says of itself.', ({ conditions }) => conditions?.[0]?.message ?? ''),
  text('Error', 'What went wrong.', ({ conditions }) => conditions?.[0]?.error ?? ''),
]
