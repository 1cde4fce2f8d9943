import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { apiVersion, errors, type Resource } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import type { JsonSchema } from '../../encoding/index.ts'
import { cached } from '../discovery/index.ts'
import { parseAccept } from '../pipeline/accept.ts'
import type { Context, Handler, Reply } from '../pipeline/context.ts'
import { trimmed } from './custom.ts'
import { type Descriptions, descriptions } from './descriptions.ts'
import { openApiV3 } from './documents.ts'
import { encodeGnostic } from './gnostic.ts'
import { type RemoteOpenApi, withRemote } from './remote.ts'
import { openApiV2 } from './v2.ts'

export interface OpenApiOptions {
  /** What is served at present. A new array when that has changed, and the same one as long as it has not. */
  resources(): Resource[]
  /** What other servers say; as with `resources`, the same array as long as nothing has changed. */
  remote?(): RemoteOpenApi[]
  /** What the author of a custom resource wrote of it. */
  schemaOf?(resource: Resource): JsonSchema | undefined
  /** Of Kubernetes: `v1.36.0`. */
  version: string
  clock: Clock
  /** Instead of those beside the program. */
  descriptions?: Descriptions
}

const ROOT = '/openapi/v3'
const JSON_TYPE = 'application/json'
const PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
/** The name it had before, under which clients still ask for it. */
const OLD_PROTOBUF_TYPE = PROTOBUF_TYPE.replace('v2.v1.0', 'v2@v1.0')

/**
 * What answers `/openapi/v2`, `/openapi/v3` and the documents of the group versions below the latter. Documents are made
 * when somebody first asks.
 * Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
 */
export function createOpenApi(options: OpenApiOptions): (path: string) => Handler | undefined {
  const places = new Map<string, Place>()
  const inner = cached(options.remote ?? (() => NONE), remotes =>
    cached(options.resources, resources => makeHandlers(resources, remotes, options, places)),
  )
  const handlers = () => inner()()
  return path => (path.startsWith('/openapi/') ? (handlers().get(path) ?? missing(path)) : undefined)
}

/** Below the root there is nothing to say of what is not there. */
const missing = (path: string): Handler | undefined =>
  path.startsWith(`${ROOT}/`) ? () => ({ status: 404, body: Buffer.alloc(0), type: '' }) : undefined

const NONE: RemoteOpenApi[] = []

function makeHandlers(
  all: Resource[],
  remotes: RemoteOpenApi[],
  { version, clock, descriptions: given, schemaOf = () => undefined }: OpenApiOptions,
  places: Map<string, Place>,
): Map<string, Handler> {
  const prose = () => given ?? descriptions()
  const document = (served: Resource[]) => openApiV3(served, schemaOf, prose(), version)
  const taken = new Set(remotes.map(({ place }) => place))
  const resources = taken.size ? all.filter(resource => !taken.has(placeOf(resource))) : all
  const groups = Map.groupBy(resources, placeOf)
  for (const place of places.keys()) if (!groups.has(place)) places.delete(place)
  const versions = [...groups].map(([name, served]) => {
    const before = places.get(name)
    const same = before?.resources.length === served.length && served.every((each, at) => each === before.resources[at])
    const place = same ? before : { resources: served, made: once(() => document(served)) }
    places.set(name, place)
    return [name, place.made] as const
  })
  const root = once(() => ({
    paths: Object.fromEntries([
      ...versions.map(([place, made]) => [place, { serverRelativeURL: `${ROOT}/${place}?hash=${made().hash}` }]),
      ...remotes.filter(({ url }) => url).map(({ place, url }) => [place, { serverRelativeURL: url }]),
    ]),
  }))
  const brief = (resource: Resource) => {
    const schema = schemaOf(resource)
    return schema && trimmed(schema)
  }
  const whole = () => withRemote(openApiV2(openApiV3(resources, brief, prose(), version)), remotes)
  const v2 = { json: once(whole), protobuf: once(whole, encodeGnostic) }
  return new Map<string, Handler>([
    ['/openapi/v2', context => sendEither(context, v2)],
    [ROOT, context => send(context, root())],
    ...versions.map(([place, made]): [string, Handler] => [
      `${ROOT}/${place}`,
      context => sendHashed(context, place, made(), clock),
    ]),
    ...remotes.filter(({ url }) => url).map(({ place, handler }): [string, Handler] => [`${ROOT}/${place}`, handler]),
  ])
}

/** One group version with its document, which stays as long as its resources do, whatever comes and goes beside them. */
interface Place {
  resources: Resource[]
  made: () => Document
}

/** `api/v1`, `apis/apps/v1` */
const placeOf = (resource: Resource) => `${resource.group ? 'apis' : 'api'}/${apiVersion(resource)}`

/** As upstream compresses its answers: soon rather than well. */
const COMPRESSION = { level: 1 }

/** Kept as most clients take it, in an eighth of the memory. */
interface Document {
  gzipped: Buffer
  /** Of the document in JSON, whatever form it has here. */
  hash: string
}

/** Keeps the bytes and nothing of what they were made from. */
function once(make: () => object, encode?: (document: object) => Buffer): () => Document {
  let document: Document | undefined
  return () => {
    document ??= encoded(make(), encode)
    return document
  }
}

function encoded(document: object, encode?: (document: object) => Buffer): Document {
  const json = JSON.stringify(document)
  const hash = createHash('sha512').update(json).digest('hex').toUpperCase()
  return { gzipped: gzipSync(encode?.(document) ?? json, COMPRESSION), hash }
}

function sendEither(context: Context, { json, protobuf }: Record<'json' | 'protobuf', () => Document>): Reply {
  const type = chooseType(context, [JSON_TYPE, OLD_PROTOBUF_TYPE, PROTOBUF_TYPE])
  return type === JSON_TYPE ? answer(context, json()) : { ...answer(context, protobuf()), type: PROTOBUF_TYPE }
}

function send(context: Context, document: Document, headers?: Record<string, string>): Reply {
  chooseType(context, [JSON_TYPE])
  return answer(context, document, headers)
}

/** The first of the `offered` types that fits what the client wants most. Rejects with 406. */
function chooseType(context: Context, offered: string[]): string {
  for (const { type } of parseAccept(context.request.headers.accept)) {
    const found = offered.find(one => type === one || type === 'application/*' || type === '*/*')
    if (found) return found
  }
  throw errors.notAcceptable(offered)
}

function answer(context: Context, { gzipped, hash }: Document, extra: Record<string, string> = {}): Reply {
  const { 'if-none-match': known, 'accept-encoding': encodings = '' } = context.request.headers
  const headers = { ETag: `"${hash}"`, Vary: 'Accept, Accept-Encoding', ...extra }
  if (known === headers.ETag) return { status: 304, body: Buffer.alloc(0), headers }
  if (!/\bgzip\b/.test(String(encodings))) return { status: 200, body: gunzipSync(gzipped), headers }
  return { status: 200, body: gzipped, headers: { ...headers, 'Content-Encoding': 'gzip' } }
}

/** With its hash a document can be kept for ever; one that has changed since is found at its new address. */
function sendHashed(context: Context, place: string, document: Document, clock: Clock): Reply {
  const hash = context.query.get('hash')
  if (hash === null) return send(context, document)
  if (hash === document.hash)
    return send(context, document, { 'Cache-Control': 'public, immutable', Expires: yearFrom(clock.now()) })
  return { status: 301, body: Buffer.alloc(0), headers: { Location: `${ROOT}/${place}?hash=${document.hash}` } }
}

const yearFrom = (now: number) => new Date(now + 365 * 24 * 60 * 60 * 1000).toUTCString()
