import {
  type autoscalingV1 as autoscaling,
  errors,
  type KubeObject,
  LabelSelector,
  type meta,
} from '../../api/index.ts'
import { codecFor } from '../../encoding/index.ts'
import { admit, attributesOf } from '../admission/admission.ts'
import type { Context, Reply } from '../pipeline/context.ts'
import { decodeBody, decodeValue, fieldValidation } from '../pipeline/decode.ts'
import { json } from '../pipeline/respond.ts'
import { get } from '../registry/get.ts'
import { readPatch } from '../registry/patch.ts'
import type { Call, Registry } from '../registry/registry.ts'
import { decodeEntry } from '../registry/served.ts'
import { update } from '../registry/update.ts'
import type { Verb } from '../registry/verbs.ts'

type Scale = autoscaling.Scale

/** What every kind with a scale has. */
interface Scalable extends KubeObject {
  spec: { replicas?: number; selector?: meta.LabelSelector | Record<string, string> }
  status: { replicas?: number }
}

const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale', type: 'autoscaling/v1.Scale' }
const codec = () => codecFor<Scale>(SCALE.type)

/** The number of replicas alone, for whoever scales without knowing the kind. Source: autoscaling/v1 Scale */
function scaleOf({ metadata, spec, status }: Scalable): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata
  return {
    kind: SCALE.kind,
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec.replicas ?? 0 },
    status: { replicas: status.replicas ?? 0, selector: selectorText(spec.selector) },
  }
}

function selectorText(selector: Scalable['spec']['selector']): string {
  if (!selector) return ''
  const whole = 'matchLabels' in selector || 'matchExpressions' in selector
  return (whole ? LabelSelector.of(selector) : LabelSelector.ofLabels(selector as Record<string, string>)).toString()
}

export const getScale: Verb = async (registry, call) =>
  json(200, scaleOf(decodeEntry<Scalable>(await get(registry, call))))

export const updateScale: Verb = async (registry, call, context) => {
  const { query, request, warnings } = context
  const validation = fieldValidation(query, 'UpdateOptions')
  const type = request.headers['content-type']
  const wanted = await decodeBody(await context.body(), type, SCALE, codec(), validation, warnings)
  return setScale(registry, call, () => wanted)
}

export const patchScale: Verb = async (registry, call, context: Context) => {
  const validation = fieldValidation(context.query, 'PatchOptions')
  const body = await context.body()
  const served = { ...call.served, resource: { ...call.served.resource, ...SCALE } }
  const { apply, duplicates, refuse } = readPatch(served, body, context.request.headers['content-type'])
  return setScale(registry, call, scale => {
    const value = apply(scale)
    return decodeValue({ value, duplicates }, SCALE, codec(), validation, [], body, detail => refuse(value, detail))
  })
}

async function setScale(registry: Registry, call: Call, wantedOf: (scale: Scale) => Scale): Promise<Reply> {
  const { served, name } = call
  const transform = async (old: KubeObject) => {
    const object = old as Scalable
    const present = scaleOf(object)
    const wanted = wantedOf(present)
    await admit(registry, attributesOf(call, { operation: 'UPDATE', kind: SCALE, object: wanted, old: present }))
    checkScale(name, wanted)
    const { uid, resourceVersion } = wanted.metadata
    if (resourceVersion && resourceVersion !== object.metadata.resourceVersion)
      throw errors.modified(served.resource, name)
    if (uid && uid !== object.metadata.uid)
      throw errors.conflict(
        served.resource,
        name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`,
      )
    object.spec.replicas = wanted.spec.replicas ?? 0
    return object
  }
  const { entry } = await update(registry, { ...call, admitted: true }, transform, { relative: true })
  return json(200, scaleOf(decodeEntry<Scalable>(entry)))
}

function checkScale(name: string, { metadata, spec }: Scale): void {
  if (metadata.name && metadata.name !== name)
    throw errors.badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
  const replicas = spec.replicas ?? 0
  if (replicas < 0)
    throw errors.invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      { type: 'Invalid', field: 'spec.replicas', value: replicas, detail: 'must be greater than or equal to 0' },
    ])
}
