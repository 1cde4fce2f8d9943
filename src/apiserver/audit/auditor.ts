import type { IncomingHttpHeaders } from 'node:http'
import { formatMicroTime, type meta } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import type { AuditAnnotations, Context, Reply, User } from '../pipeline/context.ts'
import type { Registry } from '../registry/registry.ts'
import { type Event, type ObjectReference, userInfo } from './event.ts'
import { objectIn, sentObject, withoutManagedFields } from './objects.ts'
import { type Judgement, judge, type Level, type Policy, type Stage } from './policy.ts'

/** Where events go. */
export interface Backend {
  /** Returns or resolves when the event is in good hands; throws or rejects when it could not be kept. */
  process(event: Event): void | Promise<void>
  /** Resolves when everything that was taken is out. */
  stop(): Promise<void>
}

/** Notes what happens to one request. */
export interface Audited {
  /** The first value of a key counts. */
  annotate(key: string, value: string): void
  impersonates(user: User, constraint: string): void
  /** Whether the answer is to be noted as a whole. */
  wantsAnswer: boolean
  /** An answer is on its way, in the form in which it was made. */
  answered(reply: Reply): void
  /** The answer is one that goes on for long, and has begun. */
  started(): void
  /** The server itself has failed, and not by an answer that it has for that. */
  panicked(error: Error): void
  end(): void
}

export interface Auditor {
  /** Absent: the policy wants nothing noted of it. */
  begin(context: Context, longRunning: boolean): Audited | undefined
  /** A request that was turned away before it was known who asks. */
  refused(context: Context, reply: Reply): void
  /** How many events were noted. */
  readonly count: number
  stop(): Promise<void>
}

/** Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/ */
export function createAuditor(
  policy: Policy,
  backends: Backend[],
  registry: Pick<Registry, 'served' | 'clock' | 'log'>,
): Auditor {
  const { clock, log } = registry
  let count = 0
  const take = (event: Event) => {
    count++
    for (const backend of backends) {
      const failed = (error: unknown) => log.error({ error, auditID: event.auditID }, 'could not keep an audit event')
      try {
        backend.process(event)?.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
  }
  const record = (context: Context, judgement: Judgement, longRunning: boolean, user: User) =>
    new Record(context, { judgement, longRunning, user, registry, clock, take })
  return {
    get count() {
      return count
    },
    begin(context, longRunning) {
      const judgement = judge(policy, context.info, context.user)
      if (judgement.level === 'None') return undefined
      const made = record(context, judgement, longRunning, context.user)
      made.emit('RequestReceived')
      return made
    },
    refused(context, reply) {
      const judgement = judge(policy, context.info, NOBODY)
      if (judgement.level === 'None') return
      const made = record(context, judgement, false, NOBODY)
      made.answered(reply)
      made.emit('ResponseStarted')
    },
    async stop() {
      await Promise.all(backends.map(backend => backend.stop()))
    },
  }
}

const NO_STATUS = { metadata: {} as meta.ListMeta }

const NOBODY: User = { name: '', groups: [] }

interface RecordOptions {
  judgement: Judgement
  longRunning: boolean
  /** Who asks, whomever he then acts as. */
  user: User
  registry: Pick<Registry, 'served'>
  clock: Clock
  take(event: Event): void
}

class Record implements Audited {
  readonly wantsAnswer: boolean
  readonly #context: Context
  readonly #options: RecordOptions
  readonly #annotations: AuditAnnotations = new Map()
  readonly #received: string
  #impersonated: Pick<Event, 'impersonatedUser' | 'authenticationMetadata'> = {}
  #status: Partial<meta.Status> | undefined
  #answer: Promise<unknown> | undefined
  #started = false
  #panic: string | undefined

  constructor(context: Context, options: RecordOptions) {
    this.#context = context
    this.#options = options
    const { clock, judgement } = options
    this.#received = formatMicroTime(clock.now() - (clock.monotonic() - context.arrived))
    this.wantsAnswer = judgement.level === 'RequestResponse'
    context.auditAnnotations = this.#annotations
  }

  annotate(key: string, value: string): void {
    if (!this.#annotations.has(key)) this.#annotations.set(key, { value })
  }

  impersonates(user: User, constraint: string): void {
    this.#impersonated = {
      impersonatedUser: userInfo(user),
      ...(constraint ? { authenticationMetadata: { impersonationConstraint: constraint } } : {}),
    }
  }

  answered(reply: Reply): void {
    this.#status = statusIn(reply)
    if (this.wantsAnswer) this.#answer = objectIn(reply, this.#context)
    if (this.#started || !this.#options.longRunning) return
    this.#started = true
    this.emit('ResponseStarted')
  }

  started(): void {
    if (this.#started || !this.#options.longRunning) return
    this.#started = true
    this.#status = { ...NO_STATUS, code: 200 }
    this.emit('ResponseStarted')
  }

  panicked({ message }: Error): void {
    this.#panic = `APIServer panic'd: ${message}`
  }

  readonly end = (): void => {
    const { statusCode: code } = this.#context.response as { statusCode: number }
    if (this.#panic === undefined) {
      this.#status = { ...(this.#status ?? NO_STATUS), code }
      this.emit('ResponseComplete')
    } else {
      this.#status = { ...NO_STATUS, status: 'Failure', message: this.#panic, reason: 'InternalError', code: 500 }
      this.emit('Panic')
    }
  }

  emit(stage: Stage): void {
    const { judgement, take } = this.#options
    if (judgement.omitted.has(stage)) return
    const event = this.#event(stage)
    if (stage === 'RequestReceived' || (stage === 'ResponseStarted' && !this.#answer)) take(event)
    else void this.#withObjects(event).then(take)
  }

  #event(stage: Stage): Event {
    const { info, request, auditId } = this.#context
    const { judgement, user, clock } = this.#options
    const now = stage === 'RequestReceived' ? this.#received : formatMicroTime(clock.now())
    return {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: judgement.level,
      auditID: auditId,
      stage,
      requestURI: request.url ?? '/',
      verb: info.verb,
      user: userInfo(user),
      ...this.#impersonated,
      ...sources(request),
      ...(request.headers['user-agent'] ? { userAgent: request.headers['user-agent'] } : {}),
      ...(info.isResourceRequest ? { objectRef: reference(this.#context) } : {}),
      ...(this.#status ? { responseStatus: this.#status } : {}),
      requestReceivedTimestamp: this.#received,
      stageTimestamp: now,
      ...annotated(this.#annotations, judgement.level),
    }
  }

  /** What was sent and answered stands before the times. */
  async #withObjects({ requestReceivedTimestamp, stageTimestamp, annotations, ...event }: Event): Promise<Event> {
    const { level, omitManagedFields } = this.#options.judgement
    const shown = (object: unknown) => (omitManagedFields ? withoutManagedFields(object) : object)
    const sent = await sentObject(this.#context, this.#options.registry)
    const answer = await this.#answer
    if (event.objectRef && sent) event.objectRef = completed(event.objectRef, sent)
    return {
      ...event,
      ...(sent !== undefined && level !== 'Metadata' ? { requestObject: shown(sent) } : {}),
      ...(answer !== undefined ? { responseObject: shown(answer) } : {}),
      requestReceivedTimestamp,
      stageTimestamp,
      ...(annotations ? { annotations } : {}),
    }
  }
}

/** In order of their keys, as Go writes a map; some are for those only who want to know what was sent. */
function annotated(annotations: AuditAnnotations, level: Level): { annotations?: { [key: string]: string } } {
  const shown = [...annotations].filter(([, annotation]) => !annotation.level || level !== 'Metadata')
  if (!shown.length) return {}
  const sorted = shown.sort(([a], [b]) => (a < b ? -1 : 1))
  return { annotations: Object.fromEntries(sorted.map(([key, { value }]) => [key, value])) }
}

const STATUS = Buffer.from('{"kind":"Status"')

/** Of an answer that says how it went, that; its kind is left out. */
function statusIn({ body, status, type }: Reply): Partial<meta.Status> {
  const bytes = Array.isArray(body) ? body[0] : body
  const isStatus =
    (type === undefined || type === 'application/json') && bytes?.subarray(0, STATUS.length).equals(STATUS)
  if (!isStatus) return { ...NO_STATUS, code: status }
  const { kind: _, apiVersion: __, ...rest } = JSON.parse(bytes!.toString()) as meta.Status
  return { ...rest, code: status }
}

function reference({ info }: Context): ObjectReference {
  const { resource, namespace, name, group, version, subresource } = info
  const fields = { resource, namespace, name, apiGroup: group, apiVersion: version, subresource }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
}

/** What the path does not say the object may. */
function completed(given: ObjectReference, object: unknown): ObjectReference {
  const { metadata = {} } = (object ?? {}) as { metadata?: Partial<meta.ObjectMeta> }
  const { namespace, name, uid, resourceVersion } = metadata
  const { resource, apiGroup, apiVersion, subresource } = given
  const all = {
    resource,
    namespace: given.namespace || namespace,
    name: given.name || name,
    uid,
    apiGroup,
    apiVersion,
    resourceVersion,
    subresource,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value))
}

/** Everybody who is said to have passed the request on, and who was at the other end. Source: k8s.io/apimachinery/pkg/util/net SourceIPs */
function sources({ headers, socket }: Context['request']): { sourceIPs?: string[] } {
  const named = (value: IncomingHttpHeaders[string]) => String(value ?? '').split(',')
  const forwarded = named(headers['x-forwarded-for']).map(ip => ip.trim())
  const real = named(headers['x-real-ip'])[0]!.trim()
  const peer = (socket?.remoteAddress ?? '').replace(/^::ffff:/, '')
  const all = forwarded.filter(Boolean)
  if (real && !all.includes(real)) all.push(real)
  if (peer && all.at(-1) !== peer) all.push(peer)
  return all.length ? { sourceIPs: all } : {}
}
