import { errors } from '../../api/index.ts'
import type { Clock, Logger, Random } from '../../base/index.ts'
import type { TokenAuthenticator } from '../authn/tokens.ts'
import { type Authorizer, refusal } from '../authz/authorizer.ts'
import type { RequestMetrics } from '../metrics.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import { authenticate } from './authenticate.ts'
import { readBody } from './body.ts'
import type { Context, Handler } from './context.ts'
import type { Deadlines } from './deadlines.ts'
import { impersonated, impersonates } from './impersonate.ts'
import { requestInfo } from './request-info.ts'
import { outgoing, replyTo, send } from './respond.ts'

export interface Pipeline {
  clock: Clock
  random: Random
  log: Logger
  tokens: TokenAuthenticator
  authorizer: Authorizer
  resources: ResourceTable
  /** Answers what is not a resource; undefined when nothing is served at the path. */
  route(path: string): Handler | undefined
  /** Answers every resource request. */
  resource: Handler
  metrics: RequestMetrics
  deadlines: Deadlines<Context>
  /** Aborts when the server stops. */
  stopping: AbortSignal
}

/** Longest time for a request that is to end. Source: kube-apiserver --request-timeout */
const TIMEOUT = 60_000

const NO_QUERY = new URLSearchParams()

/** One request, from arrival to answer: who asks, may they, then the handler. Never rejects. */
export async function handle(
  pipeline: Pipeline,
  request: Context['request'],
  response: Context['response'],
  upgrade?: Context['upgrade'],
): Promise<void> {
  const context = contextOf(pipeline, request, response)
  if (upgrade) context.upgrade = upgrade
  const mutating = MUTATING.has(context.info.verb)
  pipeline.metrics.begin(mutating)
  if (!isLongRunning(context)) pipeline.deadlines.add(context, timeoutOf(context))
  try {
    const user = authenticate(request, pipeline.tokens)
    context.user = user instanceof Promise ? await user : user
    if (impersonates(request)) context.user = await impersonated(pipeline.authorizer, context)
    await authorize(pipeline.authorizer, context)
    const reply = await handlerOf(pipeline, context)(context)
    if (reply) await send(context, reply)
  } catch (error) {
    await fail(pipeline, context, error)
  } finally {
    pipeline.deadlines.remove(context)
    const seconds = (pipeline.clock.monotonic() - context.arrived) / 1000
    pipeline.metrics.end(mutating)
    const { statusCode } = outgoing(context)
    pipeline.metrics.observe(context, statusCode, seconds)
    const { method, url } = request
    pipeline.log.debug(
      { method, url, code: statusCode, seconds, user: context.user.name, auditId: context.auditId },
      'request',
    )
  }
}

function contextOf(pipeline: Pipeline, request: Context['request'], response: Context['response']): Context {
  const url = request.url ?? '/'
  const mark = url.indexOf('?')
  const query = mark === -1 ? NO_QUERY : new URLSearchParams(url.slice(mark + 1))
  let body: Promise<Buffer> | undefined
  let abort: AbortController | undefined
  return {
    request,
    response,
    arrived: pipeline.clock.monotonic(),
    query,
    info: requestInfo(request.method ?? 'GET', decodedPath(mark === -1 ? url : url.slice(0, mark)), query),
    user: { name: '', groups: [] },
    auditId: pipeline.random.uuid(),
    warnings: [],
    body() {
      body ??= readBody(request)
      return body
    },
    get signal() {
      if (!abort) {
        const controller = new AbortController()
        outgoing(this).once('close', () => controller.abort())
        abort = controller
      }
      return AbortSignal.any([abort.signal, pipeline.stopping])
    },
  }
}

function decodedPath(path: string): string {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

async function authorize(authorizer: Authorizer, { info, user }: Context): Promise<void> {
  const attributes = { ...info, user }
  const { allowed, reason } = await authorizer.authorize(attributes)
  if (!allowed) throw refusal(attributes, reason)
}

function handlerOf({ route, resource, resources }: Pipeline, context: Context): Handler {
  const { info } = context
  if (info.isResourceRequest) {
    const found = resources.find(info.group, info.version, info.resource)
    if (found) {
      context.resource = found
      return resource
    }
  }
  const handler = route(info.path)
  if (handler) return handler
  throw notFound
}

const notFound = errors.noRoute()

const MUTATING = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

const LONG_RUNNING = new Set(['log', 'exec', 'attach', 'portforward', 'proxy'])

const isLongRunning = ({ info }: Context) => info.verb === 'watch' || LONG_RUNNING.has(info.subresource)

function timeoutOf({ query }: Context): number {
  const asked = query.get('timeout')?.match(/^(\d+)(s|m)$/)
  return asked ? Math.min(Number(asked[1]) * (asked[2] === 'm' ? 60_000 : 1000), TIMEOUT) || TIMEOUT : TIMEOUT
}

/** The answer to a request that takes too long. */
export function expire(context: Context): void {
  void send(context, replyTo(errors.timeout('request did not complete within the allotted timeout')))
}

async function fail(pipeline: Pipeline, context: Context, error: unknown): Promise<void> {
  const reply = replyTo(error)
  const response = outgoing(context)
  const { method, url } = context.request
  if (reply.status >= 500) pipeline.log.error({ error, method, url, auditId: context.auditId }, 'request failed')
  if (response.headersSent) return void response.destroy()
  // What is left of a body that nobody reads would be taken for the next request.
  const unread = context.request.httpVersionMajor === 1 && !context.request.complete && reply.status === 413
  if (unread) reply.headers = { ...reply.headers, Connection: 'close' }
  await send(context, reply)
}
