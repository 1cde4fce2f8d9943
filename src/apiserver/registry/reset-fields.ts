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

/** Where a status write leaves more than the spec as it was. Source: GetResetFields of upstream's strategies */
const STATUS_WRITES: Record<string, Relevant> = {
  pods: except(SPEC, ['f:metadata', 'f:deletionTimestamp'], ['f:metadata', 'f:ownerReferences']),
  deployments: except(SPEC, ['f:metadata', 'f:labels']),
  apiservices: except(SPEC, METADATA),
  customresourcedefinitions: except(SPEC, METADATA),
  volumeattachments: except(SPEC, METADATA),
  flowschemas: except(SPEC, METADATA),
  prioritylevelconfigurations: except(SPEC, METADATA),
  resourceclaims: except(SPEC, METADATA),
  certificatesigningrequests: except(SPEC, ['f:status', 'f:conditions']),
}

const container = (list: string) =>
  ['f:resources', 'f:resizePolicy'].map(field => ['f:spec', list, '*', field] as string[])

const OTHER_SUBRESOURCES: Record<string, Relevant> = {
  approval: except(SPEC, ['f:status', 'f:certificate']),
  ephemeralcontainers: only(['f:spec', 'f:ephemeralContainers']),
  resize: only(...container('f:containers'), ...container('f:initContainers')),
}

/** What of an object a write counts as its author's; the rest, the server keeps as it was. */
export function relevantFields({ resource, hasStatus, custom, strategy }: Served, subresource: string): Relevant {
  if (subresource === 'status')
    return custom ? except(SPEC, METADATA) : (STATUS_WRITES[resource.resource] ?? exceptSpec)
  if (subresource) return OTHER_SUBRESOURCES[subresource] ?? everything
  return hasStatus && !strategy.statusOnCreate ? exceptStatus : everything
}
