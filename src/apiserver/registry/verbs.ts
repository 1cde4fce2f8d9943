import { errors, type KubeObject, type meta } from '../../api/index.ts'
import { codecFor, DecodeError, SyntaxProblem } from '../../encoding/index.ts'
import type { Entry } from '../../store/index.ts'
import type { Context, Reply } from '../pipeline/context.ts'
import { decodeBody, decodeValue, fieldValidation, notAnObject, parseBody } from '../pipeline/decode.ts'
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
import { boolean, integer } from './list-options.ts'
import { dedupOwners } from './metadata.ts'
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
    const wanted = revisionOf(context.query.get('resourceVersion'), 'get')
    if (wanted) await reached(registry, wanted)
    return answer(chooseView(registry, context, call), 200, await get(registry, call))
  },

  async list(registry, call, context) {
    const view = chooseView(registry, context, call)
    return streamList(context, view, await list(registry, call, context.query), registry)
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
    call.warnings.push(...dedupOwners(object, false))
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
    const {
      apply,
      noticed: inPatch,
      refuse,
    } = readPatch(shown, body, context.request.headers['content-type'], validation)
    const transform = (old: KubeObject) => {
      const noticed: string[] = []
      const value = apply(shown.conversion?.fromStored(old) ?? old)
      const object = decodeValue(
        { value, duplicates: [], noticed: inPatch },
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
    const deleted = await remove(registry, tried(call, options), options)
    const status = deletedStatus(call, deleted)
    if (status) return json(200, status)
    return answer(view, isAccepted(options, deleted) ? 202 : 200, deleted.entry)
  },

  async deletecollection(registry, call, context) {
    const options = await deleteOptions(context)
    const view = chooseView(registry, context, call)
    const deleted = await deleteCollection(registry, tried(call, options), options, context.query)
    return streamList(context, view, deleted, registry)
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

/** The options may come in the body, in the query, or in neither; where there is a body, the query says nothing. */
export async function deleteOptions({ query, body, request }: Context): Promise<meta.DeleteOptions> {
  const bytes = await body()
  const given = bytes.length ? await parsedOptions(bytes, request.headers['content-type']) : {}
  const codec = codecFor<KubeObject>(DELETE_OPTIONS.type)
  const decoded = decodeValue({ value: given, duplicates: [] }, DELETE_OPTIONS, codec, 'Ignore', [], bytes, detail =>
    errors.badRequest(detail),
  )
  const options = decoded as unknown as meta.DeleteOptions
  if (!bytes.length) Object.assign(options, optionsIn(query))
  checkDeleteOptions(options)
  return options
}

function optionsIn(query: URLSearchParams): Partial<meta.DeleteOptions> {
  const grace = integer(query, 'gracePeriodSeconds')
  const policy = query.get('propagationPolicy')
  const orphan = boolean(query, 'orphanDependents')
  const dryRun = query.getAll('dryRun')
  return {
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(orphan === undefined ? {} : { orphanDependents: orphan }),
    ...(dryRun.length ? { dryRun } : {}),
  }
}

/** Clients name the version of the group that they delete from, or of none, so it is left out. */
async function parsedOptions(body: Buffer, contentType: string | undefined): Promise<object> {
  const value = await parseBody(body, contentType, DELETE_OPTIONS.type).then(
    parsed => parsed.value ?? {},
    error => {
      if (error instanceof DecodeError) throw errors.badRequest(error.message)
      throw error instanceof SyntaxProblem ? unreadable(error.message) : error
    },
  )
  if (typeof value !== 'object' || Array.isArray(value)) throw unreadable(notAnObject(value))
  const { apiVersion: version, kind, ...rest } = value as Record<string, unknown>
  if (kind && kind !== DELETE_OPTIONS.kind)
    throw errors.badRequest(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(version || 'meta.k8s.io/v1')} in scheme "pkg/runtime/scheme.go:111"`,
    )
  return rest
}

const unreadable = (detail: string) => errors.badRequest(`couldn't get version/kind; json parse error: ${detail}`)

/** A delete that is only tried says so in its options, wherever they are. */
const tried = (call: Call, { dryRun }: meta.DeleteOptions): Call => ({ ...call, dryRun: !!dryRun?.length })

/** What is in no namespace has none, whatever the client says. */
export function checkNamespace({ served, namespace }: Call, { metadata }: KubeObject): void {
  if (!served.resource.namespaced) delete (metadata as Partial<typeof metadata>).namespace
  if (metadata.namespace && metadata.namespace !== namespace)
    throw errors.badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

export function checkName({ name }: Call, { metadata }: KubeObject): void {
  if (!metadata.name)
    throw errors.badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  if (metadata.name !== name)
    throw errors.badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
}
