import { createHash } from 'node:crypto'
import { apiVersion, errors, type Resource } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import { parseAccept } from '../discovery/accept.ts'
import { cached } from '../discovery/index.ts'
import type { Context, Handler, Reply } from '../pipeline/context.ts'
import { type Descriptions, descriptions } from './descriptions.ts'
import { openApiV3 } from './documents.ts'
import { openApiV2 } from './v2.ts'

export interface OpenApiOptions {
  /** What is served at present. A new array when that has changed, and the same one as long as it has not. */
  resources(): Resource[]
  /** Of Kubernetes: `v1.36.0`. */
  version: string
  clock: Clock
  /** Instead of those beside the program. */
  descriptions?: Descriptions
}

const ROOT = '/openapi/v3'

/**
 * What answers `/openapi/v2`, `/openapi/v3` and the documents of the group versions below the latter. Documents are made
 * when somebody first asks.
 * Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
 */
export function createOpenApi(options: OpenApiOptions): (path: string) => Handler | undefined {
  const handlers = cached(options.resources, resources => makeHandlers(resources, options))
  return path => (path.startsWith('/openapi/') ? handlers().get(path.replace(/\/$/, '')) : undefined)
}

function makeHandlers(
  resources: Resource[],
  { version, clock, descriptions: given }: OpenApiOptions,
): Map<string, Handler> {
  const prose = () => given ?? descriptions()
  const document = (served: Resource[]) => openApiV3(served, resources, prose(), version)
  const versions = [...Map.groupBy(resources, placeOf)].map(
    ([place, served]) => [place, once(() => document(served))] as const,
  )
  const root = once(() => ({
    paths: Object.fromEntries(
      versions.map(([place, made]) => [place, { serverRelativeURL: `${ROOT}/${place}?hash=${made().hash}` }]),
    ),
  }))
  const whole = once(() => openApiV2(document(resources)))
  return new Map<string, Handler>([
    ['/openapi/v2', context => send(context, whole())],
    [ROOT, context => send(context, root())],
    ...versions.map(([place, made]): [string, Handler] => [
      `${ROOT}/${place}`,
      context => sendHashed(context, place, made(), clock),
    ]),
  ])
}

/** `api/v1`, `apis/apps/v1` */
const placeOf = (resource: Resource) => `${resource.group ? 'apis' : 'api'}/${apiVersion(resource)}`

interface Document {
  body: Buffer
  hash: string
}

function once(make: () => object): () => Document {
  let document: Document | undefined
  return () => {
    if (!document) {
      const body = Buffer.from(JSON.stringify(make()))
      document = { body, hash: createHash('sha512').update(body).digest('hex').toUpperCase() }
    }
    return document
  }
}

function send(context: Context, { body, hash }: Document, headers: Record<string, string> = {}): Reply {
  const wanted = parseAccept(context.request.headers.accept)
  if (!wanted.some(({ type }) => type === 'application/json' || type === 'application/*' || type === '*/*'))
    throw errors.notAcceptable(['application/json'])
  const tag = `"${hash}"`
  const known = context.request.headers['if-none-match'] === tag
  return {
    status: known ? 304 : 200,
    body: known ? Buffer.alloc(0) : body,
    headers: { ETag: tag, Vary: 'Accept', ...headers },
  }
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
