import { apiVersion, errors, formatTime, type KubeObject, type meta, parseTime } from '../../api/index.ts'
import { type Entry, RevisionMismatch } from '../../store/index.ts'
import { attributesOf } from '../admission/admission.ts'
import { encode } from './encode.ts'
import { type Call, type Registry, storeOf } from './registry.ts'
import { returnsDeleted } from './returned.ts'
import { decodeEntry, keyOf, type Served } from './served.ts'

/** What a delete left: the object, marked or as it last was; `gone` when it is no more. */
export interface Deleted {
  entry: Entry
  gone: boolean
}

/** The finalizers by which the garbage collector is asked to do more than drop the object. */
const ORPHAN = 'orphan'
const FOREGROUND = 'foregroundDeletion'

const ATTEMPTS = 20

/**
 * Deletes, or marks for deletion what must end gracefully or has finalizers.
 * Source: k8s.io/apiserver/pkg/registry/rest delete.go BeforeDelete, registry/generic/registry store.go Delete
 */
export async function remove(registry: Registry, call: Call, options: meta.DeleteOptions): Promise<Deleted> {
  const { served, namespace, name } = call
  let entry = await storeOf(registry, served).get(keyOf(served, namespace, name))
  for (let attempt = 1; ; attempt++) {
    if (!entry) throw errors.notFound(served.resource, name)
    const object = decodeEntry(entry)
    checkPreconditions(served, object, options)
    try {
      return await removeOnce(registry, call, options, entry, object)
    } catch (error) {
      if (!(error instanceof RevisionMismatch)) throw error
      if (attempt === ATTEMPTS) throw errors.modified(served.resource, name)
      entry = error.current
    }
  }
}

async function removeOnce(
  registry: Registry,
  call: Call,
  options: meta.DeleteOptions,
  entry: Entry,
  object: KubeObject,
): Promise<Deleted> {
  const { served, dryRun } = call
  const { strategy } = served
  const old = decodeEntry(entry)
  if (!call.admitted) {
    const attributes = attributesOf(call, { operation: 'DELETE', old, body: options })
    await registry.admission.mutate(attributes)
    await registry.admission.validate(attributes)
  }
  setPropagation(object, options, strategy.defaultPropagation)
  const grace = mark(registry, served, object, options)
  const first = !old.metadata.deletionTimestamp
  const held = !!object.metadata.finalizers?.length || (strategy.held?.(object) ?? false)
  if (held || (grace !== undefined && grace > 0)) {
    if (held && !object.metadata.deletionTimestamp) {
      // What has to be emptied first goes in its own time, and no change is counted.
      if (strategy.held) object.metadata.deletionTimestamp = formatTime(registry.clock.now())
      else markDeleted(object, registry.clock.now(), 0)
    }
    if (first) strategy.deleting?.(object)
    return { entry: await rewrite(registry, call, object, entry), gone: false }
  }
  // What must end gracefully is marked even if no time is left to it, and shown so.
  const value = grace === undefined ? entry.value : encode(served, object)
  if (dryRun) return { entry: { ...entry, value }, gone: true }
  const { revision } = await storeOf(registry, served).delete(entry.key, entry.modRevision)
  strategy.afterDelete?.(object)
  return { entry: { ...entry, value, modRevision: revision }, gone: true }
}

async function rewrite(registry: Registry, { served, dryRun }: Call, object: KubeObject, entry: Entry): Promise<Entry> {
  const value = encode(served, object)
  if (Buffer.compare(value, entry.value) === 0) return entry
  return dryRun ? { ...entry, value } : storeOf(registry, served).update(entry.key, value, entry.modRevision)
}

/** Seconds until the object may go, with its metadata marked so; undefined for a kind that ends at once. */
function mark(
  registry: Registry,
  { strategy }: Served,
  object: KubeObject,
  options: meta.DeleteOptions,
): number | undefined {
  const { metadata } = object
  const given = options.gracePeriodSeconds
  // Less than nothing is as little as there is.
  const requested = given !== undefined && given < 0 ? 1 : given
  if (metadata.deletionTimestamp !== undefined) {
    const present = metadata.deletionGracePeriodSeconds
    if (!strategy.gracePeriod || !present) return undefined
    // Who comes later can only shorten what is left.
    if (requested === undefined || requested >= present) return present
    const since = parseTime(metadata.deletionTimestamp) - present * 1000
    metadata.deletionTimestamp = formatTime(since + requested * 1000)
    metadata.deletionGracePeriodSeconds = requested
    return requested
  }
  if (!strategy.gracePeriod) return undefined
  const grace = strategy.gracePeriod(object, requested)
  markDeleted(object, registry.clock.now(), grace)
  return grace
}

function markDeleted({ metadata }: KubeObject, now: number, grace: number): void {
  metadata.deletionTimestamp = formatTime(now + grace * 1000)
  metadata.deletionGracePeriodSeconds = grace
  if (metadata.generation) metadata.generation++
}

function checkPreconditions(
  { resource }: Served,
  { metadata }: KubeObject,
  { preconditions }: meta.DeleteOptions,
): void {
  // Upstream names the kind here where other conflicts name the resource.
  const about = { group: resource.group, resource: resource.kind }
  const { uid, resourceVersion } = preconditions ?? {}
  if (uid && uid !== metadata.uid)
    throw errors.conflict(
      about,
      metadata.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    )
  if (resourceVersion && resourceVersion !== metadata.resourceVersion)
    throw errors.conflict(
      about,
      metadata.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    )
}

/** Asks the garbage collector, by a finalizer, for what the client wants of the dependents. */
function setPropagation({ metadata }: KubeObject, options: meta.DeleteOptions, fallback = 'background'): void {
  const before = metadata.finalizers ?? []
  const wanted = wantedFinalizer(options, before, fallback)
  const finalizers = before.filter(name => name !== ORPHAN && name !== FOREGROUND)
  if (wanted) finalizers.push(wanted)
  if (finalizers.length) metadata.finalizers = finalizers
  else delete metadata.finalizers
}

function wantedFinalizer(options: meta.DeleteOptions, present: string[], fallback: string): string | undefined {
  const byPolicy: Record<string, string | undefined> = { Orphan: ORPHAN, Foreground: FOREGROUND, Background: undefined }
  if (options.propagationPolicy !== undefined) return byPolicy[options.propagationPolicy]
  if (options.orphanDependents !== undefined) return options.orphanDependents ? ORPHAN : undefined
  if (present.includes(ORPHAN)) return ORPHAN
  if (present.includes(FOREGROUND)) return FOREGROUND
  return fallback === 'orphan' ? ORPHAN : undefined
}

/** Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation ValidateDeleteOptions */
export function checkDeleteOptions(options: meta.DeleteOptions): void {
  const { propagationPolicy: policy, orphanDependents, dryRun } = options
  const about = { group: 'meta.k8s.io', kind: 'DeleteOptions' }
  if (dryRun?.some(each => each !== 'All'))
    throw errors.invalid(about, '', [
      { type: 'NotSupported', field: 'dryRun', value: dryRun, detail: 'supported values: "All"' },
    ])
  const field = 'propagationPolicy'
  if (policy !== undefined && orphanDependents !== undefined)
    throw errors.invalid(about, '', [
      { type: 'Invalid', field, value: policy, detail: 'orphanDependents and deletionPropagation cannot be both set' },
    ])
  if (policy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(policy))
    throw errors.invalid(about, '', [
      {
        type: 'NotSupported',
        field,
        value: policy,
        detail: 'supported values: "Foreground", "Background", "Orphan", "nil"',
      },
    ])
}

/** The Status of a delete that is done; undefined when the object itself is the answer. */
export function deletedStatus({ served, name }: Call, { entry, gone }: Deleted): meta.Status | undefined {
  const { resource } = served
  if (!gone || returnsDeleted(resource)) return undefined
  const { uid } = decodeEntry(entry).metadata
  const details = { name, ...(resource.group ? { group: resource.group } : {}), kind: resource.resource, uid }
  return {
    kind: 'Status',
    apiVersion: apiVersion({ group: '', version: 'v1' }),
    metadata: {},
    status: 'Success',
    details,
  }
}

/** Whether the client asked to be told that the end is not yet: 202 instead of 200. */
export const isAccepted = (options: meta.DeleteOptions, { gone }: Deleted): boolean =>
  !gone && options.orphanDependents === false
