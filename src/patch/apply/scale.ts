import type { meta } from '../../api/index.ts'
import { difference, hasPath, setOf } from './field-set.ts'
import { isSameManager, type Owner, trustedOwners, writeOwners } from './owners.ts'

type Entries = meta.ManagedFieldsEntry[] | undefined

/**
 * The path of the number of replicas in an object, `['f:spec', 'f:replicas']`, for each version of the object that there
 * is; null for a version without one.
 */
export type ReplicasPaths = Record<string, string[] | null>

const SCALE_VERSION = 'autoscaling/v1'
const IN_SCALE = ['f:spec', 'f:replicas']

/** The owners of a Scale: those of its object who own the number of replicas. Source: managedfields scalehandler.go */
export function scaleOwners(entries: Entries, paths: ReplicasPaths): Entries {
  const owners = trustedOwners(entries).filter(owner => ownsReplicas(owner, paths))
  return writeOwners(owners.map(inScale))
}

const inScale = (owner: Owner): Owner => ({ ...owner, apiVersion: SCALE_VERSION, fields: setOf(IN_SCALE) })

const ownsReplicas = ({ apiVersion, fields }: Owner, paths: ReplicasPaths) =>
  !!paths[apiVersion] && hasPath(fields, paths[apiVersion])

/** The owners of the object, of whose number of replicas its Scale now has these owners. */
export function ownersFromScale(entries: Entries, scaled: Entries, apiVersion: string, paths: ReplicasPaths): Entries {
  let fresh = trustedOwners(scaled).filter(({ fields }) => hasPath(fields, IN_SCALE))
  const kept = trustedOwners(entries).flatMap(owner => {
    if (paths[owner.apiVersion] === undefined) return []
    if (!ownsReplicas(owner, paths)) return [owner]
    // Who updates is another manager in another version, so that nobody who updates the object stays one of its Scale.
    const still = fresh.find(other => isSameManager(other, owner))
    if (still) {
      fresh = fresh.filter(other => other !== still)
      return [owner]
    }
    const fields = difference(owner.fields, setOf(paths[owner.apiVersion]!))
    return fields ? [{ ...owner, fields }] : []
  })
  const before = trustedOwners(entries)
  const added = fresh.map(owner => {
    const { manager, operation, subresource } = owner
    // Upstream looks the time up among the owners of the object, of whom few are the same.
    const time = before.find(other => isSameManager(other, owner))?.time
    const fields = setOf(paths[apiVersion]!)
    return { manager, operation, subresource, apiVersion, fields, ...(time ? { time } : {}) }
  })
  return writeOwners([...kept, ...added])
}
