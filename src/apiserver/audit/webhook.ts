import type { Clock, Logger } from '../../base/index.ts'
import { type Connection, poster } from '../webhook/post.ts'
import type { Event } from './event.ts'

export interface WebhookOptions {
  connection: Connection
  /** Milliseconds before a batch is sent again; later pauses are longer. */
  initialBackoff: number
}

const TIMEOUT = 30_000
/** Source: k8s.io/apiserver/pkg/util/webhook DefaultRetryBackoffWithInitialDelay */
const ATTEMPTS = 5
const GROWTH = 1.5

export interface WebhookSender {
  /** Rejects when the service has not taken them after several attempts. */
  send(events: Event[]): Promise<void>
  close(): void
}

/** Sends events to a service as EventLists. Source: kube-apiserver --audit-webhook-config-file */
export function webhookSender(
  { connection, initialBackoff }: WebhookOptions,
  clock: Clock,
  log: Logger,
): WebhookSender {
  const { post, close } = poster(connection, TIMEOUT, clock)
  return {
    async send(events) {
      const list = { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items: events }
      for (let attempt = 1, pause = initialBackoff; ; attempt++, pause *= GROWTH) {
        try {
          return void (await post(list))
        } catch (error) {
          if (attempt === ATTEMPTS) throw error
          log.warn({ error, attempt }, 'could not send audit events')
          await clock.sleep(pause)
        }
      }
    },
    close,
  }
}
