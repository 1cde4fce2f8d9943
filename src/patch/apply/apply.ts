import type { KubeObject } from '../../api/index.ts'
import { equal, isObject } from '../json.ts'
import { ApplyConflict, type Conflict } from './conflict.ts'
import { fieldsOf } from './extract.ts'
import { difference, type FieldSet, intersection, union, withNamedFields } from './field-set.ts'
import { merge } from './merge.ts'
import { isSameManager, type Owner } from './owners.ts'
import { removeFields } from './remove.ts'
import type { Schema } from './schema.ts'
import { comparer, ownedStill, type Versions, type Write, withoutSystemFields } from './update.ts'

/** The outcome of an apply. */
export interface Applied {
  /** The merged object, neither in canonical form nor with defaults; undefined when the live one is as wanted already. */
  object?: KubeObject
  owners: Owner[]
}

/**
 * Merges a configuration that fits its schema into the live object. The author owns what the configuration says, and
 * what it said before and no longer says goes, unless somebody else owns it too. Without `force` it rejects with an
 * ApplyConflict when somebody else owns what would change.
 * The objects are in the author's version and without managedFields.
 * Source: sigs.k8s.io/structured-merge-diff merge Apply; https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export async function applyConfiguration(
  write: Write,
  live: KubeObject,
  configuration: KubeObject,
  owners: Owner[],
  force: boolean,
): Promise<Applied> {
  const { author, versions, relevant, now } = write
  const schema = versions.schema(author.apiVersion)!
  const fields = relevant(fieldsOf(schema, configuration))
  const manager = { ...author, operation: 'Apply' as const }
  const before = owners.find(owner => isSameManager(owner, manager))
  const others = owners.filter(owner => owner !== before)
  const merged = merge(schema, live, configuration) as KubeObject
  const claims = fields ? [...others, { ...manager, fields }] : others
  const object = before ? await prune(write, merged, before, claims) : merged
  const { kept, conflicts } = await contest(write, live, object, others)
  if (conflicts.length && !force) throw new ApplyConflict(conflicts)
  const changed = !equal(live, object)
  const time = changed ? now : before?.time
  const owned = withoutSystemFields(fields)
  const self = owned && { ...manager, fields: owned, ...(time ? { time } : {}) }
  return { ...(changed ? { object } : {}), owners: self ? [...kept, self] : kept }
}

/** What the other owners keep of their fields, and which of them the change would take from them. */
async function contest(write: Write, live: KubeObject, object: KubeObject, others: Owner[]) {
  const comparisons = comparer(write, live, object)
  const kept: Owner[] = []
  const conflicts: Conflict[] = []
  for (const owner of others) {
    const comparison = await comparisons(owner.apiVersion)
    const contested = intersection(owner.fields, comparison?.changed)
    if (contested) conflicts.push({ owner, fields: contested })
    const still = ownedStill(owner, comparison)
    if (still) kept.push(still)
  }
  return { kept, conflicts }
}

/**
 * Takes out of the merged object what its author owned and no longer claims. Everything that was owned goes first, then
 * comes back what is still claimed in any version, and at last what the author never owned.
 */
async function prune(write: Write, merged: KubeObject, before: Owner, claims: Owner[]): Promise<KubeObject> {
  const { versions, author } = write
  const version = before.apiVersion
  const schema = versions.schema(version)
  const claim = claims.find(owner => isSameManager(owner, before))
  const keepsAll = version === author.apiVersion && !difference(before.fields, claim?.fields)
  if (!schema || keepsAll) return merged
  const whole = await inVersion(versions, merged, author.apiVersion, version)
  const owned = withNamedFields(before.fields, schema)
  let pruned = remove(schema, whole, owned)
  let current = version
  for (const [claimed, set] of byVersion(claims, version)) {
    const claimedSchema = versions.schema(claimed)
    if (!claimedSchema) continue
    const full = await inVersion(versions, merged, author.apiVersion, claimed)
    const rest = await inVersion(versions, pruned, current, claimed)
    const unclaimed = difference(
      named(claimedSchema, full),
      union(named(claimedSchema, rest), withNamedFields(set, claimedSchema)),
    )
    pruned = remove(claimedSchema, full, unclaimed)
    current = claimed
  }
  pruned = await inVersion(versions, pruned, current, version)
  const gone = intersection(difference(named(schema, whole), named(schema, pruned)), owned)
  return inVersion(versions, remove(schema, whole, gone), version, author.apiVersion)
}

const named = (schema: Schema, object: KubeObject) => withNamedFields(fieldsOf(schema, object), schema)

const remove = (schema: Schema, object: KubeObject, set: FieldSet | undefined) =>
  (removeFields(schema, object, set) ?? {}) as KubeObject

/** All that is claimed in each version; the given one comes first. */
function byVersion(claims: Owner[], first: string): Map<string, FieldSet | undefined> {
  const sets = new Map<string, FieldSet | undefined>()
  for (const { apiVersion, fields } of [...claims].sort(({ apiVersion }) => (apiVersion === first ? -1 : 1)))
    sets.set(apiVersion, union(sets.get(apiVersion), fields))
  return sets
}

async function inVersion(versions: Versions, object: KubeObject, from: string, to: string): Promise<KubeObject> {
  if (from === to) return object
  const given = { ...object, metadata: isObject(object.metadata) ? object.metadata : { name: '' } } as KubeObject
  return versions.convert({ ...given, apiVersion: from }, to)
}
