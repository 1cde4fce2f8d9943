import { errors, parseDuration, StatusError } from '../../api/index.ts'
import type { Clock, Logger, Random } from '../../base/index.ts'
import type { Auditor } from '../audit/auditor.ts'
import { type Authorizer, refusal } from '../authz/authorizer.ts'
import type { RequestMetrics } from '../metrics.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import { isPreflight } from './browsers.ts'
import type { Context, Handler, Reply, User } from './context.ts'
import type { Deadlines } from './deadlines.ts'
import { impersonated, impersonates, refused } from './impersonate.ts'
import { type InFlight, TooMany } from './in-flight.ts'
import { ReceivedRequest } from './received.ts'
import { outgoing, replyTo, send, text } from './respond.ts'

export interface Pipeline {
  clock: Clock
  random: Random
  log: Logger
  /** Who asks. Throws or rejects with 401. */
  authenticate(request: Context['request'], path: string): User | Promise<User>
  authorizer: Authorizer
  resources: ResourceTable
  /** What answers a path that another server has taken over; undefined for nearly all. */
  elsewhere(path: string): Handler | undefined
  /** Answers what is not a resource; undefined when nothing is served at the path. */
  route(path: string): Handler | undefined
  /** Answers every resource request. */
  resource: Handler
  metrics: RequestMetrics
  deadlines: Deadlines<Context>
  /** Longest time for a request that is to end, in milliseconds. Source: --request-timeout */
  timeout: number
  inFlight: InFlight
  /** Absent: nothing is noted of anything. */
  audit?: Auditor
  /** What is in every answer besides, of this server and this request; undefined when nothing is. */
  furtherHeaders?(request: Context['request']): Record<string, string> | undefined
  /** Aborts when the server stops. */
  stopping: AbortSignal
}

const NOTHING: Reply = { status: 204, body: Buffer.alloc(0), type: '' }

/** One request, from arrival to answer: who asks, may they, then the handler. Never rejects. */
export async function handle(
  pipeline: Pipeline,
  request: Context['request'],
  response: Context['response'],
  upgrade?: Context['upgrade'],
): Promise<void> {
  const context = new ReceivedRequest(pipeline, request, response)
  if (upgrade) context.upgrade = upgrade
  const mutating = MUTATING.has(context.info.verb)
  pipeline.metrics.begin(mutating)
  const longRunning = isLongRunning(context)
  try {
    if (pipeline.furtherHeaders) context.headers = pipeline.furtherHeaders(request)
    if (context.headers && isPreflight(context)) return void (await send(context, NOTHING))
    if (!longRunning) pipeline.deadlines.add(context, timeoutOf(pipeline, context))
    const user = pipeline.authenticate(request, context.info.path)
    context.user = user instanceof Promise ? await user : user
    if (pipeline.audit) context.audited = pipeline.audit.begin(context, longRunning)
    if (impersonates(request)) await impersonate(pipeline.authorizer, context)
    const turn = longRunning ? undefined : pipeline.inFlight.enter(context, mutating)
    if (turn) await turn
    await authorize(pipeline.authorizer, context)
    const handler = handlerOf(pipeline, context)
    if (longRunning) follow(pipeline, context)
    const reply = await handler(context)
    if (reply) await send(context, reply)
  } catch (error) {
    await fail(pipeline, context, error)
  } finally {
    pipeline.inFlight.leave(context)
    if (context.audited) whenOver(context, longRunning, context.audited.end)
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

/** Counts what goes on for long as long as it does. */
function follow({ metrics }: Pipeline, context: Context): void {
  whenOver(context, true, metrics.running(context))
  if (context.info.verb === 'watch' && context.resource) context.watched = metrics.watched(context)
}

/** A watch goes on when its beginning has been answered. */
function whenOver(context: Context, longRunning: boolean, run: () => void): void {
  const stream = context.upgrade?.socket ?? outgoing(context)
  if (longRunning && !stream.destroyed && !stream.writableEnded) stream.once('close', run)
  else run()
}

async function impersonate(authorizer: Authorizer, context: Context): Promise<void> {
  const { user, constraint } = await impersonated(authorizer, context)
  context.audited?.impersonates(user, constraint)
  context.user = user
}

async function authorize(authorizer: Authorizer, { info, user, query, audited }: Context): Promise<void> {
  const attributes = SELECTING.has(info.verb) ? { ...info, user, ...selectorsOf(query) } : { ...info, user }
  const { allowed, reason, error } = await authorizer.authorize(attributes)
  audited?.annotate('authorization.k8s.io/decision', allowed ? 'allow' : 'forbid')
  audited?.annotate('authorization.k8s.io/reason', reason)
  if (allowed) return
  throw error ? errors.internal(error) : refused(refusal(attributes, reason))
}

const SELECTING = new Set(['list', 'watch', 'deletecollection'])

const selectorsOf = (query: URLSearchParams) => ({
  fieldSelector: query.get('fieldSelector') ?? '',
  labelSelector: query.get('labelSelector') ?? '',
})

function handlerOf({ route, resource, resources, elsewhere }: Pipeline, context: Context): Handler {
  const { info } = context
  const other = elsewhere(info.path)
  if (other) return other
  if (info.isResourceRequest) {
    const found = resources.find(info.group, info.version, info.resource)
    if (found) {
      context.resource = found
      return resource
    }
  }
  const handler = route(info.path)
  if (handler) return handler
  if (isApi(info.path, resources)) throw errors.noRoute()
  return notFound
}

/** Whether a path lies where objects are answered, and so with an object when there is nothing. */
function isApi(path: string, { hasGroup }: ResourceTable): boolean {
  const [, root, group = ''] = path.split('/', 3)
  return root === 'api' || (root === 'apis' && hasGroup(group))
}

const notFound: Handler = () => text(404, '404 page not found\n')

const MUTATING = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

const LONG_RUNNING = new Set(['log', 'exec', 'attach', 'portforward', 'proxy'])

const isLongRunning = ({ info }: Context) => info.verb === 'watch' || LONG_RUNNING.has(info.subresource)

/** Source: k8s.io/apiserver/pkg/endpoints/filters/request_deadline.go */
function timeoutOf({ timeout }: Pipeline, { query }: Context): number {
  const asked = query.get('timeout')
  if (!asked) return timeout
  const wanted = parseDuration(asked)
  if (Number.isNaN(wanted))
    throw errors.badRequest(
      `invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(asked)}`,
    )
  return wanted > 0 ? Math.min(wanted, timeout) : timeout
}

/** The answer to a request that takes too long; upstream leaves out what kind of object it is. */
export function expire(context: Context): void {
  const { kind: _, apiVersion: __, ...status } = errors.timeout(TOO_LONG).status
  void send(context, { ...text(504, `${JSON.stringify(status)}\n`), headers: {} })
}

const TOO_LONG = 'request did not complete within the allotted timeout'

const RETRY = { 'Retry-After': '1' }

async function fail(pipeline: Pipeline, context: Context, error: unknown): Promise<void> {
  const reply = error instanceof TooMany ? text(429, `${error.message}\n`, undefined, RETRY) : replyTo(error)
  const response = outgoing(context)
  const { method, url } = context.request
  if (pipeline.audit && !context.audited) pipeline.audit.refused(context, reply)
  if (!(error instanceof StatusError || error instanceof TooMany)) context.audited?.panicked(error as Error)
  if (reply.status >= 500) pipeline.log.error({ error, method, url, auditId: context.auditId }, 'request failed')
  if (response.headersSent) return void response.destroy()
  // What is left of a body that nobody reads would be taken for the next request.
  const unread = context.request.httpVersionMajor === 1 && !context.request.complete && reply.status === 413
  if (unread) reply.headers = { ...reply.headers, Connection: 'close' }
  await send(context, reply)
}
