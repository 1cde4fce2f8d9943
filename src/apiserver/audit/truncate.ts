import type { Logger } from '../../base/index.ts'
import type { Backend } from './auditor.ts'
import { asJson } from './event.ts'

const ANNOTATION = 'audit.k8s.io/truncated'

/**
 * Lets no event by that is larger than `maxEventSize` bytes: first what was sent and answered is left out, then the event.
 * Source: k8s.io/apiserver/plugin/pkg/audit/truncate
 */
export const truncated = (backend: Backend, maxEventSize: number, log: Logger): Backend => ({
  ...backend,
  process(event) {
    if (Buffer.byteLength(asJson(event)) <= maxEventSize) return backend.process(event)
    const { requestObject: _, responseObject: __, ...rest } = event
    const cut = { ...rest, annotations: { ...event.annotations, [ANNOTATION]: 'true' } }
    if (Buffer.byteLength(asJson(cut)) <= maxEventSize) return backend.process(cut)
    return log.warn(
      { auditID: event.auditID, size: maxEventSize },
      'an audit event is too large even without its objects',
    )
  },
})
