import { Agent, request } from 'node:https'
import { type authorization, FieldSelector, LabelSelector, type meta, type Operator } from '../../api/index.ts'
import type { Clock, Logger } from '../../base/index.ts'
import { CelError, compile, createBudget, loadCel, type Program, toCel } from '../cel/index.ts'
import { readAtMost } from '../webhook/client.ts'
import { type Attributes, type Authorizer, type Decision, NO_RULES } from './authorizer.ts'

type Spec = authorization.SubjectAccessReviewSpec
type Status = Partial<authorization.SubjectAccessReviewStatus>

/** A service that is asked by SubjectAccessReviews. Times are milliseconds. */
export interface WebhookConfig {
  url: string
  /** PEM. */
  ca?: string
  cert?: string
  key?: string
  token?: string
  /** Do not check the service's certificate. */
  insecure?: boolean
  /** Of the review. */
  version: 'v1' | 'v1beta1'
  timeout: number
  /** How long answers are kept; 0 keeps none. */
  authorizedTtl: number
  unauthorizedTtl: number
  /** When the service does not answer. */
  failurePolicy: 'NoOpinion' | 'Deny'
  /** In CEL: the service is asked only where all of them hold. */
  matchConditions?: string[]
}

interface Parts {
  clock: Clock
  log: Logger
}

/** Source: k8s.io/apiserver/plugin/pkg/authorizer/webhook */
const ATTEMPTS = 5
const FIRST_PAUSE = 500
const PAUSE_GROWTH = 1.5
const REMEMBERED = 8192
/** Characters; larger questions are asked anew each time. */
const LARGEST_REMEMBERED = 10_000
const MAX_ANSWER = 1024 * 1024
const BUDGET = 10_000_000

/**
 * Asks another service. Source: https://kubernetes.io/docs/reference/access-authn-authz/webhook/
 */
export async function webhookAuthorizer(
  config: WebhookConfig,
  { clock, log }: Parts,
): Promise<{ authorizer: Authorizer; stop(): void }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64, timeout: 60_000 })
  const stopping = new AbortController()
  const known = new Map<string, { status: Status; until: number }>()
  const applies = await conditionsOf(config.matchConditions ?? [])
  const onError = (error: string): Decision => ({
    allowed: false,
    reason: '',
    error,
    ...(config.failurePolicy === 'Deny' ? { denied: true } : {}),
  })

  async function authorize(attributes: Attributes): Promise<Decision> {
    const spec = specOf(attributes)
    try {
      if (!applies(spec)) return { allowed: false, reason: '' }
      return decisionOf(await statusOf(spec))
    } catch (error) {
      log.error({ error }, 'Failed to make webhook authorizer request')
      return onError((error as Error).message)
    }
  }

  async function statusOf(spec: Spec): Promise<Status> {
    const key = JSON.stringify(spec)
    const remembered = known.get(key)
    if (remembered && remembered.until > clock.monotonic()) return remembered.status
    known.delete(key)
    const status = await persistently(() => ask(spec))
    const ttl = status.allowed ? config.authorizedTtl : config.unauthorizedTtl
    if (ttl > 0 && key.length < LARGEST_REMEMBERED) {
      if (known.size >= REMEMBERED) known.delete(known.keys().next().value!)
      known.set(key, { status, until: clock.monotonic() + ttl })
    }
    return status
  }

  async function persistently<T>(run: () => Promise<T>): Promise<T> {
    for (let attempt = 1, pause = FIRST_PAUSE; ; attempt++, pause *= PAUSE_GROWTH) {
      try {
        return await run()
      } catch (error) {
        if (attempt === ATTEMPTS || stopping.signal.aborted || (error as { final?: true }).final) throw error
        await clock.sleep(pause, stopping.signal)
      }
    }
  }

  async function ask(spec: Spec): Promise<Status> {
    const { version } = config
    const { groups, ...rest } = spec
    const review = {
      kind: 'SubjectAccessReview',
      apiVersion: `authorization.k8s.io/${version}`,
      metadata: {},
      // The older version has another name for them.
      spec: version === 'v1' ? spec : { ...rest, ...(groups ? { group: groups } : {}) },
      status: { allowed: false },
    }
    const { status, body } = await post(config, Buffer.from(JSON.stringify(review)), agent, clock)
    if (status < 200 || status > 299) {
      const final = status < 500 && status !== 429 ? { final: true } : {}
      throw Object.assign(new Error(`the server answered ${status}: ${body.toString().slice(0, 500)}`), final)
    }
    return (JSON.parse(body.toString()) as { status?: Status }).status ?? {}
  }

  return {
    authorizer: {
      authorize,
      rulesFor: () => ({
        ...NO_RULES,
        incomplete: true,
        errors: ['webhook authorizer does not support user rule resolution'],
      }),
    },
    stop() {
      stopping.abort()
      agent.destroy()
    },
  }
}

function decisionOf({ allowed = false, denied, reason = '' }: Status): Decision {
  if (allowed && denied)
    return {
      allowed: false,
      denied: true,
      reason,
      error: 'webhook subject access review returned both allow and deny response',
    }
  return { allowed, reason, ...(denied ? { denied: true } : {}) }
}

/** What is asked about somebody, as it is asked of others. */
export function specOf(attributes: Attributes): Spec {
  const { isResourceRequest, path, verb, group, version, resource, subresource, namespace } = attributes
  const { name, uid, groups, extra } = attributes.user
  const who: Spec = {
    ...(name ? { user: name } : {}),
    ...(groups.length ? { groups } : {}),
    ...(extra ? { extra } : {}),
    ...(uid ? { uid } : {}),
  }
  if (!isResourceRequest) return { nonResourceAttributes: { path, verb }, ...who }
  const about = { namespace, verb, group, version, resource, subresource, name: attributes.name }
  const told = Object.fromEntries(Object.entries(about).filter(([, value]) => value !== ''))
  const { fieldSelector, labelSelector } = attributes
  const fields = requirementsOf(() => FieldSelector.parse(fieldSelector ?? '').requirements)
  const labels = requirementsOf(() => LabelSelector.parse(labelSelector ?? '').requirements)
  return {
    resourceAttributes: {
      ...told,
      ...(fields.length ? { fieldSelector: { requirements: fields } } : {}),
      ...(labels.length ? { labelSelector: { requirements: labels } } : {}),
    },
    ...who,
  }
}

const OPERATORS: Partial<Record<Operator, string>> = {
  '=': 'In',
  '==': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
}

/** What cannot be said is left out: a question that is too wide does no harm. */
function requirementsOf(
  parse: () => readonly { key: string; operator: Operator; values?: string[]; value?: string }[],
): meta.LabelSelectorRequirement[] {
  try {
    return parse().flatMap(({ key, operator: written, values = [] }) => {
      const operator = OPERATORS[written]
      return operator ? [{ key, operator, ...(values.length ? { values } : {}) }] : []
    })
  } catch {
    return []
  }
}

/** Whether all conditions hold of a review; throws when one cannot be evaluated and none is false. */
async function conditionsOf(expressions: string[]): Promise<(spec: Spec) => boolean> {
  if (!expressions.length) return () => true
  await loadCel()
  const programs: Program[] = expressions.map(text => compile(text, { variables: ['request'] }))
  return spec => {
    let problem: CelError | undefined
    for (const program of programs) {
      try {
        if (program.evaluate({ request: toCel(spec as never) }, createBudget(BUDGET)) !== true) return false
      } catch (error) {
        if (!(error instanceof CelError)) throw error
        problem = error
      }
    }
    if (problem) throw problem
    return true
  }
}

/** Resolves with whatever is answered; rejects when nothing is in time. */
function post(
  { url, ca, cert, key, token, insecure, timeout }: WebhookConfig,
  body: Buffer,
  agent: Agent,
  clock: Clock,
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        agent,
        ca,
        cert,
        key,
        rejectUnauthorized: !insecure,
        headers: {
          'Content-Type': 'application/json',
          'Content-Length': body.length,
          Accept: 'application/json',
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
        },
      },
      answer => {
        readAtMost(MAX_ANSWER, answer)
          .then(bytes => resolve({ status: answer.statusCode ?? 0, body: bytes }), reject)
          .finally(() => patience.cancel())
      },
    )
    const patience = clock.after(timeout, () => sent.destroy(new Error('context deadline exceeded')))
    sent.on('error', error => {
      patience.cancel()
      reject(error)
    })
    sent.end(body)
  })
}
