import { isDeepStrictEqual } from 'node:util'
import { type core, errors, type FieldError, type KubeObject } from '../../api/index.ts'
import { settledTimes } from '../../patch/index.ts'
import { type Entry, RevisionMismatch } from '../../store/index.ts'
import { attributesOf, mutate } from '../admission/admission.ts'
import { countsGenerations, create, lifetime, settleNamespace, versionOf } from './create.ts'
import { encode } from './encode.ts'
import { dedupOwners, validateDomains, validateMetadata, validateMetadataUpdate } from './metadata.ts'
import { setManagedFields, track } from './ownership.ts'
import { type Call, type Registry, storeOf, strategyContext, type Written } from './registry.ts'
import { keptMetadata } from './reset-fields.ts'
import { decodeEntry, keyOf, problemsAsShown, problemsOf, type Served } from './served.ts'
import { same } from './validation/field.ts'

/** Makes the wanted object of the present one, which it must not change. Runs again when somebody else was faster. */
export type Transform = (old: KubeObject) => KubeObject | Promise<KubeObject>

/**
 * How often a change is made anew on top of somebody else's before the client hears of it. Upstream tries until the request
 * has taken too long.
 */
const ATTEMPTS = 1000

export interface UpdateOptions {
  /** Makes the object to create where there is none of the name. */
  createInstead?: () => KubeObject | Promise<KubeObject>
  /** The result is the present object with changes, so that they can be made again on a newer one. */
  relative?: boolean
}

/**
 * Changes one object. A result that carries another resourceVersion than the present one is a conflict at once. When the
 * write comes too late, a relative change, or one that named no version, is made again on the newer object.
 * Source: k8s.io/apiserver/pkg/registry/generic/registry store.go Update, registry/rest update.go BeforeUpdate
 */
export async function update(
  registry: Registry,
  call: Call,
  transform: Transform,
  options: UpdateOptions = {},
): Promise<Written> {
  const { served, namespace, name } = call
  const key = keyOf(served, namespace, name)
  let entry = await storeOf(registry, served).get(key)
  for (let attempt = 1; ; attempt++) {
    if (!entry) {
      if (options.createInstead) return create(registry, insteadOf(call), await options.createInstead())
      throw errors.notFound(served.resource, name)
    }
    const old = decodeEntry(entry)
    const object = await transform(decodeEntry(entry))
    if (!options.relative) checkUid(call, object, old)
    const insists = checkVersion(call, object, old) && !options.relative
    try {
      return { entry: await replace(registry, call, object, old, entry), created: false }
    } catch (error) {
      if (!(error instanceof RevisionMismatch)) throw error
      if (insists || attempt === ATTEMPTS) throw errors.modified(served.resource, name)
      entry = error.current
    }
  }
}

const insteadOf = (call: Call): Call => ({ ...call, options: { ...call.options, instead: true } })

/** The uid that a client names is a condition; what a patch makes another one is judged with the rest. */
function checkUid(call: Call, { metadata: { uid } }: KubeObject, old: KubeObject): void {
  if (uid && uid !== old.metadata.uid) throw otherUid(call, uid, old)
}

/** The conflict of a write that means another object of this name. Upstream shows the key without what all begin with. */
export const otherUid = ({ served, namespace, name }: Call, uid: string, { metadata }: KubeObject) =>
  errors.conflict(
    served.resource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${keyOf(served, namespace, name).replace(/^\/registry/, '')}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`,
  )

/** Whether the client names the version that it read. A conflict when that is not the present one. */
function checkVersion({ served, name }: Call, object: KubeObject, old: KubeObject): boolean {
  const { resource, strategy } = served
  const { resourceVersion: wanted } = object.metadata
  if (!wanted || !versionOf(wanted)) {
    if (strategy.allowUnconditionalUpdate ?? true) return false
    // Upstream names the resource here where others of the kind name the kind.
    throw errors.invalid({ group: resource.group, kind: resource.resource }, name, [
      { type: 'Invalid', field: 'metadata.resourceVersion', value: 0, detail: 'must be specified for an update' },
    ])
  }
  if (wanted !== old.metadata.resourceVersion) throw errors.modified(resource, name)
  return true
}

/** Subresources that write what the object itself may not: there the strategy's own rules for updates do not hold. */
const PARTS_ALONE = new Set(['finalize', 'ephemeralcontainers', 'resize', 'binding'])
/** Subresources by which no change of what is wanted is counted. */
const KEEPS_GENERATION = new Set(['status', 'binding', 'finalize', 'approval'])

/** Judges the change and writes it, unless nothing changed. */
async function replace(
  registry: Registry,
  call: Call,
  object: KubeObject,
  old: KubeObject,
  entry: Entry,
): Promise<Entry> {
  const { served, name, dryRun, subresource, warnings, admitted } = call
  const { strategy, resource } = served
  const context = strategyContext(registry, call)
  const attributes = attributesOf(call, { operation: 'UPDATE', object, old })
  keepName(object, old)
  strategy.defaults?.(object)
  await track(registry, call, object, old)
  if (!admitted) await mutate(registry, attributes)
  settleNamespace(call, object)
  warnings.push(...dedupOwners(object, true))
  keepSystemFields(object, old)
  if (subresource) keepAllBut(served, subresource, object, decodeEntry(entry))
  else if (served.hasStatus) keepStatus(object, old)
  strategy.defaults?.(object)
  setManagedFields(object, settledTimes(object, old))
  if (!PARTS_ALONE.has(subresource)) await strategy.prepareUpdate?.(object, old, context)
  if (countsGenerations(strategy, object) && !KEEPS_GENERATION.has(subresource) && isNewGeneration(served, object, old))
    object.metadata.generation = (old.metadata.generation ?? 0) + 1
  const problems = [
    ...validateMetadata(object.metadata, served),
    // Once by what is common to all, and once by the kind.
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateDomains(object.metadata, served),
    ...validateChange(call, object, old),
  ]
  if (problems.length && !call.trusted) throw errors.invalid(resource, name, problems)
  const warned = subresource === 'status' ? strategy.statusWarnings?.(object, old) : strategy.warnings?.(object, old)
  for (const text of warned ?? []) warnings.push(text)
  if (!admitted) await registry.admission.validate(attributes)
  if (isFinallyGone(object, old) && !strategy.held?.(object)) return remove(registry, call, object, entry)
  const allocation = await strategy.allocate?.(object, old, context)
  try {
    const written = await write(registry, call, object, entry)
    if (dryRun) allocation?.release()
    else allocation?.commit()
    return written
  } catch (error) {
    allocation?.release()
    throw error
  }
}

async function write(registry: Registry, { served, dryRun }: Call, object: KubeObject, entry: Entry): Promise<Entry> {
  const value = encode(served, object)
  const same = Buffer.compare(value, entry.value) === 0 && !(await served.custom?.isStale(entry))
  if (same && served.strategy.ttl === undefined) return entry
  if (dryRun) return { ...entry, value }
  return storeOf(registry, served).update(entry.key, value, entry.modRevision, lifetime(served.strategy.ttl))
}

/** The last finalizer of a deleted object is gone, and so the object goes; the client sees what it sent. */
async function remove(registry: Registry, { served, dryRun }: Call, object: KubeObject, entry: Entry): Promise<Entry> {
  const value = encode(served, object)
  if (dryRun) return { ...entry, value }
  const { revision } = await storeOf(registry, served).delete(entry.key, entry.modRevision)
  served.strategy.afterDelete?.(object)
  return { ...entry, value, modRevision: revision }
}

/** Source: k8s.io/apiserver/pkg/registry/generic/registry store.go ShouldDeleteDuringUpdate */
const isFinallyGone = ({ metadata }: KubeObject, old: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined && !old.metadata.deletionGracePeriodSeconds && !metadata.finalizers?.length

/** What identifies the object may be left out. */
function keepName({ metadata }: KubeObject, { metadata: old }: KubeObject): void {
  metadata.name ||= old.name
  if (old.namespace) metadata.namespace ||= old.namespace
}

/** What the server alone decides stays as it was; who changes the object on the way sees what the client said of it. */
function keepSystemFields({ metadata }: KubeObject, { metadata: old }: KubeObject): void {
  if (!metadata.resourceVersion || metadata.resourceVersion === '0') metadata.resourceVersion = old.resourceVersion!
  metadata.uid ||= old.uid
  metadata.creationTimestamp = old.creationTimestamp
  if (old.generation === undefined) delete metadata.generation
  else metadata.generation = old.generation
  if (old.deletionTimestamp !== undefined) {
    metadata.deletionTimestamp = old.deletionTimestamp
    metadata.deletionGracePeriodSeconds ??= old.deletionGracePeriodSeconds
  }
  delete metadata.selfLink
}

type Loose = KubeObject & Record<string, unknown>

function keepStatus(object: KubeObject, old: KubeObject): void {
  const before = (old as Loose).status
  if (before === undefined) delete (object as Loose).status
  else (object as Loose).status = before
}

/** What each subresource may change of an object, besides its labels, annotations and finalizers. */
const PARTS: Record<string, (object: Loose, old: Loose) => Partial<Loose>> = {
  status: ({ status }) => ({ status }),
  approval: ({ status }, old) => ({
    status: { ...(old.status as object), conditions: (status as Loose | undefined)?.conditions },
  }),
  finalize: ({ spec }, old) => ({
    spec: { ...(old.spec as object), finalizers: (spec as Loose | undefined)?.finalizers },
  }),
  ephemeralcontainers: ({ spec }, old) => ({
    spec: { ...(old.spec as object), ephemeralContainers: (spec as Loose | undefined)?.ephemeralContainers },
  }),
  resize: ({ spec }, old) => ({ spec: resized(spec as core.PodSpec, old.spec as core.PodSpec) }),
  // What the server itself writes for one has been judged already.
  binding: object => object,
  scale: object => object,
}

/** Containers that are others than before are left to be complained of. */
function resized(spec: core.PodSpec, old: core.PodSpec): core.PodSpec {
  const sized = (containers: core.Container[] = [], wanted: core.Container[] = []) =>
    wanted.every(({ name }, index) => name === containers[index]?.name)
      ? containers.map((container, index) => {
          const { resources, resizePolicy } = wanted[index]!
          return { ...container, resources, ...(resizePolicy ? { resizePolicy } : {}) }
        })
      : wanted
  const { containers, initContainers } = old
  if (spec.containers.length !== containers.length) return spec
  if ((spec.initContainers?.length ?? 0) !== (initContainers?.length ?? 0)) return spec
  return {
    ...old,
    ...(spec.resources ? { resources: spec.resources } : {}),
    containers: sized(containers, spec.containers),
    ...(initContainers ? { initContainers: sized(initContainers, spec.initContainers) } : {}),
  }
}

/** Of a write by way of a subresource, only what that is about is taken; `old` becomes part of the object. */
function keepAllBut(served: Served, subresource: string, object: KubeObject, old: KubeObject): void {
  const into = object as Loose
  const changed = PARTS[subresource]?.({ ...into }, old as Loose) ?? {}
  const { metadata } = object
  for (const field of Object.keys(into)) delete into[field]
  Object.assign(into, old, changed, { metadata })
  // A custom resource need not have a status.
  if (into.status === undefined) delete into.status
  for (const field of keptMetadata(served, subresource)) {
    if (old.metadata[field] === undefined) delete metadata[field]
    else Object.assign(metadata, { [field]: old.metadata[field] })
  }
}

/** A part of an object has rules of its own in the strategy only where it is the status. */
function validateChange(call: Call, object: KubeObject, old: KubeObject): FieldError[] {
  const { served, subresource } = call
  const { strategy } = served
  if (subresource === 'status') return strategy.validateStatusUpdate?.(object, old) ?? []
  if (!PARTS_ALONE.has(subresource)) return problemsAsShown(call, object, old)
  return [...problemsOf(served, object, old), ...(strategy.validatePart?.(subresource, object, old) ?? [])]
}

const NOT_SPEC = new Set(['apiVersion', 'kind', 'metadata'])

const isNewGeneration = (served: Served, object: KubeObject, old: KubeObject): boolean =>
  !sameSpec(served, object, old) ||
  (served.strategy.generationOf?.some(field => !same(object.metadata[field], old.metadata[field])) ?? false)

/** What a status says is part of what is wanted where it has no subresource of its own. */
function sameSpec({ hasStatus, custom }: Served, object: KubeObject, old: KubeObject): boolean {
  // Of what has no types, an empty list is another value than none.
  const alike = custom ? isDeepStrictEqual : same
  const fields = new Set([...Object.keys(object), ...Object.keys(old)])
  for (const field of fields)
    if (
      !NOT_SPEC.has(field) &&
      !(hasStatus && field === 'status') &&
      !alike((object as Loose)[field], (old as Loose)[field])
    )
      return false
  return true
}
