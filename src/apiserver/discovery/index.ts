import { createHash } from 'node:crypto'
import { errors, type Resource } from '../../api/index.ts'
import { parseAccept, takesIn } from '../pipeline/accept.ts'
import type { Context, Handler, Reply } from '../pipeline/context.ts'
import { JSON_TYPE, MEDIA_TYPES } from '../pipeline/formats.ts'
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
const ACCEPTED = [...MEDIA_TYPES, `${JSON_TYPE};${AGGREGATED}`]

/** What answers a path of discovery: `/api`, `/apis` and what lies below them down to a group version. */
export function createDiscovery({
  resources,
  remote = () => NONE,
  serverAddress,
}: DiscoveryOptions): (path: string) => Handler | undefined {
  const groups = cached(remote, further => cached(resources, served => groupsOf(served, further)))
  const documents = cached(
    () => groups()(),
    present => makeDocuments(present, serverAddress),
  )
  return path => {
    const wanted = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
    return documents().get(wanted)
  }
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
      either(
        () => legacy.coreVersions(core, serverAddress),
        () => aggregated(core ? [core] : [], 'apidiscovery.k8s.io/v2'),
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
        plain(() => legacy.resourceList(group, version)),
      )
  }
  return handlers
}

/** A document that has one form only. */
function plain(make: () => object): Handler {
  const document = once(make)
  return context => {
    if (!parseAccept(context.request.headers.accept).some(({ type }) => isServed(type)))
      throw errors.notAcceptable(ACCEPTED)
    return { status: 200, body: document().body }
  }
}

/** A document that is also there in the aggregated form, which is kept by its ETag. */
function either(makePlain: () => object, makeAggregated: () => object): Handler {
  const documents = { plain: once(makePlain), aggregated: once(makeAggregated) }
  return context => {
    for (const { type, parameters } of parseAccept(context.request.headers.accept)) {
      if (parameters.as === undefined && isServed(type))
        return { status: 200, body: documents.plain().body, headers: { Vary: 'Accept' } }
      const { g, v, as } = parameters
      if (takesIn(type, JSON_TYPE) && g === 'apidiscovery.k8s.io' && v === 'v2' && as === 'APIGroupDiscoveryList')
        return sendAggregated(context, documents.aggregated())
    }
    throw errors.notAcceptable(ACCEPTED)
  }
}

function sendAggregated(context: Context, { body, tag }: Document): Reply {
  const headers = { ETag: tag, Vary: 'Accept', 'Cache-Control': 'public' }
  const type = `application/json;${AGGREGATED}`
  const known = context.request.headers['if-none-match'] === tag
  return { status: known ? 304 : 200, body: known ? Buffer.alloc(0) : body, headers, type }
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
