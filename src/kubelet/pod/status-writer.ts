import { isDeepStrictEqual } from 'node:util'
import { type core, findCondition, is, resources, StatusError } from '../../api/index.ts'
import type { Clock, Logger } from '../../base/index.ts'
import type { Client } from '../../client/index.ts'

interface Entry {
  pod: core.Pod
  status: core.PodStatus
  sent: core.PodStatus | undefined
  writing: Promise<void> | undefined
}

export interface StatusWriterOptions {
  client: Client
  clock: Clock
  log: Logger
  /** The pod as the server has it after a write. */
  onWritten(pod: core.Pod): void
}

const RETRY = { first: 200, most: 10_000 }

/** Writes pods' statuses to the API: only what changed, the newest only, one write of a pod at a time. */
export class StatusWriter {
  readonly #options: StatusWriterOptions
  readonly #entries = new Map<string, Entry>()
  readonly #stopping = new AbortController()

  constructor(options: StatusWriterOptions) {
    this.#options = options
  }

  /** `pod` is the newest that is known from the server. */
  set(pod: core.Pod, status: core.PodStatus): void {
    const { uid } = pod.metadata
    const entry = this.#entries.get(uid) ?? { pod, status, sent: undefined, writing: undefined }
    this.#entries.set(uid, entry)
    Object.assign(entry, { pod, status })
    if (isDeepStrictEqual(entry.sent, status)) return
    entry.writing ??= this.#write(entry).finally(() => {
      entry.writing = undefined
    })
  }

  /** Resolves when the newest status is on the server, or the pod is not there any more. */
  async flushed(uid: string): Promise<void> {
    for (let entry = this.#entries.get(uid); entry?.writing; entry = this.#entries.get(uid)) await entry.writing
  }

  forget(uid: string): void {
    this.#entries.delete(uid)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(Array.from(this.#entries.values(), ({ writing }) => writing))
  }

  async #write(entry: Entry): Promise<void> {
    const { clock, log, onWritten } = this.#options
    let wait = RETRY.first
    while (!isDeepStrictEqual(entry.sent, entry.status)) {
      const { pod, status } = entry
      try {
        const written = await this.#patch(pod, status)
        entry.sent = status
        wait = RETRY.first
        if (written) onWritten(written)
      } catch (error) {
        if (is(error, 'NotFound') || is(error, 'Conflict')) {
          // Gone, or another pod by now.
          entry.sent = status
          return
        }
        const refused = error instanceof StatusError && error.code < 500
        log[refused ? 'error' : 'debug'](
          { pod: pod.metadata.name, error: (error as Error).message },
          'could not write the status of a pod',
        )
        if (this.#stopping.signal.aborted) return
        await clock.sleep(wait, this.#stopping.signal).catch(() => {})
        wait = Math.min(wait * 2, RETRY.most)
      }
    }
  }

  async #patch(pod: core.Pod, status: core.PodStatus): Promise<core.Pod | undefined> {
    const change = statusPatch(pod.status ?? {}, status)
    if (!change) return undefined
    return await this.#options.client.patch(
      resources.pods,
      pod.metadata,
      { type: 'strategic', body: { metadata: { uid: pod.metadata.uid }, status: change } },
      { subresource: 'status' },
    )
  }
}

/** The strategic merge patch from one status to the other; undefined when there is no difference. */
export function statusPatch(from: core.PodStatus, to: core.PodStatus): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {}
  const owned = [
    'phase',
    'observedGeneration',
    'reason',
    'message',
    'hostIP',
    'podIP',
    'startTime',
    'qosClass',
    'containerStatuses',
    'initContainerStatuses',
    'ephemeralContainerStatuses',
  ] as const
  for (const key of owned) if (!isDeepStrictEqual(from[key], to[key])) patch[key] = to[key] ?? null
  for (const key of ['hostIPs', 'podIPs'] as const)
    if (!isDeepStrictEqual(from[key], to[key]))
      patch[key] = [...(to[key] ?? []), ...(from[key] ? [{ $patch: 'replace' }] : [])]
  const changed = (to.conditions ?? []).flatMap(condition => {
    const before = findCondition(from.conditions, condition.type)
    if (isDeepStrictEqual(condition, before)) return []
    // Merging keeps what is not named: a reason that no longer holds has to be taken away.
    const gone = Object.keys(before ?? {}).filter(key => !(key in condition))
    return [{ ...condition, ...Object.fromEntries(gone.map(key => [key, null])) }]
  })
  if (changed.length > 0) patch.conditions = changed
  return Object.keys(patch).length > 0 ? patch : undefined
}
