import { errors, formatTime, type KubeObject, StatusError } from '../../api/index.ts'
import { type Entry, KeyExists } from '../../store/index.ts'
import { type Attributes, attributesOf, mutate } from '../admission/admission.ts'
import { encode } from './encode.ts'
import { dedupOwners, validateDomains, validateMetadata } from './metadata.ts'
import { track } from './ownership.ts'
import { type Call, type Registry, storeOf, strategyContext, type Written } from './registry.ts'
import { keyOf, problemsAsShown } from './served.ts'

/** Room for the five characters that follow a generateName. Source: k8s.io/apiserver/pkg/storage/names */
const MAX_GENERATED_BASE = 58
/** How many generated names are tried before giving up. Source: k8s.io/apiserver/pkg/registry/generic/registry store.go */
const NAME_ATTEMPTS = 8

/** Makes a new object of what a client sent, which is changed on the way. Source: k8s.io/apiserver/pkg/registry/rest create.go */
export async function create(registry: Registry, call: Call, object: KubeObject): Promise<Written> {
  const { resourceVersion } = object.metadata
  // What is to be created by way of an update may name any, and nobody asks whether it is a number.
  if (Number(resourceVersion) && !call.options?.instead) throw versionOnCreate()
  wipeSystemFields(object)
  setNamespace(call, object)
  call.served.strategy.defaults?.(object)
  call.warnings.push(...dedupOwners(object, false))
  await track(registry, call, object)
  const attributes = attributesOf(call, { operation: 'CREATE', object })
  if (!call.admitted) await mutate(registry, attributes)
  settleNamespace(call, object)
  call.warnings.push(...dedupOwners(object, true))
  const { name, generateName } = object.metadata
  if (name || !generateName) return { entry: await createNamed(registry, call, attributes, object), created: true }
  const pristine = JSON.stringify(object)
  for (let attempt = 1; ; attempt++) {
    const candidate = attempt === 1 ? object : (JSON.parse(pristine) as KubeObject)
    candidate.metadata.name = generateName.slice(0, MAX_GENERATED_BASE) + registry.random.suffix(5)
    try {
      return { entry: await createNamed(registry, call, attributes, candidate), created: true }
    } catch (error) {
      if (!(error instanceof NameTaken)) throw error
      if (attempt === NAME_ATTEMPTS) throw error
    }
  }
}

/** A resourceVersion as the number that it has to be; upstream does not classify what Go says of another. */
export function versionOf(text: string): number {
  if (!/^\d+$/.test(text)) {
    const message = `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`
    throw new StatusError({ status: 'Failure', message, code: 500 })
  }
  return Number(text)
}

/** Upstream does not classify this one. */
const versionOnCreate = () =>
  new StatusError({
    status: 'Failure',
    message: 'resourceVersion should not be set on objects to be created',
    code: 500,
  })

/** The AlreadyExists of this very write; when the name was made up, another may be free. */
class NameTaken extends StatusError {}

async function createNamed(registry: Registry, call: Call, attributes: Attributes, object: KubeObject): Promise<Entry> {
  const { served, warnings } = call
  const { strategy, resource } = served
  const context = strategyContext(registry, call)
  fillSystemFields(registry, object)
  if (served.hasStatus && !strategy.statusOnCreate && !call.trusted) clearStatus(object)
  // Once more for what admission has put in.
  served.codec.default(object)
  strategy.defaults?.(object)
  if (countsGenerations(served.strategy, object)) object.metadata.generation = 1
  await strategy.prepareCreate?.(object, context)
  const problems = [
    ...validateMetadata(object.metadata, served),
    ...validateDomains(object.metadata, served),
    ...problemsAsShown(call, object),
  ]
  if (problems.length && !call.trusted)
    throw errors.invalid(resource, object.metadata.name || object.metadata.generateName || '', problems)
  for (const text of strategy.warnings?.(object) ?? []) warnings.push(text)
  if (!call.admitted) await registry.admission.validate({ ...attributes, name: object.metadata.name, object })
  const allocation = await strategy.allocate?.(object, undefined, context)
  try {
    const entry = await write(registry, call, object)
    if (call.dryRun) allocation?.release()
    else allocation?.commit()
    return entry
  } catch (error) {
    allocation?.release()
    if (!(error instanceof KeyExists)) throw error
    const { name, generateName } = object.metadata
    const taken = generateName ? errors.generateNameConflict(resource, name) : errors.alreadyExists(resource, name)
    throw new NameTaken(taken.status, taken.headers)
  }
}

async function write(registry: Registry, call: Call, object: KubeObject): Promise<Entry> {
  const { served, namespace } = call
  const store = storeOf(registry, served)
  const key = keyOf(served, namespace, object.metadata.name)
  const value = encode(served, object)
  if (!call.dryRun) return store.create(key, value, lifetime(served.strategy.ttl))
  if (await store.get(key)) throw new KeyExists(key)
  return { key, value, createRevision: 0, modRevision: 0 }
}

export const lifetime = (ttl: number | undefined) => (ttl === undefined ? undefined : { ttl })

function setNamespace({ namespace, served }: Call, { metadata }: KubeObject): void {
  if (served.resource.namespaced) metadata.namespace = namespace
  else delete (metadata as Partial<typeof metadata>).namespace
}

/** What a client has no say in is emptied before admission looks at the object. */
export function wipeSystemFields({ metadata }: KubeObject): void {
  delete (metadata as Partial<typeof metadata>).uid
  delete (metadata as Partial<typeof metadata>).creationTimestamp
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.selfLink
}

/** Admission may have taken the namespace away, and must not have made it another. */
export function settleNamespace({ namespace, served }: Call, { metadata }: KubeObject): void {
  const wanted = served.resource.namespaced ? namespace : ''
  if (!metadata.namespace && wanted) metadata.namespace = wanted
  if ((metadata.namespace ?? '') !== wanted)
    throw errors.badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

function fillSystemFields(registry: Registry, { metadata }: KubeObject): void {
  metadata.uid = registry.random.uuid()
  metadata.creationTimestamp = formatTime(registry.clock.now())
}

/** The empty status that Go writes for a struct, or nothing for a pointer: the codec knows which. */
function clearStatus(object: KubeObject & { status?: object }): void {
  if (object.status) object.status = {}
}

export const countsGenerations = (
  strategy: { generation?: boolean },
  object: KubeObject & { spec?: unknown },
): boolean => strategy.generation ?? object.spec !== undefined
