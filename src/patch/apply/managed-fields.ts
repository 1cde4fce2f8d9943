import { errors, type KubeObject, type meta } from '../../api/index.ts'
import { unmergeable } from '../errors.ts'
import { equal } from '../json.ts'
import { type Applied, applyConfiguration } from './apply.ts'
import { ApplyConflict, conflictError } from './conflict.ts'
import { UnnamedItem } from './elements.ts'
import { reconciled } from './field-set.ts'
import { KUBECTL, unclaimedConflicts, withLastApplied } from './last-applied.ts'
import { capped, type Owner, readOwners, trustedOwners, writeOwners } from './owners.ts'
import { updateOwners, type Write, withoutManagers } from './update.ts'
import { misfits } from './validate.ts'

type Entries = meta.ManagedFieldsEntry[] | undefined

/**
 * The managedFields of an object that is created, updated or patched. `live` is what there was before; of a new object
 * it is an empty one of its type, as Go would make it. What the client sent as managedFields counts, if it is valid.
 * Source: managedfields/internal fieldmanager.go Update, skipnonapplied.go
 */
export async function trackUpdate(write: Write, live: KubeObject, object: KubeObject): Promise<Entries> {
  const held = live.metadata?.managedFields
  const owners = settled(write, ownersBefore(write.author.subresource, object.metadata.managedFields, held))
  // Of an object whose owners were once forgotten, nobody is remembered until it is applied.
  if (!owners.length && live.metadata?.uid) return undefined
  try {
    const now = await updateOwners(write, withoutManagers(live), withoutManagers(object), owners)
    return writeOwners(capped(now))
  } catch (error) {
    // Of lists that do not fit their types nobody can say who owns what.
    if (error instanceof UnnamedItem) return undefined
    throw error
  }
}

function ownersBefore(subresource: string, sent: Entries, held: Entries): Owner[] {
  if (subresource || equal(sent, held)) return trustedOwners(held)
  if (isReset(sent)) return []
  const owners = readOwners(sent)
  return owners?.length ? owners : trustedOwners(held)
}

/** The owners as the schemas are now. */
const settled = ({ versions }: Write, owners: Owner[]): Owner[] =>
  versions.changing
    ? owners.map(owner => ({ ...owner, fields: reconciled(owner.fields, versions.schema(owner.apiVersion)) }))
    : owners

/** An empty list or entry asks for all to be forgotten; no list comes from clients that do not know of managedFields. */
const isReset = (sent: Entries) => sent?.length === 0 || (sent?.length === 1 && Object.keys(sent[0]!).length === 0)

export interface Application {
  /** In the author's version, as `trackUpdate` takes it. */
  live: KubeObject
  /** An empty object of the type. */
  empty: KubeObject
  /** What the client sent, parsed. */
  configuration: KubeObject
  kind: { group: string; version: string; kind: string }
  force: boolean
}

/** What an apply comes to. */
export interface Outcome {
  /** Neither in canonical form nor with defaults; undefined when nothing but ownership has changed. */
  object?: KubeObject
  managedFields: Entries
}

/**
 * Applies a configuration. Rejects with 400 and 500 in upstream's words when it does not fit, and with 409 when others
 * own what it would change. Source: managedfields/internal fieldmanager.go Apply
 */
export async function apply(write: Write, application: Application): Promise<Outcome> {
  const { configuration, live, empty, force } = application
  check(write, application)
  const bare = withoutManagers(live)
  const owners = settled(write, trustedOwners(live.metadata?.managedFields))
  const before = owners.length ? owners : await firstOwners(write, empty, bare)
  let applied = await attempt(write, bare, configuration, before, force)
  const { manager } = write.author
  if (manager === KUBECTL) {
    const object = applied.object ?? bare
    const noted = withLastApplied(object, configuration)
    if (noted !== object && !equal(noted, object)) applied = { ...applied, object: noted }
  }
  return { ...(applied.object ? { object: applied.object } : {}), managedFields: writeOwners(applied.owners) }
}

/** Everything that was there before the first apply belongs to one manager of its own. */
const firstOwners = (write: Write, empty: KubeObject, live: KubeObject) =>
  updateOwners({ ...write, author: { ...write.author, manager: 'before-first-apply' } }, empty, live, [])

/** kubectl may take over what its own client side has applied. */
async function attempt(
  write: Write,
  live: KubeObject,
  configuration: KubeObject,
  owners: Owner[],
  force: boolean,
): Promise<Applied> {
  try {
    return await applyConfiguration(write, live, configuration, owners, force)
  } catch (error) {
    if (!(error instanceof ApplyConflict)) throw error
    const { manager, apiVersion } = write.author
    const schema = write.versions.schema(apiVersion)!
    const { conflicts } = error
    const left = manager === KUBECTL ? unclaimedConflicts(schema, apiVersion, live, conflicts) : conflicts
    if (left.length) throw conflictError(left)
    return applyConfiguration(write, live, configuration, owners, true)
  }
}

/** What was sent may be anything. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

function check({ versions, author }: Write, { configuration, kind }: Application): void {
  const { metadata } = configuration
  const [apiVersion, given] = [textOf(configuration.apiVersion), textOf(configuration.kind)]
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  const named = `${group}/${version}, Kind=${given}`
  if (apiVersion !== author.apiVersion || given !== kind.kind) throw errors.badRequest(`invalid object type: ${named}`)
  if (metadata?.managedFields) throw errors.badRequest('metadata.managedFields must be nil')
  const problems = misfits(versions.schema(apiVersion)!, configuration)
  if (!problems.length) return
  const text = problems.length === 1 ? problems[0] : ['errors:', ...problems.map(problem => `  ${problem}`)].join('\n')
  const about = `${textOf(metadata?.namespace)}/${textOf(metadata?.name)}; ${named}`
  throw unmergeable(`failed to create typed patch object (${about}): ${text}`)
}

/**
 * The times of the old entries where nothing but times would change, so that what changes nothing is no write.
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/fieldmanager equality.go
 */
export function settledTimes(object: KubeObject, old: KubeObject): Entries {
  const [now, before] = [object.metadata.managedFields, old.metadata.managedFields]
  if (!now || !before || now.length !== before.length) return now
  if (now.every(({ time }, index) => time === before[index]!.time)) return now
  // Entry by entry: where a newer time has put one behind another, it stays so.
  const unchanged = now.every((entry, index) => equal(timeless(entry), timeless(before[index]!)))
  return unchanged && equal(withoutManagers(object), withoutManagers(old)) ? before : now
}

const timeless = ({ time: _, ...entry }: meta.ManagedFieldsEntry) => entry
