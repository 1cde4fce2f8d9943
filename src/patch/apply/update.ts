import type { KubeObject } from '../../api/index.ts'
import { type Comparison, compare } from './compare.ts'
import { difference, type FieldSet, LEAF, union } from './field-set.ts'
import { isSameManager, type Manager, type Owner } from './owners.ts'
import type { Schema } from './schema.ts'

/** The versions in which a resource is served, as far as ownership needs them. */
export interface Versions {
  /** Undefined for a version that is not, or no longer, served: what is owned in it is forgotten. */
  schema(apiVersion: string): Schema | undefined
  /** Whether schemas change while there are objects, as those of custom resources may. */
  changing?: boolean
  /** The object, which is in the version of the request, in another one. */
  convert(object: KubeObject, apiVersion: string): KubeObject | Promise<KubeObject>
}

/** A write, as far as ownership is concerned. */
export interface Write {
  versions: Versions
  /** Who writes, through which subresource, and in which version. */
  author: Omit<Manager, 'operation'>
  /** Leaves of a set the fields that such a write can change at all: status, or all but status. */
  relevant(set: FieldSet | undefined): FieldSet | undefined
  /** RFC 3339 */
  now: string
}

/** What nobody owns, as the server alone decides it. Source: managedfields/internal stripmeta.go */
const SYSTEM_FIELDS: FieldSet = {
  'f:apiVersion': LEAF,
  'f:kind': LEAF,
  'f:metadata': {
    '.': LEAF,
    'f:clusterName': LEAF,
    'f:creationTimestamp': LEAF,
    'f:generation': LEAF,
    'f:managedFields': LEAF,
    'f:name': LEAF,
    'f:namespace': LEAF,
    'f:resourceVersion': LEAF,
    'f:selfLink': LEAF,
    'f:uid': LEAF,
  },
}

export const withoutSystemFields = (set: FieldSet | undefined) => difference(set, SYSTEM_FIELDS)

/**
 * The owners after an ordinary write: its author owns what it has changed, and nobody else does any longer.
 * The objects are in the author's version and without managedFields. Throws an UnnamedItem.
 * Source: sigs.k8s.io/structured-merge-diff merge Update, managedfields/internal managedfieldsupdater.go
 */
export async function updateOwners(
  write: Write,
  live: KubeObject,
  object: KubeObject,
  owners: Owner[],
): Promise<Owner[]> {
  const { author, now } = write
  const comparisons = comparer(write, live, object)
  const others: Owner[] = []
  for (const owner of owners) {
    const kept = ownedStill(owner, await comparisons(owner.apiVersion))
    if (kept) others.push(kept)
  }
  const fields = withoutSystemFields((await comparisons(author.apiVersion))?.changed)
  if (!fields) return others
  const self: Owner = { ...author, operation: 'Update', time: now, fields }
  const before = others.find(owner => isSameManager(owner, self))
  if (before) self.fields = union(before.fields, fields)!
  return [...others.filter(owner => owner !== before), self]
}

/** The owner without what it has lost; undefined when nothing is left to it. */
export function ownedStill(owner: Owner, comparison: Comparison | undefined): Owner | undefined {
  if (!comparison) return undefined
  const { changed, removed } = comparison
  if (!changed && !removed) return owner
  const fields = difference(difference(owner.fields, changed), removed)
  return fields && { ...owner, fields }
}

/** How the two objects differ in a version, compared once for each; undefined for a version that is not served. */
export function comparer(
  { versions, author, relevant }: Write,
  live: KubeObject,
  object: KubeObject,
): (apiVersion: string) => Promise<Comparison | undefined> {
  const known = new Map<string, Comparison | undefined>()
  return async apiVersion => {
    if (known.has(apiVersion)) return known.get(apiVersion)
    const schema = versions.schema(apiVersion)
    const at = async (one: KubeObject) =>
      apiVersion === author.apiVersion ? one : withoutManagers(await versions.convert(one, apiVersion))
    let found: Comparison | undefined
    if (schema) {
      const { changed, removed } = compare(schema, await at(live), await at(object))
      found = { changed: relevant(changed), removed: relevant(removed) }
    }
    known.set(apiVersion, found)
    return found
  }
}

/** A shallow copy whose metadata has no managedFields. */
export function withoutManagers<T extends KubeObject>(object: T): T {
  if (object.metadata?.managedFields === undefined) return object
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}
