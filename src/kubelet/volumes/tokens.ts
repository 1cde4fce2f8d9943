import { type authentication, type core, parseTime, resources } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import type { Client } from '../../client/index.ts'

const DAY = 24 * 3600_000
const DEFAULT_LIFETIME = 3600

/**
 * Service account tokens for pods, each bound to its pod, renewed after 80 % of its life or a day.
 * Source: pkg/kubelet/token/token_manager.go
 */
export class Tokens {
  readonly #client: Client
  readonly #clock: Clock
  readonly #held = new Map<string, { token: string; refreshAt: number; expiresAt: number }>()

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  async get(
    pod: core.Pod,
    { audience, expirationSeconds = DEFAULT_LIFETIME }: core.ServiceAccountTokenProjection,
  ): Promise<string> {
    const { name, namespace, uid } = pod.metadata
    const key = [uid, audience, expirationSeconds].join('|')
    const held = this.#held.get(key)
    const now = this.#clock.now()
    if (held && now < held.refreshAt) return held.token
    const account = { namespace, name: pod.spec.serviceAccountName || 'default' }
    try {
      const { status } = await this.#client.createSubresource<authentication.TokenRequest>(
        resources.serviceAccounts,
        account,
        'token',
        {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          metadata: { creationTimestamp: null },
          spec: {
            audiences: audience ? [audience] : [],
            expirationSeconds,
            boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
          },
        },
      )
      const expiresAt = parseTime(status.expirationTimestamp)
      const refreshAt = Math.min(now + (expiresAt - now) * 0.8, now + DAY)
      this.#held.set(key, { token: status.token, refreshAt, expiresAt })
      return status.token
    } catch (error) {
      // An old token that still holds is better than none.
      if (held && now < held.expiresAt) return held.token
      throw error
    }
  }

  /** When the next of this pod's tokens is to be renewed, in milliseconds from now. */
  refreshIn(podUid: string): number | undefined {
    const moments = [...this.#held].filter(([key]) => key.startsWith(podUid)).map(([, { refreshAt }]) => refreshAt)
    return moments.length > 0 ? Math.max(0, Math.min(...moments) - this.#clock.now()) : undefined
  }

  release(podUid: string): void {
    for (const key of this.#held.keys()) if (key.startsWith(podUid)) this.#held.delete(key)
  }
}
