import {
  apiVersion,
  type autoscalingV1 as autoscaling,
  errors,
  formatTime,
  type KubeObject,
  type meta,
} from '../../api/index.ts'
import { codecFor } from '../../encoding/index.ts'
import {
  apply as applyConfiguration,
  modelSchema,
  ownersFromScale,
  type ReplicasPaths,
  scaleOwners,
  trackUpdate,
  type Write,
} from '../../patch/index.ts'
import { attributesOf, mutate } from '../admission/admission.ts'
import type { Context, Reply } from '../pipeline/context.ts'
import { decodeBody, decodeValue, fieldValidation } from '../pipeline/decode.ts'
import { json } from '../pipeline/respond.ts'
import { isTrue, readConfiguration } from '../registry/apply.ts'
import { settleNamespace } from '../registry/create.ts'
import { encode } from '../registry/encode.ts'
import { get } from '../registry/get.ts'
import { isApply, setManagedFields } from '../registry/ownership.ts'
import { readPatch } from '../registry/patch.ts'
import type { Call, Registry } from '../registry/registry.ts'
import { decodeEntry, type Served, servePart } from '../registry/served.ts'
import { otherUid, update } from '../registry/update.ts'
import { answer, type Verb } from '../registry/verbs.ts'
import { chooseView } from '../views/choose.ts'
import { readReplicas, writeReplicas } from './replicas.ts'

type Scale = autoscaling.Scale

const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale', type: 'autoscaling/v1.Scale' }
const SCALE_VERSION = 'autoscaling/v1'
const codec = () => codecFor<Scale>(SCALE.type)

/** The number of replicas alone, for whoever scales without knowing the kind. Source: autoscaling/v1 Scale */
function scaleOf(served: Served, object: KubeObject): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const { wanted, present, selector } = readReplicas(served, object)
  return {
    kind: SCALE.kind,
    apiVersion: SCALE_VERSION,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: wanted },
    status: { replicas: present, ...(selector ? { selector } : {}) },
  }
}

export const getScale: Verb = async (registry, call, context) => {
  const entry = await get(registry, call)
  const shown = servePart(SCALE, 'get')
  const value = encode(shown, scaleOf(call.served, decodeEntry(entry)))
  return answer(chooseView(registry, context, { ...call, shown }), 200, { ...entry, value })
}

export const updateScale: Verb = async (registry, call, context) => {
  const { query, request, warnings } = context
  const validation = fieldValidation(query, 'UpdateOptions')
  const type = request.headers['content-type']
  const wanted = await decodeBody(await context.body(), type, SCALE, codec(), validation, warnings)
  return setScale(
    registry,
    call,
    tracked(registry, call, () => structuredClone(wanted)),
  )
}

export const patchScale: Verb = async (registry, call, context: Context) => {
  if (isApply(context.request.headers['content-type'])) return applyScale(registry, call, context)
  const validation = fieldValidation(context.query, 'PatchOptions')
  const body = await context.body()
  const served = { ...call.served, resource: { ...call.served.resource, ...SCALE } }
  const { apply, noticed, refuse } = readPatch(served, body, context.request.headers['content-type'], validation)
  const { warnings } = context
  const change = (scale: Scale) => {
    const value = apply(scale)
    const parsed = { value, duplicates: [], noticed }
    warnings.length = 0
    return decodeValue(parsed, SCALE, codec(), validation, warnings, body, detail => refuse(value, detail))
  }
  return setScale(registry, call, tracked(registry, call, change))
}

async function applyScale(registry: Registry, call: Call, context: Context): Promise<Reply> {
  const { configuration, checkRepeated } = await readConfiguration(context, call.warnings)
  const force = isTrue(context.query.get('force'))
  return setScale(registry, call, async live => {
    const application = { live, empty: codec().decode({}).object, configuration, kind: SCALE, force }
    const { object, managedFields } = await applyConfiguration(scaleWrite(registry, call), application)
    checkRepeated()
    const wanted = object ? codec().decode(object).object : structuredClone(live)
    setManagedFields(wanted, managedFields)
    return wanted
  })
}

/** What makes another Scale of the present one, with the managedFields that it then has. */
type Change = (present: Scale) => Promise<Scale>

const tracked =
  (registry: Registry, call: Call, change: (present: Scale) => Scale): Change =>
  async present => {
    const wanted = change(present)
    setManagedFields(wanted, await trackUpdate(scaleWrite(registry, call), present, wanted))
    return wanted
  }

/** A write of a Scale as ownership sees it. */
const scaleWrite = ({ clock }: Registry, { manager = '' }: Call): Write => ({
  versions: {
    schema: version => (version === SCALE_VERSION ? modelSchema(SCALE.type) : undefined),
    convert: scale => scale,
  },
  author: { manager, apiVersion: SCALE_VERSION, subresource: 'scale' },
  relevant: fields => fields,
  now: formatTime(clock.now()),
})

/** Where an object keeps the number of its replicas, in every version that its owners have written it in. */
function replicasPaths(
  registry: Registry,
  { served, shown }: Call,
  entries: meta.ManagedFieldsEntry[] = [],
): ReplicasPaths {
  const paths: ReplicasPaths = {}
  for (const { resource, custom } of [served, shown]) paths[apiVersion(resource)] = replicasPath(custom)
  for (const { apiVersion: version = '' } of entries) {
    const [name, group = ''] = version.split('/').reverse() as [string, string?]
    const other = registry.resources.find(group, name, served.resource.resource)
    if (other) paths[version] ??= replicasPath(registry.served(other).custom)
  }
  return paths
}

function replicasPath(custom: Served['custom']): string[] | null {
  if (custom && !custom.scale) return null
  const path = custom?.scale?.specReplicasPath ?? '.spec.replicas'
  return path
    .split('.')
    .slice(1)
    .map(name => `f:${name}`)
}

async function setScale(registry: Registry, call: Call, wantedOf: Change): Promise<Reply> {
  const { served, shown, name } = call
  const transform = async (old: KubeObject) => {
    const present = scaleOf(served, old)
    const owners = old.metadata.managedFields
    const paths = replicasPaths(registry, call, owners)
    setManagedFields(present, scaleOwners(owners, paths))
    const wanted = await wantedOf(present)
    settleNamespace(call, wanted)
    await mutate(registry, attributesOf(call, { operation: 'UPDATE', kind: SCALE, object: wanted, old: present }))
    checkScale(name, wanted, served)
    const { uid, resourceVersion } = wanted.metadata
    if (resourceVersion && resourceVersion !== old.metadata.resourceVersion)
      throw errors.modified(served.resource, name)
    if (uid && uid !== old.metadata.uid) throw otherUid(call, uid, old)
    const before = scaleOf(served, old)
    writeReplicas(served, old, wanted.spec.replicas ?? 0)
    const judged = { kind: SCALE, object: scaleOf(served, old), old: before }
    await registry.admission.validate(attributesOf(call, { operation: 'UPDATE', ...judged }))
    setManagedFields(old, ownersFromScale(owners, wanted.metadata.managedFields, apiVersion(shown.resource), paths))
    return old
  }
  const { entry } = await update(registry, { ...call, manager: undefined, admitted: true }, transform, {
    relative: true,
  })
  const scale = scaleOf(served, decodeEntry(entry))
  return json(200, { ...scale, spec: scale.spec.replicas ? scale.spec : {} })
}

function checkScale(name: string, { metadata, spec }: Scale, { custom }: Served): void {
  if (!metadata.name)
    throw errors.badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  if (metadata.name !== name)
    throw errors.badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
  const replicas = spec.replicas ?? 0
  // A custom resource is judged itself, once it has its new number.
  if (replicas < 0 && !custom)
    throw errors.invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      { type: 'Invalid', field: 'spec.replicas', value: replicas, detail: 'must be greater than or equal to 0' },
    ])
}
