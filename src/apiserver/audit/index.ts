import type { Registry } from '../registry/registry.ts'
import { type Auditor, type Backend, createAuditor } from './auditor.ts'
import { type BatchOptions, batched } from './batch.ts'
import { parsePolicy } from './load.ts'
import { type LogOptions, logBackend } from './log.ts'
import { truncated } from './truncate.ts'
import { type WebhookOptions, webhookSender } from './webhook.ts'

/** How events come to where they go. */
export interface Delivery {
  /** Absent: each by itself, before the request goes on. */
  batch?: BatchOptions
  /** Bytes; absent: events are of any size. */
  maxEventSize?: number
}

/** What is noted of requests, and where. Without a policy or without a place nothing is. */
export interface AuditOptions {
  policy: { content: Buffer; file: string }
  log?: LogOptions & Delivery
  webhook?: WebhookOptions & Delivery
}

/** Rejects in upstream's words when the policy is not one. */
export async function startAudit({ policy, log, webhook }: AuditOptions, registry: Registry): Promise<Auditor> {
  const rules = await parsePolicy(policy.content, policy.file)
  const backends = [...(log ? [toLog(log, registry)] : []), ...(webhook ? [toWebhook(webhook, registry)] : [])]
  return createAuditor(rules, backends, registry)
}

function toLog(options: LogOptions & Delivery, { clock, log }: Registry): Backend {
  const direct = logBackend(options, clock, log)
  const send = async (events: Parameters<Backend['process']>[0][]) => {
    for (const event of events) await direct.process(event)
  }
  const backend = options.batch ? withEnd(batched(options.batch, send, { clock, log }), direct.stop) : direct
  return bounded(backend, options, log)
}

function toWebhook(options: WebhookOptions & Delivery, { clock, log }: Registry): Backend {
  const sender = webhookSender(options, clock, log)
  const send = (events: Parameters<Backend['process']>[0][]) =>
    sender.send(events).catch(error => log.error({ error, lost: events.length }, 'could not send audit events'))
  const backend = options.batch
    ? batched(options.batch, send, { clock, log })
    : { process: (event: Parameters<Backend['process']>[0]) => send([event]), stop: async () => {} }
  return bounded(
    withEnd(backend, async () => sender.close()),
    options,
    log,
  )
}

const withEnd = (backend: Backend, end: () => Promise<void>): Backend => ({
  process: event => backend.process(event),
  async stop() {
    await backend.stop()
    await end()
  },
})

const bounded = (backend: Backend, { maxEventSize }: Delivery, log: Registry['log']): Backend =>
  maxEventSize === undefined ? backend : truncated(backend, maxEventSize, log)
