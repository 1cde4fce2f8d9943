import { errors, type KubeObject, type meta } from '../../api/index.ts'
import { codecFor, DecodeError, type ParsedJson, SyntaxProblem } from '../../encoding/index.ts'
import type { Entry } from '../../store/index.ts'
import type { Context, Reply } from '../pipeline/context.ts'
import { decodeBody, decodeValue, fieldValidation, parseBody } from '../pipeline/decode.ts'
import { json } from '../pipeline/respond.ts'
import { streamList, streamWatch } from '../pipeline/stream.ts'
import { wantsWebSocket, webSocketWatch } from '../pipeline/websocket.ts'
import { chooseView } from '../views/choose.ts'
import type { View } from '../views/view.ts'
import { applyObject } from './apply.ts'
import { create } from './create.ts'
import { checkDeleteOptions, deletedStatus, isAccepted, remove } from './delete.ts'
import { deleteCollection } from './delete-collection.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { isApply } from './ownership.ts'
import { readPatch } from './patch.ts'
import type { Call, Registry, Written } from './registry.ts'
import { reached, revisionOf } from './revisions.ts'
import type { Served } from './served.ts'
import { update } from './update.ts'
import { Watch, watchOptions } from './watch.ts'

/** From a request to a verb of the registry and from its result to an answer: the same for every resource. */

export type Verb = (registry: Registry, call: Call, context: Context) => Promise<Reply | undefined>

export const verbs: Record<string, Verb> = {
  async get(registry, call, context) {
    const wanted = revisionOf(context.query.get('resourceVersion'))
    if (wanted) await reached(registry, wanted)
    return answer(chooseView(registry, context, call), 200, await get(registry, call))
  },

  async list(registry, call, context) {
    const view = chooseView(registry, context, call)
    return streamList(context, view, await list(registry, call, context.query))
  },

  async watch(registry, call, context) {
    const view = chooseView(registry, context, call)
    const options = watchOptions(registry, call, context.query)
    const sink = wantsWebSocket(context)
      ? await webSocketWatch(context, view.watchType)
      : streamWatch(context, view.watchType)
    await new Watch(registry, call, view, sink, options).start()
    return undefined
  },

  async create(registry, call, context) {
    const { served, namespace } = call
    if (served.resource.namespaced && !namespace) throw errors.methodNotAllowed()
    const view = chooseView(registry, context, call)
    const object = await objectOf(call, context, 'CreateOptions')
    checkNamespace(call, object)
    return written(view, await create(registry, call, object))
  },

  async update(registry, call, context) {
    const { served } = call
    const view = chooseView(registry, context, call)
    const object = await objectOf(call, context, 'UpdateOptions')
    checkNamespace(call, object)
    checkName(call, object)
    const options = served.strategy.allowCreateOnUpdate && !call.subresource ? { createInstead: () => object } : {}
    return written(view, await update(registry, call, () => structuredClone(object), options))
  },

  async patch(registry, call, context) {
    const { shown, warnings } = call
    const view = chooseView(registry, context, call)
    if (isApply(context.request.headers['content-type']))
      return written(view, await applyObject(registry, call, context))
    const validation = fieldValidation(context.query, 'PatchOptions')
    const body = await context.body()
    const { apply, duplicates, refuse } = readPatch(shown, body, context.request.headers['content-type'])
    const transform = (old: KubeObject) => {
      const noticed: string[] = []
      const value = apply(shown.conversion?.fromStored(old) ?? old)
      const object = decodeValue(
        { value, duplicates },
        shown.resource,
        shown.codec,
        validation,
        noticed,
        body,
        detail => refuse(value, detail),
      )
      warnings.splice(0, warnings.length, ...noticed)
      checkName(call, object)
      return toStored(shown, object)
    }
    return written(view, await update(registry, call, transform, { relative: true }))
  },

  async delete(registry, call, context) {
    const options = await deleteOptions(context)
    const view = chooseView(registry, context, call)
    const deleted = await remove(registry, call, options)
    const status = deletedStatus(call, deleted)
    if (status) return json(200, status)
    return answer(view, isAccepted(options, deleted) ? 202 : 200, deleted.entry)
  },

  async deletecollection(registry, call, context) {
    const options = await deleteOptions(context)
    const view = chooseView(registry, context, call)
    return streamList(context, view, await deleteCollection(registry, call, options, context.query))
  },
}

/** One object as the whole answer. */
export function answer({ type, rewrite, single }: View, status: number, entry: Entry): Reply {
  const reply: Reply = { status, body: single(entry), type }
  if (rewrite) reply.rewrite = rewrite
  return reply
}

const written = (view: View, { entry, created }: Written): Reply => answer(view, created ? 201 : 200, entry)

async function objectOf({ shown, warnings }: Call, context: Context, options: string): Promise<KubeObject> {
  const validation = fieldValidation(context.query, options)
  const body = await context.body()
  const type = context.request.headers['content-type']
  return toStored(shown, await decodeBody(body, type, shown.resource, shown.codec, validation, warnings))
}

const toStored = ({ conversion }: Served, object: KubeObject) => conversion?.toStored(object) ?? object

const DELETE_OPTIONS = { group: '', version: 'v1', kind: 'DeleteOptions', type: 'meta/v1.DeleteOptions' }

/** The options may come in the body, in the query, or in neither. */
export async function deleteOptions({ query, body, request }: Context): Promise<meta.DeleteOptions> {
  const bytes = await body()
  const { value } = bytes.length ? await parsedOptions(bytes, request.headers['content-type']) : { value: {} }
  // Clients name the version of the group that they delete from, or of none.
  const { apiVersion: _, kind: __, ...given } = value as Record<string, unknown>
  const codec = codecFor<KubeObject>(DELETE_OPTIONS.type)
  const decoded = decodeValue({ value: given, duplicates: [] }, DELETE_OPTIONS, codec, 'Ignore', [], bytes)
  const options = decoded as unknown as meta.DeleteOptions
  const grace = query.get('gracePeriodSeconds')
  if (grace !== null && options.gracePeriodSeconds === undefined) options.gracePeriodSeconds = Number(grace)
  const policy = query.get('propagationPolicy')
  if (policy !== null && options.propagationPolicy === undefined) options.propagationPolicy = policy
  const orphan = query.get('orphanDependents')
  if (orphan !== null && options.orphanDependents === undefined) options.orphanDependents = orphan === 'true'
  checkDeleteOptions(options)
  return options
}

async function parsedOptions(body: Buffer, contentType: string | undefined): Promise<ParsedJson> {
  try {
    return await parseBody(body, contentType, DELETE_OPTIONS.type)
  } catch (error) {
    throw error instanceof SyntaxProblem || error instanceof DecodeError ? errors.badRequest(error.message) : error
  }
}

export function checkNamespace({ served, namespace }: Call, { metadata }: KubeObject): void {
  if (!metadata.namespace || metadata.namespace === namespace) return
  if (served.resource.namespaced || metadata.namespace !== '')
    throw errors.badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

export function checkName({ name }: Call, { metadata }: KubeObject): void {
  if (!metadata.name)
    throw errors.badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  if (metadata.name !== name)
    throw errors.badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
}
