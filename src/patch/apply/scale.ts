import type { meta } from '../../api/index.ts'
import { difference, hasPath, setOf } from './field-set.ts'
import { isSameManager, type Owner, trustedOwners, writeOwners } from './owners.ts'

type Entries = meta.ManagedFieldsEntry[] | undefined

/** The path of the number of replicas in an object, for each version of the object: `['f:spec', 'f:replicas']`. */
export type ReplicasPaths = Record<string, string[]>

const SCALE_VERSION = 'autoscaling/v1'
const IN_SCALE = ['f:spec', 'f:replicas']

/** The owners of a Scale: those of its object who own the number of replicas. Source: managedfields scalehandler.go */
export function scaleOwners(entries: Entries, paths: ReplicasPaths): Entries {
  const owners = trustedOwners(entries).filter(owner => ownsReplicas(owner, paths))
  return writeOwners(owners.map(inScale))
}

const inScale = (owner: Owner): Owner => ({ ...owner, apiVersion: SCALE_VERSION, fields: setOf(IN_SCALE) })

const ownsReplicas = ({ apiVersion, fields }: Owner, paths: ReplicasPaths) =>
  paths[apiVersion] !== undefined && hasPath(fields, paths[apiVersion])

/** The owners of the object, of whose number of replicas its Scale now has these owners. */
export function ownersFromScale(entries: Entries, scaled: Entries, apiVersion: string, paths: ReplicasPaths): Entries {
  let fresh = trustedOwners(scaled).filter(({ fields }) => hasPath(fields, IN_SCALE))
  const kept = trustedOwners(entries).flatMap(owner => {
    if (!paths[owner.apiVersion]) return []
    if (!ownsReplicas(owner, paths)) return [owner]
    const still = fresh.find(other => isSameManager(other, inScale(owner)))
    if (still) {
      fresh = fresh.filter(other => other !== still)
      return [{ ...owner, ...(still.time ? { time: still.time } : {}) }]
    }
    const fields = difference(owner.fields, setOf(paths[owner.apiVersion]!))
    return fields ? [{ ...owner, fields }] : []
  })
  return writeOwners([...kept, ...fresh.map(owner => ({ ...owner, apiVersion, fields: setOf(paths[apiVersion]!) }))])
}
