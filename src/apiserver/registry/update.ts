import { type core, errors, type FieldError, type KubeObject } from '../../api/index.ts'
import { type Entry, RevisionMismatch } from '../../store/index.ts'
import { attributesOf } from '../admission/admission.ts'
import { countsGenerations, create, lifetime } from './create.ts'
import { encode } from './encode.ts'
import { validateMetadata, validateMetadataUpdate } from './metadata.ts'
import { track } from './ownership.ts'
import { type Call, type Registry, storeOf, strategyContext, type Written } from './registry.ts'
import { decodeEntry, keyOf, problemsOf, type Served } from './served.ts'
import { same } from './validation/field.ts'

/** Makes the wanted object of the present one, which it must not change. Runs again when somebody else was faster. */
export type Transform = (old: KubeObject) => KubeObject | Promise<KubeObject>

/** How often a change is made anew on top of somebody else's before the client hears of it. */
const ATTEMPTS = 20

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
      if (options.createInstead) return create(registry, call, await options.createInstead())
      throw errors.notFound(served.resource, name)
    }
    const old = decodeEntry(entry)
    const object = await transform(decodeEntry(entry))
    const insists = checkIdentity(call, object, old, key) && !options.relative
    try {
      return { entry: await replace(registry, call, object, old, entry), created: false }
    } catch (error) {
      if (!(error instanceof RevisionMismatch)) throw error
      if (insists || attempt === ATTEMPTS) throw errors.modified(served.resource, name)
      entry = error.current
    }
  }
}

/** Whether the client names the version that it read. A conflict when that, or the uid it names, is not the present one. */
function checkIdentity({ served, name }: Call, object: KubeObject, old: KubeObject, key: string): boolean {
  const { resource, strategy } = served
  const { resourceVersion: wanted, uid } = object.metadata
  if (uid && uid !== old.metadata.uid)
    throw errors.conflict(
      resource,
      name,
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    )
  if (!wanted || wanted === '0') {
    if (strategy.allowUnconditionalUpdate ?? true) return false
    throw errors.invalid(resource, name, [
      { type: 'Invalid', field: 'metadata.resourceVersion', value: 0, detail: 'must be specified for an update' },
    ])
  }
  if (wanted !== old.metadata.resourceVersion) throw errors.modified(resource, name)
  return true
}

/** Subresources that write what the object itself may not: there the strategy's own rules for updates do not hold. */
const PARTS_ALONE = new Set(['approval', 'finalize', 'ephemeralcontainers', 'resize', 'binding'])
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
  keepSystemFields(object, old)
  strategy.defaults?.(object)
  await track(registry, call, object, old)
  if (!admitted) await registry.admission.mutate(attributes)
  if (subresource) keepAllBut(subresource, object, decodeEntry(entry))
  else if (served.hasStatus) keepStatus(object, old)
  strategy.defaults?.(object)
  if (!PARTS_ALONE.has(subresource)) await strategy.prepareUpdate?.(object, old, context)
  if (countsGenerations(strategy, object) && !KEEPS_GENERATION.has(subresource) && !sameSpec(served, object, old))
    object.metadata.generation = (old.metadata.generation ?? 0) + 1
  const problems = [
    ...validateMetadata(object.metadata, served),
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateChange(served, subresource, object, old),
  ]
  if (problems.length) throw errors.invalid(resource, name, problems)
  for (const text of strategy.warnings?.(object, old) ?? []) warnings.push(text)
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
  const same = Buffer.compare(value, entry.value) === 0 && !served.custom?.isStale(entry)
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

/** What the server alone decides stays as it was; what identifies the object may be left out. */
function keepSystemFields({ metadata }: KubeObject, { metadata: old }: KubeObject): void {
  metadata.name ||= old.name
  if (old.namespace) metadata.namespace ||= old.namespace
  metadata.uid ||= old.uid
  metadata.creationTimestamp ||= old.creationTimestamp
  if (old.generation === undefined) delete metadata.generation
  else metadata.generation = old.generation
  if (old.deletionTimestamp === undefined) {
    delete metadata.deletionTimestamp
    delete metadata.deletionGracePeriodSeconds
  } else {
    metadata.deletionTimestamp ??= old.deletionTimestamp
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

function resized(spec: core.PodSpec, old: core.PodSpec): core.PodSpec {
  const sized = (containers: core.Container[] | undefined, wanted: core.Container[] | undefined) =>
    containers?.map(container => {
      const { resources, resizePolicy } = wanted?.find(({ name }) => name === container.name) ?? container
      return { ...container, resources, resizePolicy }
    })
  const { containers, initContainers } = old
  return {
    ...old,
    containers: sized(containers, spec.containers) ?? [],
    ...(initContainers ? { initContainers: sized(initContainers, spec.initContainers) } : {}),
  }
}

/**
 * Of a write by way of a subresource, only what that is about is taken; `old` becomes part of the object. Who owns the
 * object is not changed in this way either.
 */
function keepAllBut(subresource: string, object: KubeObject, old: KubeObject): void {
  const into = object as Loose
  const changed = PARTS[subresource]?.({ ...into }, old as Loose) ?? {}
  const { metadata } = object
  for (const field of Object.keys(into)) delete into[field]
  Object.assign(into, old, changed, { metadata })
  const { ownerReferences } = old.metadata
  if (ownerReferences) metadata.ownerReferences = ownerReferences
  else delete (metadata as Partial<typeof metadata>).ownerReferences
}

/** A part of an object has rules of its own in the strategy only where it is the status. */
function validateChange(served: Served, subresource: string, object: KubeObject, old: KubeObject): FieldError[] {
  const { strategy } = served
  if (subresource === 'status') return strategy.validateStatusUpdate?.(object, old) ?? []
  const more = PARTS_ALONE.has(subresource)
    ? strategy.validatePart?.(subresource, object, old)
    : strategy.validateUpdate?.(object, old)
  return [...problemsOf(served, object, old), ...(more ?? [])]
}

const NOT_SPEC = new Set(['apiVersion', 'kind', 'metadata'])

/** What a status says is part of what is wanted where it has no subresource of its own. */
function sameSpec({ hasStatus }: Served, object: KubeObject, old: KubeObject): boolean {
  const fields = new Set([...Object.keys(object), ...Object.keys(old)])
  for (const field of fields)
    if (
      !NOT_SPEC.has(field) &&
      !(hasStatus && field === 'status') &&
      !same((object as Loose)[field], (old as Loose)[field])
    )
      return false
  return true
}
