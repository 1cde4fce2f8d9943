import { apiVersion, type KubeObject, model } from '../../api/index.ts'
import { codecFor, hasProtobuf, parseJson, parseProtobuf, parseYaml } from '../../encoding/index.ts'
import type { Context, Reply } from '../pipeline/context.ts'
import { mediaType } from '../pipeline/decode.ts'
import { JSON_TYPE, PROTOBUF_TYPE, typeOf } from '../pipeline/formats.ts'
import type { Registry } from '../registry/registry.ts'

/** Upstream notes them as they are in memory. */
const DELETE_OPTIONS = { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/__internal' }

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

/** What a client has sent, as the server has understood it: with its defaults; a patch as it is. */
export async function sentObject(context: Context, registry: Pick<Registry, 'served'>): Promise<unknown> {
  const { info, received, resource, request } = context
  if (!received?.length || !resource || !WRITES.has(info.verb)) return undefined
  const declared = resource.subresources.find(({ name }) => name === info.subresource)
  const kind = declared ? { kind: declared.kind, apiVersion: apiVersion({ ...resource, ...declared }) } : undefined
  try {
    if (info.verb === 'patch') return await parsed(received, request.headers['content-type'])
    if (info.verb.startsWith('delete')) return decoded(received, request.headers['content-type'], DELETE_OPTIONS)
    if (kind && kind.kind !== resource.kind) return await decoded(received, request.headers['content-type'], kind)
    const served = registry.served(resource)
    const value = await parsed(received, request.headers['content-type'], resource.type)
    const { object } = served.codec.decode(value)
    object.kind = resource.kind
    object.apiVersion = apiVersion(resource)
    served.codec.default(object)
    if (!served.conversion) served.strategy.defaults?.(object)
    return whole(served.codec.encode(object), value)
  } catch {
    // What could not be understood is not noted.
    return undefined
  }
}

async function decoded(body: Buffer, contentType: string | undefined, kind: { kind: string; apiVersion: string }) {
  const type = kind === DELETE_OPTIONS ? 'meta/v1.DeleteOptions' : typeOf(kind)
  if (!type || !model.has(type)) return parsed(body, contentType)
  const codec = codecFor<KubeObject>(type)
  const value = await parsed(body, contentType, type)
  const { object } = codec.decode(value)
  Object.assign(object, kind)
  codec.default(object)
  return whole(codec.encode(object), value)
}

/** As it would be in JSON, where what says nothing is left out. */
function canonical(type: string, value: Record<string, unknown>): unknown {
  const codec = codecFor<KubeObject>(type)
  const { object } = codec.decode(value)
  Object.assign(object, { kind: value.kind, apiVersion: value.apiVersion })
  return whole(codec.encode(object), value)
}

async function parsed(body: Buffer, contentType: string | undefined, type = ''): Promise<unknown> {
  const form = mediaType(contentType)
  if (form === PROTOBUF_TYPE) return parseProtobuf(body, type).value
  return form.endsWith('yaml') ? (await parseYaml(body)).value : parseJson(body).value
}

/** The object of an answer, in whatever form it is going out; undefined when it is none. */
export async function objectIn({ body, type }: Reply, { resource }: Context): Promise<unknown> {
  const bytes = Array.isArray(body) ? Buffer.concat(body) : body
  try {
    if (type === PROTOBUF_TYPE && resource && hasProtobuf(resource.type))
      return [resource.type, `${resource.type}List`, 'meta/v1.Status']
        .filter(each => model.has(each))
        .map(each => [each, parseProtobuf(bytes, each).value as Record<string, unknown>] as const)
        .filter(([, value]) => Object.keys(value).length > 2)
        .map(([each, value]) => canonical(each, value))[0]
    if (type !== undefined && !type.startsWith(JSON_TYPE) && !type.endsWith('yaml')) return undefined
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

/** The object, or the objects of a list, without what upstream keeps of who has set which field. */
export function withoutManagedFields(object: unknown): unknown {
  const { metadata, items, ...rest } = object as { metadata?: Record<string, unknown>; items?: unknown[] }
  if (!metadata && !items) return object
  const { managedFields: _, ...kept } = metadata ?? {}
  // The order of the fields stays.
  return Object.fromEntries(
    Object.entries(object as object).map(([key, value]) => [
      key,
      key === 'metadata'
        ? kept
        : key === 'items' && items
          ? items.map(withoutManagedFields)
          : ((rest as Record<string, unknown>)[key] ?? value),
    ]),
  )
}

interface Versioned {
  metadata?: { resourceVersion?: string }
  items?: Versioned[]
}

/** What is stored has no resourceVersion; what was said may have had one. */
function whole(stored: Buffer, said: unknown): unknown {
  const object = JSON.parse(stored.toString()) as Versioned
  const restore = (to: Versioned, from: Versioned | undefined) => {
    const { resourceVersion } = from?.metadata ?? {}
    if (to.metadata && resourceVersion) to.metadata = { ...to.metadata, resourceVersion }
    for (const [index, item] of (to.items ?? []).entries()) restore(item, from?.items?.[index])
  }
  restore(object, said as Versioned)
  return object
}
