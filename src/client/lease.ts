import { type coordination, formatMicroTime, is, resources } from '../api/index.ts'
import type { Clock, Component, Logger, Random } from '../base/index.ts'
import type { Client } from './client.ts'

export interface LeaseOptions {
  client: Client
  namespace: string
  name: string
  /** Who we are; unique among the candidates. */
  identity: string
  /** Milliseconds a holder that says nothing stays the holder. Default: 15 s */
  leaseDuration?: number
  /** Milliseconds within which the holder must renew or give up. Default: 10 s */
  renewDeadline?: number
  /** Milliseconds between attempts. Default: 2 s */
  retryPeriod?: number
  clock: Clock
  random: Random
  log: Logger
  /** We lead; `signal` aborts when we no longer do. */
  lead(signal: AbortSignal): void
  /** We led and do not any longer: nothing may be written in the leader's name from here on. */
  lost(): void | Promise<void>
}

const JITTER = 1.2

/**
 * Of several processes of one kind, lets one act at a time. The clocks of the candidates need not agree: each counts
 * from the moment when it saw the Lease change. Source: k8s.io/client-go/tools/leaderelection
 */
export class LeaderElector implements Component {
  readonly #options: Required<Pick<LeaseOptions, 'leaseDuration' | 'renewDeadline' | 'retryPeriod'>> & LeaseOptions
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  #seen: { record: string; at: number } | undefined
  #leading = false

  constructor(options: LeaseOptions) {
    this.#options = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000, ...options }
    this.#running = this.#run(this.#stopping.signal)
  }

  get leading(): boolean {
    return this.#leading
  }

  /** Gives the Lease back, so that another need not wait for its end. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#acquire(signal)
      if (signal.aborted) return
      const term = new AbortController()
      this.#leading = true
      this.#options.log.info({ lease: this.#options.name }, 'became the leader')
      this.#options.lead(term.signal)
      await this.#renew(signal)
      this.#leading = false
      term.abort()
      await this.#options.lost()
      if (signal.aborted) await this.#release()
    }
  }

  async #acquire(signal: AbortSignal): Promise<void> {
    const { clock, random, retryPeriod } = this.#options
    while (!(await this.#tryHold())) {
      await clock.sleep(retryPeriod * (1 + JITTER * random.next()), signal).catch(() => {})
      if (signal.aborted) return
    }
  }

  /** Returns when the Lease was lost, or could not be renewed in time. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { clock, retryPeriod, renewDeadline, log, name } = this.#options
    let renewed = clock.monotonic()
    while (!signal.aborted) {
      await clock.sleep(retryPeriod, signal).catch(() => {})
      if (signal.aborted) return
      if (await this.#tryHold()) renewed = clock.monotonic()
      else if (clock.monotonic() - renewed > renewDeadline) {
        log.error({ lease: name }, 'failed to renew the lease, no longer the leader')
        return
      }
    }
  }

  async #tryHold(): Promise<boolean> {
    const { client, log, name } = this.#options
    try {
      const lease = await this.#read()
      if (!lease) {
        await client.create(resources.leases, this.#draft(0))
        return true
      }
      if (!this.#mayHold(lease.spec)) return false
      const ours = lease.spec.holderIdentity === this.#options.identity
      const transitions = (lease.spec.leaseTransitions ?? 0) + (ours ? 0 : 1)
      const draft = this.#draft(transitions, ours ? lease.spec.acquireTime : undefined)
      await client.update(resources.leases, { ...lease, spec: { ...lease.spec, ...draft.spec } })
      return true
    } catch (error) {
      log.debug({ lease: name, error: (error as Error).message }, 'could not hold the lease')
      return false
    }
  }

  async #read(): Promise<coordination.Lease | undefined> {
    const { client, namespace, name } = this.#options
    try {
      return await client.get(resources.leases, { namespace, name })
    } catch (error) {
      if (is(error, 'NotFound')) return undefined
      throw error
    }
  }

  /** Nobody holds it, we do, or its holder has been silent for the whole duration before our eyes. */
  #mayHold(spec: coordination.LeaseSpec): boolean {
    const { clock, identity } = this.#options
    const record = `${spec.holderIdentity} ${spec.renewTime} ${spec.leaseTransitions}`
    if (this.#seen?.record !== record) this.#seen = { record, at: clock.monotonic() }
    if (!spec.holderIdentity || spec.holderIdentity === identity) return true
    const duration = (spec.leaseDurationSeconds ?? 0) * 1000
    return clock.monotonic() - this.#seen.at >= duration
  }

  #draft(leaseTransitions: number, acquireTime?: string) {
    const { namespace, name, identity, leaseDuration, clock } = this.#options
    const now = formatMicroTime(clock.now())
    const spec: coordination.LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.round(leaseDuration / 1000),
      acquireTime: acquireTime ?? now,
      renewTime: now,
      leaseTransitions,
    }
    return { metadata: { namespace, name }, spec }
  }

  async #release(): Promise<void> {
    const { client, log } = this.#options
    try {
      const lease = await this.#read()
      if (lease?.spec.holderIdentity !== this.#options.identity) return
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 }
      await client.update(resources.leases, { ...lease, spec })
    } catch (error) {
      log.debug({ error: (error as Error).message }, 'could not give the lease back')
    }
  }
}
