import type { Clock, Logger, Timer } from '../../base/index.ts'
import type { Backend } from './auditor.ts'
import type { Event } from './event.ts'

export interface BatchOptions {
  /** Events that wait at most; what comes beyond is dropped. */
  bufferSize: number
  /** Events of one batch. */
  maxSize: number
  /** Milliseconds after which a batch goes out that is not full. */
  maxWait: number
  /** Batches a second, and at once; absent: any number. */
  throttle?: { qps: number; burst: number }
}

/** Lets nobody wait for a slow backend. `send` never rejects. Source: k8s.io/apiserver/plugin/pkg/audit/buffered */
export function batched(
  { bufferSize, maxSize, maxWait, throttle }: BatchOptions,
  send: (events: Event[]) => Promise<void>,
  { clock, log }: { clock: Clock; log: Logger },
): Backend {
  const waiting: Event[] = []
  let timer: Timer | undefined
  let sending = Promise.resolve()
  let queued = 0
  let tokens = throttle?.burst ?? 0
  let filled = clock.monotonic()

  /** Resolves when the next batch may go. */
  async function turn(): Promise<void> {
    if (!throttle) return
    const now = clock.monotonic()
    tokens = Math.min(throttle.burst, tokens + ((now - filled) / 1000) * throttle.qps)
    filled = now
    tokens -= 1
    if (tokens < 0) await clock.sleep((-tokens / throttle.qps) * 1000)
  }

  function flush(): void {
    timer?.cancel()
    timer = undefined
    const batch = waiting.splice(0, maxSize)
    if (!batch.length) return
    queued += batch.length
    sending = sending.then(async () => {
      await turn()
      await send(batch)
      queued -= batch.length
    })
    if (waiting.length) flush()
  }

  return {
    process(event) {
      if (waiting.length + queued >= bufferSize)
        return log.error({ auditID: event.auditID }, 'audit buffer queue blocked: the event is lost')
      waiting.push(event)
      if (waiting.length >= maxSize) flush()
      else timer ??= clock.after(maxWait, flush)
    },
    async stop() {
      flush()
      await sending
    },
  }
}
