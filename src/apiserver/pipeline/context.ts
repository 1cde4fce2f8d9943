import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Resource } from '../../api/index.ts'
import type { Audited } from '../audit/auditor.ts'
import type { Rewrite } from './formats.ts'

/** Who asks. Source: authentication.k8s.io/v1 UserInfo. */
export interface User {
  name: string
  uid?: string
  groups: string[]
  extra?: Record<string, string[]>
}

/** What a path and a method mean. Source: k8s.io/apiserver/pkg/endpoints/request RequestInfo. */
export interface RequestInfo {
  isResourceRequest: boolean
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; else the lower-case method. */
  verb: string
  /** The path, decoded, without the query. */
  path: string
  group: string
  version: string
  resource: string
  subresource: string
  namespace: string
  name: string
  /** The path segments from the resource on, for `proxy`. */
  parts: string[]
}

/** What is told of a request in its audit event, by key; what names a level is kept only at that level and above. */
export type AuditAnnotations = Map<string, { value: string; level?: 'Request' }>

/** One request on its way through the stages; each stage fills in what the later ones need. */
export interface Context {
  request: IncomingMessage | Http2ServerRequest
  response: ServerResponse | Http2ServerResponse
  /** `performance.now()`-like moment of arrival, from the server's clock. */
  arrived: number
  query: URLSearchParams
  info: RequestInfo
  user: User
  /** Set for resource requests that the server knows. */
  resource?: Resource
  /** Aborts when the client goes away or the server stops. */
  signal: AbortSignal
  /** `Warning` headers to send: text without the code. */
  warnings: string[]
  /** Set where the request is audited; admission adds to it. */
  auditAnnotations?: AuditAnnotations
  /** The bare connection of a request that asks for another protocol, and what has come on it already. */
  upgrade?: { socket: Duplex; head: Buffer }
  /** Notes what there is to know of the request; absent when nobody wants to. */
  audited?: Audited
  /** What the answer carries besides what all do. */
  headers?: Record<string, string>
  /** Bytes of the answer's body, once it is known. */
  answerLength?: number
  /** Told of the events that a watch is sent. */
  watched?: (events: Buffer[]) => void
  /** Names this request in the answer's `Audit-Id` and in the log. */
  auditId: string
  /** Reads the whole body once; rejects with 413 over the limit. */
  body(): Promise<Buffer>
  /** The body, once it was read. */
  received?: Buffer
}

/** An answer that is ready as a whole. Streams write to `context.response` themselves and return nothing. */
export interface Reply {
  status: number
  headers?: Record<string, string>
  /** One buffer, or many that are sent one after another. */
  body: Buffer | Buffer[]
  /** Default: JSON, or what the client would rather have of what can be made of that. */
  type?: string
  /** What is still to be made of the body, which is JSON. */
  rewrite?: Rewrite
}

/** What answers a request. May throw a StatusError. */
export type Handler = (context: Context) => Promise<Reply | undefined> | Reply | undefined
