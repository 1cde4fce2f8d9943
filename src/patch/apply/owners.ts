import type { meta } from '../../api/index.ts'
import { equal } from '../json.ts'
import { type FieldSet, readFieldSet, union } from './field-set.ts'

type Entry = meta.ManagedFieldsEntry

/** Who has set fields: somebody may be there twice, as one who applies and as one who updates. */
export interface Manager {
  manager: string
  operation: 'Apply' | 'Update'
  /** The version of the API in which the fields were set, and in which their paths are to be read. */
  apiVersion: string
  /** Empty for the object itself. */
  subresource: string
}

/** A manager and the fields that it has set: one entry of managedFields. */
export interface Owner extends Manager {
  /** RFC 3339; when the set last changed. */
  time?: string
  fields: FieldSet
}

/** Who applies remains the same in another version. Source: managedfields/internal BuildManagerIdentifier */
export const isSameManager = (a: Manager, b: Manager): boolean =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.subresource === b.subresource &&
  (a.operation === 'Apply' || a.apiVersion === b.apiVersion)

/** What a client sent, of which entries without fields are dropped; undefined when an entry is not valid. */
export function readOwners(entries: Entry[] | undefined): Owner[] | undefined {
  let owners: Owner[] = []
  for (const entry of entries ?? []) {
    const owner = readOwner(entry)
    if (!owner) return undefined
    owners = owners.filter(other => !isSameManager(other, owner))
    if (owner.fields) owners.push({ ...owner, fields: owner.fields })
  }
  return owners
}

function readOwner({ manager = '', operation, apiVersion, time, fieldsType, fieldsV1, subresource = '' }: Entry) {
  if ((operation !== 'Apply' && operation !== 'Update') || !apiVersion || fieldsType !== 'FieldsV1') return undefined
  try {
    const fields = readFieldSet(fieldsV1 ?? {})
    return { manager, operation, apiVersion, subresource, fields, ...(time ? { time } : {}) } as const
  } catch {
    return undefined
  }
}

/** Why entries are not valid, in upstream's words. Source: k8s.io/apimachinery/pkg/util/managedfields ValidateManagedFields */
export function ownersProblem(entries: Entry[] | undefined): string | undefined {
  for (const [index, entry] of (entries ?? []).entries()) {
    const { operation, apiVersion, fieldsType } = entry
    if (operation !== 'Apply' && operation !== 'Update') return 'operation must be `Apply` or `Update`'
    if (!apiVersion) return 'apiVersion must not be empty'
    if (!fieldsType) return `missing fieldsType in managed fields entry ${index}`
    if (fieldsType !== 'FieldsV1')
      return `invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${index}`
    if (!readOwner(entry)) return `error decoding versioned set from managed fields entry ${index}`
  }
  return undefined
}

/** The stored form of the same entries, which needs no check. Of one manager's the last counts: a Scale may leave two. */
export const trustedOwners = (entries: Entry[] | undefined): Owner[] =>
  (entries ?? [])
    .map(({ manager = '', operation, apiVersion = '', time, fieldsV1, subresource = '' }) => ({
      manager,
      operation: operation as Manager['operation'],
      apiVersion,
      subresource,
      fields: (fieldsV1 ?? {}) as FieldSet,
      ...(time ? { time } : {}),
    }))
    .filter((owner, index, all) => !all.some((other, at) => at > index && isSameManager(owner, other)))

/** Entries in the order in which upstream writes them: those of appliers first, then by time; undefined for none. */
export function writeOwners(owners: Owner[]): Entry[] | undefined {
  if (!owners.length) return undefined
  return [...owners].sort(inOrder).map(({ manager, operation, apiVersion, time, subresource, fields }) => ({
    ...(manager ? { manager } : {}),
    operation,
    apiVersion,
    ...(time ? { time } : {}),
    fieldsType: 'FieldsV1',
    fieldsV1: fields as Record<string, unknown>,
    ...(subresource ? { subresource } : {}),
  }))
}

const compareText = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1)

const inOrder = (a: Owner, b: Owner): number =>
  compareText(a.operation, b.operation) ||
  compareText(a.time ?? '', b.time ?? '') ||
  compareText(a.manager, b.manager) ||
  compareText(a.apiVersion, b.apiVersion) ||
  compareText(a.subresource, b.subresource)

/** Whether the entries are the same but for their times. */
export function isSameOwnership(a: Entry[] | undefined, b: Entry[] | undefined): boolean {
  const timeless = (entries: Entry[] = []) =>
    new Set(entries.map(({ time: _, fieldsV1, ...rest }) => JSON.stringify([rest, fieldsV1], undefined)))
  if (equal(a, b)) return true
  const [one, other] = [timeless(a), timeless(b)]
  return one.size === other.size && [...one].every(entry => other.has(entry))
}

/** How many managers that update an object may have. Source: managedfields/internal DefaultMaxUpdateManagers */
const MOST_UPDATERS = 10
const ANCIENT = 'ancient-changes'

/**
 * With more than ten managers that update, the oldest of each version become one. Source: capmanagers.go
 */
export function capped(owners: Owner[]): Owner[] {
  const updaters = owners.filter(({ operation }) => operation === 'Update')
  let excess = updaters.length - MOST_UPDATERS
  if (excess <= 0) return owners
  const oldest = updaters.sort((a, b) => compareText(a.time ?? '', b.time ?? '') || compareText(a.manager, b.manager))
  const gone = new Set<Owner>()
  /** Of each version the oldest, which becomes the bucket as soon as another joins it. */
  const buckets = new Map<string, Owner>()
  for (const owner of oldest) {
    if (excess <= 0) break
    const { apiVersion, time, fields } = owner
    const bucket = buckets.get(apiVersion)
    if (bucket) {
      gone.add(bucket).add(owner)
      const joined = { ...bucket, manager: ANCIENT, subresource: '', fields: union(bucket.fields, fields)! }
      buckets.set(apiVersion, time ? { ...joined, time } : joined)
      excess--
    } else buckets.set(apiVersion, owner)
  }
  const joined = [...buckets.values()].filter(({ manager }) => manager === ANCIENT)
  return [...owners.filter(owner => !gone.has(owner) && !joined.includes(owner)), ...joined]
}
