import { errors, StatusError } from '../../api/index.ts'
import type { Registry } from './registry.ts'

/**
 * A resourceVersion of a query: undefined when absent or empty. Rejects with 400 for a list; for others upstream finds it too
 * late to say whose fault it is, and answers 500.
 */
export function revisionOf(text: string | null, verb: 'get' | 'list' | 'watch'): number | undefined {
  if (!text) return undefined
  if (/^\d{1,16}$/.test(text)) return Number(text)
  const shown = JSON.stringify(text)
  const fault = /^\d+$/.test(text) ? 'value out of range' : 'invalid syntax'
  const message = `resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: ${fault}`
  if (verb === 'list') throw errors.badRequest(`invalid resource version: ${message}`)
  throw new StatusError({ status: 'Failure', message, code: 500 })
}

/** How long a read waits for a revision that this server has not seen yet. Source: k8s.io/apiserver/pkg/storage/cacher */
const PATIENCE = 3000
const POLL = 100

/** Resolves once `revision` has happened. Rejects with the error by which clients know to ask again. */
export async function reached({ store, clock }: Registry, revision: number): Promise<void> {
  const end = clock.monotonic() + PATIENCE
  for (let current = await store.revision(); current < revision; current = await store.revision()) {
    if (clock.monotonic() >= end) throw tooLarge(revision, current)
    await clock.sleep(POLL)
  }
}

/** Source: k8s.io/apiserver/pkg/storage errors.go NewTooLargeResourceVersionError */
export const tooLarge = (revision: number, current: number) =>
  new StatusError(
    {
      status: 'Failure',
      message: `Timeout: Too large resource version: ${revision}, current: ${current}`,
      reason: 'Timeout',
      details: {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      },
      code: 504,
    },
    { 'Retry-After': '1' },
  )
