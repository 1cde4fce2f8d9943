import { createHash } from 'node:crypto'
import { errors, type Resource } from '../../api/index.ts'
import { encodeProtobuf } from '../../encoding/index.ts'
import { memoized } from '../memo.ts'
import { parseAccept, takesIn } from '../pipeline/accept.ts'
import type { Context, Handler, Reply } from '../pipeline/context.ts'
import { MEDIA_TYPES, PROTOBUF_TYPE, YAML_TYPE } from '../pipeline/formats.ts'
import { getOnly } from '../routes/get-only.ts'
import { aggregated } from './aggregated.ts'
import { groupsOf, type RemoteVersion, type ServedGroup } from './groups.ts'
import * as legacy from './legacy.ts'

export interface DiscoveryOptions {
  /** What is served at present. A new array when that has changed, and the same one as long as it has not. */
  resources(): Resource[]
  /** What other servers serve by way of this one; as with `resources`, the same array as long as nothing has changed. */
  remote?(): RemoteVersion[]
  /** `10.0.0.1:6443`, for clients that were given another address. */
  serverAddress: string
}

const NONE: RemoteVersion[] = []

const AGGREGATED = 'g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

export interface Discovery {
  (path: string): Handler | undefined
  /** Where there is something. */
  paths(): string[]
}

/** What answers a path of discovery: `/api`, `/apis` and what lies below them down to a group version. */
export function createDiscovery({ resources, remote = () => NONE, serverAddress }: DiscoveryOptions): Discovery {
  const groups = cached(remote, further => cached(resources, served => groupsOf(served, further)))
  const documents = cached(
    () => groups()(),
    present => makeDocuments(present, serverAddress),
  )
  const find = (path: string) => documents().get(path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path)
  return Object.assign(find, { paths: () => [...documents().keys(), '/apis/'] })
}

/** Makes something of what is served again only when that has become something else. */
export function cached<From extends object, T>(source: () => From, make: (from: From) => T): () => T {
  let from: From | undefined
  let made: T
  return () => {
    const present = source()
    if (present !== from) {
      made = make(present)
      from = present
    }
    return made
  }
}

function makeDocuments(groups: ServedGroup[], serverAddress: string): Map<string, Handler> {
  const core = groups.find(({ name }) => !name)
  const named = groups.filter(({ name }) => name)
  const handlers = new Map<string, Handler>([
    [
      '/api',
      getOnly(
        MEDIA_TYPES,
        either(
          () => legacy.coreVersions(core, serverAddress),
          () => aggregated(core ? [core] : [], 'apidiscovery.k8s.io/v2'),
        ),
      ),
    ],
    [
      '/apis',
      either(
        () => legacy.groupList(groups),
        () => aggregated(named, 'apidiscovery.k8s.io/v2'),
      ),
    ],
  ])
  for (const group of groups) {
    if (group.name)
      handlers.set(
        `/apis/${group.name}`,
        plain(() => legacy.group(group)),
      )
    for (const version of group.versions)
      handlers.set(
        group.name ? `/apis/${group.name}/${version.version}` : `/api/${version.version}`,
        getOnly(
          MEDIA_TYPES,
          plain(() => legacy.resourceList(group, version)),
        ),
      )
  }
  return handlers
}

/** A document that has one form only. */
function plain(make: () => object): Handler {
  const document = once(make)
  return context => {
    const wanted = parseAccept(context.request.headers.accept)
    if (!wanted.some(({ type, parameters }) => parameters.as === undefined && isServed(type)))
      throw errors.notAcceptable(MEDIA_TYPES)
    return { status: 200, body: document().body }
  }
}

/** A document that is also there in the aggregated form, which is kept by its ETag. */
function either(makePlain: () => object, makeAggregated: () => object): Handler {
  const documents = { plain: once(makePlain), aggregated: once(makeAggregated) }
  return context => {
    for (const { type, parameters } of parseAccept(context.request.headers.accept)) {
      if (parameters.as === undefined && isServed(type)) return { status: 200, body: documents.plain().body }
      const { g, v, as } = parameters
      const form = MEDIA_TYPES.find(each => takesIn(type, each))
      if (form && g === 'apidiscovery.k8s.io' && v === 'v2' && as === 'APIGroupDiscoveryList')
        return sendAggregated(context, documents.aggregated(), form)
    }
    throw errors.notAcceptable(MEDIA_TYPES)
  }
}

function sendAggregated(context: Context, { body, tag }: Document, form: string): Reply {
  const headers = { ETag: tag, Vary: 'Accept', 'Cache-Control': 'public' }
  const type = `${form};${AGGREGATED}`
  if (context.request.headers['if-none-match'] === tag) return { status: 304, body: Buffer.alloc(0), headers, type }
  if (form === PROTOBUF_TYPE) return { status: 200, body: protobufOf(body), headers, type }
  return { status: 200, body, headers, type, ...(form === YAML_TYPE ? { rewrite: 'yaml' as const } : {}) }
}

const inProtobuf = new WeakMap<Buffer, Buffer>()

function protobufOf(json: Buffer): Buffer {
  return memoized(inProtobuf, json, () =>
    encodeProtobuf('apidiscovery/v2.APIGroupDiscoveryList', JSON.parse(json.toString())),
  )
}

interface Document {
  body: Buffer
  tag: string
}

function once(make: () => object): () => Document {
  let document: Document | undefined
  return () => {
    if (!document) {
      const body = Buffer.from(`${JSON.stringify(make())}\n`)
      document = { body, tag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"` }
    }
    return document
  }
}

/** The documents are JSON, of which the other forms of objects are made when they are sent. */
const isServed = (range: string) => MEDIA_TYPES.some(type => takesIn(range, type))
