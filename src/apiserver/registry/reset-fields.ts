import { type FieldSet, matching, setOf, without } from '../../patch/index.ts'
import type { Served } from './served.ts'

/** Leaves of a set of paths those that a write through a subresource, or to the object itself, can change. */
type Relevant = (set: FieldSet | undefined) => FieldSet | undefined

const except = (...paths: string[][]): Relevant => {
  const sets = paths.map(setOf)
  return set => sets.reduce<FieldSet | undefined>(without, set)
}

const only =
  (...patterns: string[][]): Relevant =>
  set =>
    matching(set, patterns)

const STATUS = ['f:status']
const SPEC = ['f:spec']
const METADATA = ['f:metadata']

const everything: Relevant = set => set
const exceptStatus = except(STATUS)
const exceptSpec = except(SPEC)
const exceptSpecAndStatus = except(SPEC, STATUS)

type MetadataField = 'labels' | 'annotations' | 'finalizers' | 'ownerReferences'

/** All that a client may say of an object's metadata, once there is the object. */
const ALL: MetadataField[] = ['labels', 'annotations', 'finalizers', 'ownerReferences']

/** What of the metadata a status write leaves as it was. Source: PrepareForUpdate of upstream's status strategies */
const STATUS_KEEPS: Record<string, MetadataField[]> = {
  apiservices: ALL,
  customresourcedefinitions: ALL,
  deployments: ['labels'],
  devicetaintrules: ALL,
  flowschemas: ALL,
  pods: ['ownerReferences'],
  prioritylevelconfigurations: ALL,
  resourceclaims: ALL,
  servicecidrs: ALL,
  storageversionmigrations: ALL,
  validatingadmissionpolicies: ALL,
  volumeattachments: ALL,
}

/** What of the metadata a write through a subresource leaves as it was. */
export function keptMetadata({ resource, custom }: Served, subresource: string): readonly MetadataField[] {
  if (subresource === 'status') return custom ? ALL : (STATUS_KEEPS[resource.resource] ?? [])
  return subresource === 'ephemeralcontainers' || subresource === 'resize' ? ALL : []
}

function statusWrite(served: Served): Relevant {
  const { resource } = served.resource
  if (resource === 'certificatesigningrequests') return exceptSpecAndConditions
  if (resource === 'pods') return exceptKeptOfPod
  const kept = keptMetadata(served, 'status')
  if (kept === ALL) return exceptSpecAndMetadata
  return kept.length ? except(SPEC, ...kept.map(field => ['f:metadata', `f:${field}`])) : exceptSpec
}

const exceptSpecAndMetadata = except(SPEC, METADATA)
const exceptSpecAndConditions = except(SPEC, ['f:status', 'f:conditions'])
const exceptKeptOfPod = except(SPEC, ['f:metadata', 'f:deletionTimestamp'], ['f:metadata', 'f:ownerReferences'])

const container = (list: string) =>
  ['f:resources', 'f:resizePolicy'].map(field => ['f:spec', list, '*', field] as string[])

const OTHER_SUBRESOURCES: Record<string, Relevant> = {
  approval: except(SPEC, ['f:status', 'f:certificate']),
  finalize: exceptStatus,
  ephemeralcontainers: only(['f:spec', 'f:ephemeralContainers']),
  resize: only(...container('f:containers'), ...container('f:initContainers')),
}

/** What of an object a write counts as its author's; the rest, the server keeps as it was. */
export function relevantFields(served: Served, subresource: string): Relevant {
  if (subresource === 'status') return statusWrite(served)
  if (subresource) return OTHER_SUBRESOURCES[subresource] ?? everything
  if (served.resource.resource === 'certificatesigningrequests') return exceptSpecAndStatus
  return served.hasStatus ? exceptStatus : everything
}
